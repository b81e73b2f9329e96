import type { EntityManager } from 'typeorm';

/** Rows that a job takes up when their time has come. Its texts are SQL of ours, never of a caller. */
export interface DueRows {
  readonly table: string;
  /** Which are due. */
  readonly where: string;
  /** The column by which the longest due come first. */
  readonly longest: string;
  /** The column that keeps the others away until the claim is over. */
  readonly claimedUntil: string;
  /** For how long: an interval, which may be another one for each row. */
  readonly claim: string;
  /** What is wanted of them; the table is called `due`. */
  readonly returning: string;
}

/** For rows that are due by the same column as says how long they are claimed. */
export function dueBy(column: string, rows: Pick<DueRows, 'table' | 'claim' | 'returning'>): DueRows {
  return { ...rows, where: `${column} <= now()`, longest: column, claimedUntil: column };
}

/**
 * Takes up what is due, so that other nodes leave it alone. Whoever dies with a claim loses it when its time is over, and
 * the next one takes it up. It is planned anew each time: a plan that was made while a table was empty is a bad one later.
 * @param most how many may be taken; the rest waits for the next round.
 */
export async function claimDue<Row extends object>(
  manager: EntityManager,
  { table, where, longest, claimedUntil, claim, returning }: DueRows,
  most: number,
): Promise<Row[]> {
  const [rows] = await manager.query<[Row[], number]>(
    `UPDATE ${table} due SET ${claimedUntil} = now() + ${claim}
     WHERE id IN (
       SELECT id FROM ${table} WHERE ${where}
       ORDER BY ${longest} LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING ${returning}`,
    [most],
  );
  return rows;
}
