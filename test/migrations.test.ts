import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { applyMigrations } from '../src/database/apply-migrations.js';
import { createDataSource } from '../src/database/data-source.js';
import { databaseUrl } from '../src/database/embedded-postgres.js';
import { TEST_POSTGRES_URL_VARIABLE } from './support/postgres.js';

const server = process.env[TEST_POSTGRES_URL_VARIABLE]!;

/** Runs on an empty database of its own. */
async function onNewDatabase(use: (url: string) => Promise<void>): Promise<void> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  try {
    await use(databaseUrl(server, name));
  } finally {
    await admin.query(`DROP DATABASE ${name}`);
    await admin.end();
  }
}

/** Takes back this migration and all that came after it. */
async function undo(node: DataSource, migration: string): Promise<void> {
  const isApplied = async () =>
    (await node.query('SELECT 1 FROM migration WHERE name = $1', [migration])).length > 0;
  while (await isApplied()) await node.undoLastMigration();
}

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

test('orders from before it was written down whose they are: the merchant’s where its hand shows', async () => {
  await onNewDatabase(async (url) => {
    const node = await createDataSource({ url, poolSize: 3 }).initialize();
    try {
      await applyMigrations(node);
      await undo(node, 'WritersOfOrders1798600000000');
      const order = async (reference: string, columns: Record<string, unknown> = {}) => {
        const id = randomUUID();
        const row = { id, reference, status: 'OPEN', amount: 900, currency: 'EUR', locale: 'en', ...columns };
        const names = Object.keys(row);
        const places = names.map((_, index) => `$${index + 1}`);
        await node.query(
          `INSERT INTO orders (${names.join()}) VALUES (${places.join()})`,
          Object.values(row),
        );
        return id;
      };
      await order('payers');
      await order('numbered', { number: 'INV-1' });
      await order('noted', { metadata: { shop: 'Dakar' } });
      const own = await order('own line');
      await node.query(
        `INSERT INTO order_line (id, order_id, position, name, quantity, unit_amount) VALUES ($1, $2, 1, 'Laptop', 1, 900)`,
        [randomUUID(), own],
      );
      await order('changed by a backend');
      await order('changed by its payer');
      await node.query(`
        INSERT INTO audit_log (subject, actor, action) VALUES
          ('changed by a backend', 'backend:7', 'order.updated'),
          ('changed by its payer', 'payer:changed by its payer', 'order.updated')`);
      const keyed = await order('made with a backend’s key');
      await node.query(
        `INSERT INTO idempotency_key (caller, key, fingerprint, resource_id, expires_at) VALUES ('backend:7', 'k', 'f', $1, now())`,
        [keyed],
      );

      await applyMigrations(node);

      const rows = await node.query('SELECT reference, written_by FROM orders ORDER BY reference');
      expect(
        Object.fromEntries(
          rows.map(({ reference, written_by }: Record<string, string>) => [reference, written_by]),
        ),
      ).toEqual({
        payers: 'PAYER',
        numbered: 'MERCHANT',
        noted: 'MERCHANT',
        'own line': 'MERCHANT',
        'changed by a backend': 'MERCHANT',
        'changed by its payer': 'PAYER',
        'made with a backend’s key': 'MERCHANT',
      });
    } finally {
      await node.destroy();
    }
  });
});

test('an endpoint’s earlier secret from before there could be several signs on, as it was promised', async () => {
  await onNewDatabase(async (url) => {
    const node = await createDataSource({ url, poolSize: 3 }).initialize();
    try {
      await applyMigrations(node);
      await undo(node, 'EarlierEndpointSecrets1798680500000');
      const add = (reference: string, earlier: string | null, until: string | null) =>
        node.query(
          `INSERT INTO webhook_endpoint (id, reference, url, status, sealed_secret, sealed_previous_secret, previous_secret_until)
           VALUES ($1, $2, 'https://shop.example', 'ENABLED', 'present', $3, $4)`,
          [randomUUID(), reference, earlier, until],
        );
      await add('rotated', 'earlier', '2031-01-01T00:00:00Z');
      await add('never rotated', null, null);
      await applyMigrations(node);
      const read = `SELECT reference, earlier_secrets -> 0 ->> 'sealed' AS sealed,
          (earlier_secrets -> 0 ->> 'until')::timestamptz AS until FROM webhook_endpoint ORDER BY reference`;
      expect(await node.query(read)).toEqual([
        { reference: 'never rotated', sealed: null, until: null },
        { reference: 'rotated', sealed: 'earlier', until: new Date('2031-01-01T00:00:00Z') },
      ]);
    } finally {
      await node.destroy();
    }
  });
});
