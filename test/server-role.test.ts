import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { applyMigrations } from '../src/database/apply-migrations.js';
import { createDataSource } from '../src/database/data-source.js';
import { grantServerRole, ownsTables } from '../src/database/server-role.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { startKillableServer, type KillableServer } from './support/killable-server.js';
import { eventually } from './support/eventually.js';

const role = `server_${randomUUID().slice(0, 8)}`;
let database: TestDatabase;
let server: KillableServer;
let asServer: pg.Client;
let asOwner: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  const url = new URL(database.url);
  url.username = role;
  url.password = 'a/password with@signs';
  const environment = { MIGRATION_DATABASE_URL: database.url };
  server = await startKillableServer({ databaseUrl: url.href, environment });
  asServer = new pg.Client({ connectionString: url.href });
  asOwner = new pg.Client({ connectionString: database.url });
  await Promise.all([asServer.connect(), asOwner.connect()]);
});
afterAll(async () => {
  await server.stop();
  await asServer.end();
  await asOwner.query(`DROP OWNED BY ${role}`);
  await asOwner.query(`DROP ROLE ${role}`);
  await asOwner.end();
  await database.drop();
});

async function ask(query: string, token?: string): Promise<Record<string, any>> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: Record<string, any>; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

test('a whole payment works as the lesser role, and so do jobs and signatures of the audit log', async () => {
  const sku = `SKU-${randomUUID()}`;
  await asOwner.query(
    `INSERT INTO product (id, sku, name, unit_amount, currency, stock) VALUES ($1, $2, 'Mug', 1500, 'EUR', 9)`,
    [randomUUID(), sku],
  );
  const { createOrder } = await ask(
    `mutation { createOrder(input: { lines: [{ sku: "${sku}", quantity: 1 }] }) { order { id } orderToken } }`,
  );
  const token = createOrder.orderToken as string;
  const { createPaymentIntent } = await ask(
    `mutation { createPaymentIntent(input: { orderId: "${createOrder.order.id}", provider: "bank-x", returnUrl: "https://shop.example/done" }) { paymentIntent { id } } }`,
    token,
  );
  const { id } = createPaymentIntent.paymentIntent;
  server.bank.pay(`${id}-1`);
  await eventually(async () => {
    const { paymentIntent } = await ask(`{ paymentIntent(id: "${id}") { status } }`, token);
    expect(paymentIntent.status).toBe('PAID');
  });
  await asServer.query(`SELECT graphile_worker.add_job('deliver webhook', '{}')`);
  const { rows } = await asServer.query('SELECT count(*)::integer AS jobs FROM graphile_worker.jobs');
  expect(rows[0].jobs).toBeGreaterThan(0);
  // It signs at its start, too; and then finds its role as it left it.
  const before = server.program.output;
  await server.kill();
  await server.start();
  await eventually(async () =>
    expect((await asServer.query('SELECT 1 FROM audit_checkpoint LIMIT 1')).rowCount).toBe(1),
  );
  expect(before + server.program.output).not.toMatch(/"level":[56]0|permission denied|owner of its tables/);
});

test.each([
  `UPDATE audit_log SET actor = 'nobody'`,
  'DELETE FROM audit_log',
  'TRUNCATE audit_log',
  'DELETE FROM audit_checkpoint',
  'DELETE FROM movement',
  'DROP TABLE audit_log',
  'ALTER TABLE audit_log DISABLE TRIGGER ALL',
  'CREATE TABLE mine ()',
  `SET session_replication_role = 'replica'`,
  'CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
  `DELETE FROM migration`,
])('the database refuses the server’s role: %s', async (sql) => {
  await expect(asServer.query(sql)).rejects.toThrow(/permission denied|must be owner/);
});

test('a role that is there already is let in again, and is known to own nothing', async () => {
  const owner = await createDataSource({ url: database.url, poolSize: 2 }).initialize();
  await applyMigrations(owner);
  await grantServerRole(owner, role, 'another');
  expect(await ownsTables(owner.manager)).toBe(true);
  await owner.destroy();
  const { rows } = await asServer.query(
    `SELECT pg_has_role(current_user, relowner, 'USAGE') AS owns FROM pg_class WHERE oid = 'audit_log'::regclass`,
  );
  expect(rows).toEqual([{ owns: false }]);
});
