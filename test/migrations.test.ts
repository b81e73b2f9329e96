import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { applyMigrations } from '../src/database/apply-migrations.js';
import { createDataSource } from '../src/database/data-source.js';
import { databaseUrl } from '../src/database/embedded-postgres.js';
import { TEST_POSTGRES_URL_VARIABLE } from './support/postgres.js';

const server = process.env[TEST_POSTGRES_URL_VARIABLE]!;

test('nodes that start at once on an empty database migrate it once', async () => {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const nodes = await Promise.all(
    Array.from({ length: 4 }, () =>
      createDataSource({ url: databaseUrl(server, name), poolSize: 3 }).initialize(),
    ),
  );

  await Promise.all(nodes.map(applyMigrations));

  const [node] = nodes;
  const applied = await node!.query('SELECT name FROM migration');
  expect(applied).toHaveLength(node!.migrations.length);
  expect(await node!.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '30s' }]);
  await Promise.all(nodes.map((each) => each.destroy()));
  await admin.query(`DROP DATABASE ${name}`);
  await admin.end();
});
