import type { EntityManager } from 'typeorm';

/** What time it is to the database; in a transaction, when that began. */
export async function databaseNow(manager: EntityManager): Promise<Date> {
  const [clock]: { now: Date }[] = await manager.query('SELECT now() AS now');
  return clock!.now;
}
