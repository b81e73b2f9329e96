import pg from 'pg';
import { nextCheckOf, pauseSince } from '../src/payments/check-schedule.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DRAWS = 200;

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

/** Each in seconds, and chosen by chance around what is expected. */
async function pausesOfDatabase(age: number): Promise<number[]> {
  const { rows } = await client.query<{ pause: number }>(
    `SELECT extract(epoch FROM ${pauseSince('began')})::float8 AS pause
     FROM (SELECT now() - make_interval(secs => $1) AS began FROM generate_series(1, $2::integer)) AS draw`,
    [age, DRAWS],
  );
  return rows.map(({ pause }) => pause);
}

function pausesOfCode(age: number): number[] {
  const now = new Date();
  const began = new Date(now.getTime() - age * 1_000);
  return Array.from({ length: DRAWS }, () => (nextCheckOf(now, began).getTime() - now.getTime()) / 1_000);
}

test.each([
  [0, 20],
  [2 * MINUTE, 20],
  [5 * MINUTE, 30],
  [10 * MINUTE, 45],
  [HOUR - 1, 45],
  [2 * HOUR, 12 * MINUTE],
  [9 * HOUR, 54 * MINUTE],
  [30 * HOUR, HOUR],
])('what began %i seconds ago is asked about again after about %i', async (age, pause) => {
  for (const pauses of [await pausesOfDatabase(age), pausesOfCode(age)]) {
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(pause * 0.849);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(pause * 1.151);
    expect(new Set(pauses).size).toBeGreaterThan(1);
  }
});
