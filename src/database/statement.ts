import { QueryFailedError, type EntityManager } from 'typeorm';
import type { PoolClient } from 'pg';

/**
 * A hot statement: planned once for each connection by its name, and then only executed. A statement is one round trip,
 * and atomic by itself: outside a transaction it commits in the same trip, so that no lock waits for our event loop.
 */
export interface Statement<_Row extends object> {
  readonly name: string;
  readonly text: string;
}

export function statement<Row extends object>(name: string, text: string): Statement<Row> {
  return { name, text };
}

/** Runs it on the manager's transaction if there is one, else on a connection of the pool. */
export async function run<Row extends object>(
  manager: EntityManager,
  { name, text }: Statement<Row>,
  values: readonly unknown[],
): Promise<Row[]> {
  const runner = manager.queryRunner ?? manager.connection.createQueryRunner();
  try {
    const client = (await runner.connect()) as PoolClient;
    const result = await client.query<Row>({ name, text, values: values as unknown[] });
    return result.rows;
  } finally {
    if (!manager.queryRunner) await runner.release();
  }
}

/** The constraint that refused a write, whether TypeORM or pg reports it; undefined for every other error. */
export function violatedConstraint(error: unknown): string | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return undefined;
  const { code, constraint } = cause as Error & { code?: string; constraint?: string };
  // Class 23 of the SQLSTATE codes: integrity constraint violation.
  return code?.startsWith('23') ? constraint : undefined;
}
