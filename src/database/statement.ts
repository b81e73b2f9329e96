import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import { QueryFailedError, type EntityManager } from 'typeorm';
import type { PoolClient } from 'pg';

/** PostgreSQL finds a deadlock after a second; whoever loses this often is told. */
const MAX_TRIES = 4;
const MAX_PAUSE_MILLISECONDS = 50;

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

/**
 * Runs it on the manager's transaction if there is one, else on a connection of the pool. Outside of a transaction, a
 * statement that PostgreSQL broke off to resolve a conflict has done nothing, and is run again.
 */
export async function run<Row extends object>(
  manager: EntityManager,
  statement: Statement<Row>,
  values: readonly unknown[],
): Promise<Row[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await runOnce(manager, statement, values);
    } catch (error) {
      if (manager.queryRunner || tries >= MAX_TRIES || !isConflict(error)) throw error;
      await sleep(randomInt(1, MAX_PAUSE_MILLISECONDS));
    }
  }
}

async function runOnce<Row extends object>(
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

/** SQLSTATE `deadlock_detected` and `serialization_failure`: others were let through, and this statement was undone. */
const CONFLICTS = new Set(['40P01', '40001']);

function isConflict(error: unknown): boolean {
  return isNativeError(error) && CONFLICTS.has((error as Error & { code?: string }).code ?? '');
}

/** The constraint that refused a write, whether TypeORM or pg reports it; undefined for every other error. */
export function violatedConstraint(error: unknown): string | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return undefined;
  const { code, constraint } = cause as Error & { code?: string; constraint?: string };
  // Class 23 of the SQLSTATE codes: integrity constraint violation.
  return code?.startsWith('23') ? constraint : undefined;
}
