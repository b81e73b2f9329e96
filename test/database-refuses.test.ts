import { v7 as uuidv7 } from 'uuid';
import { OPEN_STATUSES } from '../src/payments/transitions.js';
import { violatedConstraint } from '../src/database/statement.js';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { expectInvariants } from './support/invariants.js';
import { untilStatus } from './support/payment-calls.js';

/** Straight SQL, as a bug of ours or a tired person at a console would write it. */
let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const sql = (text: string, values: unknown[] = []): Promise<any[]> => app.dataSource.query(text, values);

/** The constraint that refuses; what isn't refused by a constraint fails the test. */
async function refusedBy(text: string, values: unknown[] = []): Promise<string> {
  const error: unknown = await sql(text, values).then(
    () => new Error(`the database did it: ${text}`),
    (refusal: unknown) => refusal,
  );
  const constraint = violatedConstraint(error);
  if (constraint === undefined) throw error;
  return constraint;
}

async function openPayment() {
  const product = await app.addProduct({ stock: 2 });
  const { orderId, token } = await app.order(product.sku);
  const payment = await app.pay(orderId, token);
  const [{ id, order_id }] = await sql('SELECT id, order_id FROM payment_intent WHERE reference = $1', [
    payment.id,
  ]);
  return { product, payment, token, intentId: id as string, orderRowId: order_id as string };
}

async function paidPayment() {
  const open = await openPayment();
  app.stripe.pay(open.payment.nextAction.clientSecret, '4242424242424242');
  await untilStatus(app, open.payment.id, open.token, 'PAID');
  return open;
}

afterEach(() => expectInvariants(app.dataSource));

describe('the database refuses', () => {
  test('more refunded than was taken', async () => {
    const { intentId } = await paidPayment();
    const refuse = 'payment_intent_refunded_within_captured';
    expect(
      await refusedBy('UPDATE payment_intent SET refunded_amount = captured_amount + 1 WHERE id = $1', [
        intentId,
      ]),
    ).toBe(refuse);
    expect(await refusedBy('UPDATE payment_intent SET refunded_amount = -1 WHERE id = $1', [intentId])).toBe(
      refuse,
    );
  });

  test('PAID without money', async () => {
    const { intentId } = await openPayment();
    expect(
      await refusedBy(`UPDATE payment_intent SET status = 'PAID', paid_at = now() WHERE id = $1`, [intentId]),
    ).toBe('payment_intent_paid_when_captured');
  });

  test('a status that nobody knows', async () => {
    const { intentId, orderRowId } = await openPayment();
    expect(await refusedBy(`UPDATE payment_intent SET status = 'GONE' WHERE id = $1`, [intentId])).toBe(
      'payment_intent_status_known',
    );
    expect(
      await refusedBy(`UPDATE payment_attempt SET status = 'GONE' WHERE intent_id = $1`, [intentId]),
    ).toBe('payment_attempt_status_known');
    expect(
      await refusedBy(`UPDATE orders SET status = 'GONE', reserved_until = NULL WHERE id = $1`, [orderRowId]),
    ).toBe('orders_status_known');
  });

  test('more pieces reserved than there are, or fewer than none', async () => {
    const { product } = await openPayment();
    const refuse = 'product_reserved_within_stock';
    expect(await refusedBy('UPDATE product SET reserved = stock + 1 WHERE id = $1', [product.id])).toBe(
      refuse,
    );
    expect(await refusedBy('UPDATE product SET stock = reserved - 1 WHERE id = $1', [product.id])).toBe(
      refuse,
    );
    expect(await refusedBy('UPDATE product SET reserved = -1 WHERE id = $1', [product.id])).toBe(refuse);
  });

  test('a second open payment of the same order', async () => {
    const { intentId } = await openPayment();
    const copy = `INSERT INTO payment_intent SELECT (jsonb_populate_record(i, $2)).* FROM payment_intent i WHERE id = $1`;
    const another = { id: uuidv7(), reference: 'TXN-ANOTHER' };
    for (const status of OPEN_STATUSES) {
      expect(await refusedBy(copy, [intentId, JSON.stringify({ ...another, status })])).toBe(
        'payment_intent_one_open_for_each_order',
      );
    }
  });

  test('the same money taken twice', async () => {
    const { intentId } = await paidPayment();
    const again = `INSERT INTO movement SELECT (jsonb_populate_record(m, $2)).* FROM movement m WHERE intent_id = $1`;
    expect(await refusedBy(again, [intentId, JSON.stringify({ id: uuidv7() })])).toBe('movement_once');
  });

  test.each([0, -1_500])('a movement of %i', async (amount) => {
    const { intentId } = await paidPayment();
    const another = { id: uuidv7(), provider_reference: 'another', amount };
    const insert = `INSERT INTO movement SELECT (jsonb_populate_record(m, $2)).* FROM movement m WHERE intent_id = $1`;
    expect(await refusedBy(insert, [intentId, JSON.stringify(another)])).toBe('movement_amount_positive');
  });

  test.each([
    ['changed', 'UPDATE movement SET amount = amount + 1 WHERE intent_id = $1'],
    ['deleted', 'DELETE FROM movement WHERE intent_id = $1'],
  ])('a movement that is %s', async (_, statement) => {
    const { intentId } = await paidPayment();
    await expect(sql(statement, [intentId])).rejects.toThrow('rows of movement are never changed or deleted');
  });

  test('all movements swept away', async () => {
    await paidPayment();
    await expect(sql('TRUNCATE movement CASCADE')).rejects.toThrow(
      'rows of movement are never changed or deleted',
    );
    expect((await sql('SELECT count(*)::integer AS movements FROM movement'))[0].movements).toBeGreaterThan(
      0,
    );
  });

  test('one provider’s object as two attempts, and one number twice in a payment', async () => {
    const { intentId } = await openPayment();
    const copy = `INSERT INTO payment_attempt SELECT (jsonb_populate_record(a, $2)).* FROM payment_attempt a WHERE intent_id = $1`;
    expect(await refusedBy(copy, [intentId, JSON.stringify({ id: uuidv7(), number: 2 })])).toBe(
      'payment_attempt_provider_reference_once',
    );
    expect(
      await refusedBy(copy, [intentId, JSON.stringify({ id: uuidv7(), provider_reference: 'pi_other' })]),
    ).toBe('payment_attempt_number_once');
  });

  test('one notification kept twice', async () => {
    await paidPayment();
    await app.stripe.settled();
    const copy = `INSERT INTO webhook_event SELECT (jsonb_populate_record(w, $1)).* FROM webhook_event w LIMIT 1`;
    expect(await refusedBy(copy, [JSON.stringify({ id: uuidv7() })])).toBe('webhook_event_once');
  });

  test('one version of a payment told twice', async () => {
    const { intentId } = await openPayment();
    const again = `INSERT INTO outbox_event (topic, key, version, payload)
    SELECT topic, key, version, payload FROM outbox_event WHERE key = $1`;
    expect(await refusedBy(again, [intentId])).toBe('outbox_event_once');
  });

  test('an order confirmed without a time, or one that holds stock although it is over', async () => {
    const { orderRowId } = await openPayment();
    expect(
      await refusedBy(`UPDATE orders SET status = 'CONFIRMED', reserved_until = NULL WHERE id = $1`, [
        orderRowId,
      ]),
    ).toBe('orders_confirmed_when_confirmed');
    expect(await refusedBy(`UPDATE orders SET status = 'CANCELLED' WHERE id = $1`, [orderRowId])).toBe(
      'orders_reserve_while_open',
    );
  });

  test('an amount of less than nothing, or one that JavaScript can’t count', async () => {
    const { intentId, orderRowId } = await openPayment();
    for (const amount of ['-1', '9007199254740992']) {
      expect(await refusedBy('UPDATE payment_intent SET amount = $2 WHERE id = $1', [intentId, amount])).toBe(
        'payment_intent_amount_positive',
      );
      expect(await refusedBy('UPDATE orders SET amount = $2 WHERE id = $1', [orderRowId, amount])).toBe(
        'orders_amount_positive',
      );
    }
  });
});
