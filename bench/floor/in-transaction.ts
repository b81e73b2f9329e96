import type pg from 'pg';

/** BEGIN and COMMIT around it, on one connection of the pool. */
export async function inTransaction(
  pool: pg.Pool,
  write: (client: pg.PoolClient) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await write(client);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

/** A prepared statement that must write exactly one row. */
export async function writeOne<Row extends pg.QueryResultRow>(
  client: pg.PoolClient | pg.Pool,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row> {
  const result = await client.query<Row>({ name, text, values });
  if (result.rowCount !== 1) throw new Error(`${name} wrote ${result.rowCount} rows`);
  return result.rows[0]!;
}
