import { v7 as uuidv7 } from 'uuid';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../src/database/data-source.js';
import { Product } from '../src/orders/product.js';
import { startKillableServer, type KillableServer } from './support/killable-server.js';
import { notify, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { CREATE_PAYMENT } from './support/running-app.js';
import { watch } from './support/subscriber.js';
import { eventually } from './support/eventually.js';

let server: KillableServer;
let database: DataSource;
beforeAll(async () => {
  server = await startKillableServer();
  database = await createDataSource({ url: server.databaseUrl, poolSize: 2 }).initialize();
});
afterAll(async () => {
  await database.destroy();
  await server.stop();
});

async function ask(query: string, variables: object, token?: string) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: any; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return Object.values<any>(data)[0];
}

async function openPayment(): Promise<OpenPayment> {
  const [amount, currency, sku] = [1_500, 'EUR', 'SOMETHING'] as const;
  await database.manager.insert(Product, {
    id: uuidv7(),
    sku,
    name: 'Something',
    unitAmount: amount,
    currency,
    stock: 5,
  });
  const { order, orderToken: token } = await ask(
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
    { input: { lines: [{ sku, quantity: 1 }] } },
  );
  const input = { orderId: order.id, method: 'CARD' };
  const { paymentIntent, nextAction } = await ask(CREATE_PAYMENT, { input }, token);
  const { id } = paymentIntent;
  const [providerReference] = nextAction.clientSecret.split('_secret_');
  await server.stripe.settled();
  const orderId = order.id;
  return { id, attemptReference: `${id}-1`, providerReference, orderId, token, sku, amount, currency };
}

test('what was committed, and not told when the process was killed, is told by the next one', async () => {
  const payment = await openPayment();
  const address = { webSocketUrl: `${server.url.replace('http', 'ws')}/graphql` };
  const before = watch(address, payment.id, payment.token);
  await before.until((heard) => heard.length === 1);
  // The relay is kept from seeing the next event, so that the process surely dies between commit and telling.
  await database.query(`
    CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN NEW.told_at = now(); RETURN NEW; END $$;
    CREATE TRIGGER hide BEFORE INSERT ON outbox_event FOR EACH ROW EXECUTE FUNCTION hide()`);
  expect(await notify(server, STRIPE, STRIPE.paid(payment))).toBe(200);
  await server.kill();
  await before.untilEnded();
  expect(before.heard.map(({ version }) => version)).toEqual([1]);
  await before.close();
  await database.query(`
    DROP TRIGGER hide ON outbox_event; DROP FUNCTION hide();
    UPDATE outbox_event SET told_at = NULL WHERE version = 2`);

  await server.start();

  const after = watch(address, payment.id, payment.token, 1);
  await after.until((heard) => heard.at(-1)?.status === 'PAID');
  await eventually(async () =>
    expect(await database.query('SELECT 1 FROM outbox_event WHERE told_at IS NULL')).toEqual([]),
  );
  expect(after.heard.map(({ version }) => version)).toEqual([2]);
  await after.close();
}, 60_000);
