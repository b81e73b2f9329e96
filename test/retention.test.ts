import { deleteOldWebhookBodies } from '../src/retention/delete-old-webhook-bodies.js';
import { deleteUnpaidOrders } from '../src/retention/delete-unpaid-orders.js';
import { eventually } from './support/eventually.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { settled } from './support/settled.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

const DAY = 24 * 60 * 60 * 1_000;
const READ = 'query ($id: ID!) { order(id: $id) { status } }';
const REPLAY = 'mutation ($id: ID!) { replayWebhookEvent(id: $id) { applied outcome } }';

describe('what is kept for a time only', () => {
  let app: RunningApp;
  let sku: string;

  beforeAll(async () => {
    app = await startTestApp();
    ({ sku } = await app.addProduct());
  });
  afterAll(() => app.stop());

  /** In so many days. What was gone through before is gone through again: all of this happens within a moment. */
  const inDays = async (days: number) => {
    await app.dataSource.query(
      `UPDATE retention_cursor SET last_id = '00000000-0000-0000-0000-000000000000'`,
    );
    return new Date(Date.now() + days * DAY);
  };

  const paid = async () => {
    const order = await app.order(sku);
    const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await settled(app);
    return order;
  };

  const statusOf = async (orderId: string) => {
    const answer = await app.graphql(READ, { id: orderId }, app.apiKey);
    return codeOf(answer) ?? dataOf(answer).order.status;
  };

  it('are orders of payers that nobody began to pay, and no others', async () => {
    const unpaid = await app.order(sku);
    const begun = await app.order(sku);
    await app.pay(begun.orderId, begun.token, { method: 'CARD' });
    const bought = await paid();
    const ofMerchant = dataOf(
      await app.graphql(
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }',
        { input: { lines: [{ sku, quantity: 1 }] } },
        app.apiKey,
      ),
    ).createOrder.order.id as string;
    const orders = [unpaid.orderId, begun.orderId, bought.orderId, ofMerchant];

    await deleteUnpaidOrders(app.dataSource.manager, 90 * DAY, await inDays(89));
    expect(await Promise.all(orders.map(statusOf))).toEqual(['OPEN', 'OPEN', 'CONFIRMED', 'OPEN']);
    await deleteUnpaidOrders(app.dataSource.manager, 90 * DAY, await inDays(91));
    expect(await Promise.all(orders.map(statusOf))).toEqual(['NOT_FOUND', 'OPEN', 'CONFIRMED', 'OPEN']);
    const left = `SELECT 1 FROM order_line l WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = l.order_id)`;
    expect(await app.dataSource.query(left)).toEqual([]);
  });

  it('are orders by the thousand, of which two nodes delete each once', async () => {
    await app.dataSource.query(
      `INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object(
         'id', '00000000-0001-7000-8000-' || lpad(n::text, 12, '0'), 'reference', 'ORD-OLD-' || n))).*
       FROM orders o, generate_series(1, 4500) n WHERE o.id = (SELECT id FROM orders WHERE written_by = 'PAYER' LIMIT 1)`,
    );
    const now = await inDays(0);
    const node = () => deleteUnpaidOrders(app.dataSource.manager, DAY, now);
    await Promise.all([node(), node(), node()]);
    const [{ count }] = await app.dataSource.query(
      `SELECT count(*)::integer FROM orders WHERE reference LIKE 'ORD-OLD-%'`,
    );
    expect(count).toBe(0);
  });

  it('are the bodies of webhooks that were handled: a repeated one is known all the same, and none can be replayed', async () => {
    await paid();
    const handled = `SELECT id, payload FROM webhook_event WHERE status = 'APPLIED' AND provider = 'stripe'`;
    const [event] = await eventually(
      () => app.dataSource.query<{ id: string; payload: string }[]>(handled),
      (events) => events.length > 0,
    );
    await app.dataSource.query(
      `INSERT INTO webhook_event SELECT (jsonb_populate_record(w, jsonb_build_object(
         'id', '00000000-0001-7000-8000-000000000001', 'event_id', 'evt_waits', 'status', 'PARKED'))).*
       FROM webhook_event w WHERE id = $1`,
      [event!.id],
    );
    await deleteOldWebhookBodies(app.dataSource.manager, 90 * DAY, await inDays(91));
    const bodies = await app.dataSource.query<{ status: string; empty: boolean }[]>(
      `SELECT DISTINCT status, payload = '' AS empty FROM webhook_event ORDER BY status`,
    );
    expect(bodies).toEqual(
      expect.arrayContaining([
        { status: 'APPLIED', empty: true },
        { status: 'PARKED', empty: false },
      ]),
    );
    const replay = await app.graphql(REPLAY, { id: event!.id }, app.operatorToken);
    expect(dataOf(replay).replayWebhookEvent).toEqual({
      applied: false,
      outcome: 'its body is not kept any more (WEBHOOK_BODY_DAYS)',
    });
  });
});
