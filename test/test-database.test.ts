import pg from 'pg';
import { createTestDatabase } from './support/postgres.js';

it('gives every test file a migrated database of its own', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  const client = await connect(one.url);
  await client.query('CREATE TABLE only_here ()');
  const { rows } = await client.query('SELECT * FROM migration');
  await client.end();
  expect(rows.length).toBeGreaterThan(0);

  const otherClient = await connect(other.url);
  await expect(otherClient.query('SELECT * FROM only_here')).rejects.toThrow('does not exist');
  await otherClient.end();
  await Promise.all([one.drop(), other.drop()]);
});

it('fails the test file that leaves a connection open, and says which', async () => {
  const database = await createTestDatabase();
  const client = await connect(database.url);
  await client.query('SELECT 1 AS left_behind');
  await expect(database.drop()).rejects.toThrow(
    /left 1 connection\(s\) to its database open.*\n- forgetful \(idle\): SELECT 1 AS left_behind/,
  );
  await client.end();
  await database.drop();
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'forgetful' });
  await client.connect();
  return client;
}
