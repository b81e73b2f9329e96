import { randomUUID } from 'node:crypto';
import type { Product } from '../src/orders/product.js';
import {
  askForOrder,
  bookableOrder,
  changeOrder,
  days,
  june,
  placesOf,
  readBookedOrder,
} from './support/bookings.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { BANK, newEventId, notify } from './support/notifying-provider.js';
import { cancelOrder, cancelPayment } from './support/payment-calls.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { refundPayment } from './support/staff-calls.js';
import { GOOD_CARD } from './support/ways-to-pay.js';
import { expectSettled, settled } from './support/settled.js';
import { expectErrors } from './support/unexpected-errors.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

const DETAILS = { transport: 'plane', flightNumber: 'AF 718', services: ['wash', 'charge'] };
const BY_BANK = { method: 'BANK', returnUrl: RETURN_URL };
const SECOND = 1_000;

const parking = (dailyCapacity = 5) => app.addProduct({ dailyCapacity, stock: null });

async function openBooking(product: Product, booking: object = days(1, 3), quantity = 1) {
  const order = await bookableOrder(app, product, { ...days(1), details: DETAILS, ...booking }, quantity);
  const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
  return { ...order, id: payment.id, clientSecret: payment.nextAction.clientSecret as string };
}

async function paidBooking(product: Product, booking: object = days(1, 3), quantity = 1) {
  const payment = await openBooking(product, booking, quantity);
  app.stripe.pay(payment.clientSecret, GOOD_CARD);
  await untilPaymentIs(payment.id, 'PAID');
  return payment;
}

const untilPaymentIs = (id: string, status: string) =>
  eventually(async () => {
    const rows = await app.dataSource.query('SELECT status FROM payment_intent WHERE reference = $1', [id]);
    expect(rows).toEqual([{ status }]);
  });

const auditOf = (id: string) =>
  app.dataSource.query(
    `SELECT action, after FROM audit_log WHERE subject = $1 AND action LIKE 'booking.%' ORDER BY position`,
    [id],
  );

describe('an order with a booking', () => {
  test('shows what is asked for, and what is made once it is paid', async () => {
    const product = await parking();
    const payment = await openBooking(product, { ...days(1, 3), details: DETAILS });
    const wanted = { ...days(1, 3), details: DETAILS };
    expect((await readBookedOrder(app, payment)).booking).toEqual({
      id: null,
      status: 'REQUESTED',
      ...wanted,
    });

    app.stripe.pay(payment.clientSecret, GOOD_CARD);
    await untilPaymentIs(payment.id, 'PAID');

    const order = await readBookedOrder(app, payment);
    expect(order).toMatchObject({ status: 'CONFIRMED', reservedUntil: null });
    expect(order.booking).toEqual({ id: expect.stringMatching(/^BKG-/), status: 'CONFIRMED', ...wanted });
    const times = { startsAt: days(1, 3).startsAt, endsAt: days(1, 3).endsAt };
    expect(await auditOf(payment.id)).toEqual([
      { action: 'booking.confirmed', after: { booking: order.booking.id, status: 'CONFIRMED', ...times } },
    ]);
  });

  test('needs no product with a capacity', async () => {
    const product = await app.addProduct();
    const payment = await paidBooking(product);
    expect((await readBookedOrder(app, payment)).booking.status).toBe('CONFIRMED');
    expect(await placesOf(app, product)).toEqual({});
  });

  test('has its booking from the very version of the order that is CONFIRMED', async () => {
    const product = await parking();
    const payment = await openBooking(product);
    await settled(app);
    const [before] = await app.dataSource.query('SELECT version FROM orders WHERE reference = $1', [
      payment.orderId,
    ]);
    app.stripe.pay(payment.clientSecret, GOOD_CARD);
    await untilPaymentIs(payment.id, 'PAID');
    // xmin names the transaction that wrote a row: order, booking and payment are of the same one.
    const rows = await app.dataSource.query(
      `SELECT o.version, o.xmin::text = b.xmin::text AND o.xmin::text = i.xmin::text AS "isOneTransaction"
       FROM orders o JOIN booking b ON b.order_id = o.id JOIN payment_intent i ON i.order_id = o.id
       WHERE o.reference = $1`,
      [payment.orderId],
    );
    expect(rows).toEqual([{ version: before.version + 1, isOneTransaction: true }]);
  });

  test('is in the timeline of its payment', async () => {
    const payment = await paidBooking(await parking());
    const query = 'query ($id: ID!) { paymentTimeline(id: $id) { summary } }';
    const { paymentTimeline } = dataOf(await app.graphql(query, { id: payment.id }, app.apiKey));
    expect(paymentTimeline.map(({ summary }: { summary: string }) => summary)).toContainEqual(
      expect.stringMatching(/^The booking BKG-\w+ was made, from \d{4}-06-01T08:00:00/),
    );
  });

  test('is one order when its request is made twice with one key; another time with that key is refused', async () => {
    const { sku } = await parking();
    const input = {
      lines: [{ sku, quantity: 1 }],
      booking: days(1),
      idempotencyKey: randomUUID(),
    };
    const [one, same] = [await askForOrder(app, input), await askForOrder(app, input)];
    expect(dataOf(same).createOrder.order).toEqual(dataOf(one).createOrder.order);
    expect(codeOf(await askForOrder(app, { ...input, booking: days(2) }))).toBe('IDEMPOTENCY_KEY_REUSED');
  });
});

describe('bad input names its field', () => {
  const at = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();
  const DAY = 86_400 * SECOND;

  test.each<[string, () => object]>([
    ['booking.startsAt', () => ({ startsAt: at(-600 * SECOND), endsAt: at(DAY) })],
    ['booking.startsAt', () => ({ startsAt: at(3_000 * DAY), endsAt: at(3_001 * DAY) })],
    ['booking.endsAt', () => ({ startsAt: at(DAY), endsAt: at(DAY - SECOND) })],
    ['booking.endsAt', () => ({ startsAt: at(DAY), endsAt: at(368 * DAY) })],
    ['booking.details', () => ({ ...days(1), details: { all: 'x'.repeat(9_000) } })],
  ])('%s', async (field, booking) => {
    const { sku } = await parking();
    const answer = await askForOrder(app, { lines: [{ sku, quantity: 1 }], booking: booking() });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(answer.errors?.[0]?.extensions.fields?.map(({ path }) => path)).toEqual([field]);
  });

  test('a booking that begins now is none of the past', async () => {
    const { sku } = await parking();
    const booking = { startsAt: at(-2 * SECOND), endsAt: at(DAY) };
    dataOf(await askForOrder(app, { lines: [{ sku, quantity: 1 }], booking }));
  });

  test('booking, where a product has only so many places on a day and none is given', async () => {
    const { sku } = await parking();
    const answer = await askForOrder(app, { lines: [{ sku, quantity: 1 }] });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(answer.errors?.[0]?.extensions.fields).toEqual([
      { path: 'booking', message: expect.stringContaining(sku) },
    ]);
  });

  test('orderId, where the time was over before anybody began to pay', async () => {
    const order = await bookableOrder(app, await parking(), days(1));
    await beOver(order.orderId);
    const answer = await app.graphql(CREATE_PAYMENT, { input: { orderId: order.orderId } }, order.token);
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(answer.errors?.[0]?.extensions.fields?.map(({ path }) => path)).toEqual(['orderId']);
  });
});

/** Its time passes. */
async function beOver(orderId: string): Promise<void> {
  await app.dataSource.query(
    `UPDATE orders SET booking_starts_at = now() - interval '2 hours', booking_ends_at = now() - interval '1 hour',
       version = version + 1 WHERE reference = $1`,
    [orderId],
  );
}

const ALL_HELD = {
  [june(1)]: 'held 1, booked 0',
  [june(2)]: 'held 1, booked 0',
  [june(3)]: 'held 1, booked 0',
};
const ALL_BOOKED = {
  [june(1)]: 'held 0, booked 1',
  [june(2)]: 'held 0, booked 1',
  [june(3)]: 'held 0, booked 1',
};

describe('places', () => {
  test('are held while the payer pays, on each day, and booked when they have paid', async () => {
    const product = await parking();
    const order = await bookableOrder(app, product, days(1, 3));
    expect(await placesOf(app, product)).toEqual({});
    const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
    expect(await placesOf(app, product)).toEqual(ALL_HELD);
    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await untilPaymentIs(payment.id, 'PAID');
    expect(await placesOf(app, product)).toEqual(ALL_BOOKED);
  });

  test('are as many as pieces, of all lines of the product together', async () => {
    const product = await parking(5);
    const lines = [2, 3].map((quantity) => ({ sku: product.sku, quantity }));
    const { order, orderToken } = dataOf(await askForOrder(app, { lines, booking: days(1) })).createOrder;
    await app.pay(order.id, orderToken);
    expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 5, booked 0' });
  });

  test('go with the stock of a product that has both', async () => {
    const product = await app.addProduct({ dailyCapacity: 5, stock: 5 });
    await paidBooking(product, days(1));
    expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 0, booked 1' });
    const [left] = await app.dataSource.query('SELECT stock, reserved FROM product WHERE id = $1', [
      product.id,
    ]);
    expect(left).toEqual({ stock: 4, reserved: 0 });
  });

  test.each<[string, (payment: { id: string; orderId: string; token: string }) => Promise<unknown>]>([
    ['the payment is cancelled', ({ id, token }) => cancelPayment(app, id, token)],
    ['the order is cancelled', ({ orderId, token }) => cancelOrder(app, orderId, token)],
    [
      'its time is up',
      ({ id }) =>
        app.dataSource.query('UPDATE payment_intent SET expires_at = now() WHERE reference = $1', [id]),
    ],
  ])('are free again when %s, and nothing is booked', async (_how, end) => {
    const product = await parking();
    const payment = await openBooking(product, days(1, 3));
    expect(await placesOf(app, product)).toEqual(ALL_HELD);
    await end(payment);
    await eventually(async () => expect(await placesOf(app, product)).toEqual({}));
    const { status, booking } = await readBookedOrder(app, payment);
    expect(booking).toMatchObject({ id: null, status: status === 'CANCELLED' ? 'CANCELLED' : 'REQUESTED' });
  });

  test('are free again when the bank declines, and held anew when the payer tries again', async () => {
    const product = await parking(1);
    const order = await bookableOrder(app, product, days(1, 3));
    const { id } = await app.pay(order.orderId, order.token, BY_BANK);
    app.bank.decline(`${id}-1`);
    await untilPaymentIs(id, 'FAILED');
    expect(await placesOf(app, product)).toEqual({});
    await app.pay(order.orderId, order.token, { method: 'CARD' });
    expect(await placesOf(app, product)).toEqual(ALL_HELD);
  });

  test('that are not there: FULLY_BOOKED names product and days, and nothing is held', async () => {
    const product = await parking(2);
    await paidBooking(product, days(2, 3), 2);
    const order = await bookableOrder(app, product, days(1, 4));
    const answer = await app.graphql(CREATE_PAYMENT, { input: { orderId: order.orderId } }, order.token);
    expect(codeOf(answer)).toBe('FULLY_BOOKED');
    expect(answer.errors?.[0]?.message).toContain(
      `${product.sku} on ${june(2)} (0 left), ${product.sku} on ${june(3)} (0 left)`,
    );
    expect(Object.keys(await placesOf(app, product))).toEqual([june(2), june(3)]);
    expect((await readBookedOrder(app, order)).reservedUntil).toBeNull();
  });
});

describe('a refund', () => {
  test('of everything cancels the booking and frees its days, whether or not the pieces go back', async () => {
    const product = await app.addProduct({ dailyCapacity: 5, stock: 5 });
    const payment = await paidBooking(product, days(1, 3));
    dataOf(await refundPayment(app, payment));
    await untilPaymentIs(payment.id, 'REFUNDED');
    const { status, refundedAt, booking } = await readBookedOrder(app, payment);
    expect({ status, refundedAt, booking: booking.status }).toEqual({
      status: 'CONFIRMED',
      refundedAt: expect.any(String),
      booking: 'CANCELLED',
    });
    expect(await placesOf(app, product)).toEqual({});
    expect(await auditOf(payment.id)).toMatchObject([
      { action: 'booking.confirmed' },
      { action: 'booking.cancelled', after: { booking: booking.id, status: 'CANCELLED' } },
    ]);
  });

  test('with restock gives both back, once', async () => {
    const product = await app.addProduct({ dailyCapacity: 5, stock: 5 });
    const payment = await paidBooking(product, days(1, 3));
    dataOf(await refundPayment(app, payment, { restock: true }));
    await untilPaymentIs(payment.id, 'REFUNDED');
    await settled(app);
    expect(await placesOf(app, product)).toEqual({});
    await expectInvariants(app.dataSource, [product]);
  });

  test('of a part leaves the booking as it is; the part that leaves nothing cancels it', async () => {
    const product = await parking();
    const payment = await paidBooking(product, days(1, 3));
    dataOf(await refundPayment(app, payment, { amount: 500 }));
    await untilPaymentIs(payment.id, 'PARTIALLY_REFUNDED');
    expect((await readBookedOrder(app, payment)).booking.status).toBe('CONFIRMED');
    expect(await placesOf(app, product)).toEqual(ALL_BOOKED);
    dataOf(await refundPayment(app, payment));
    await untilPaymentIs(payment.id, 'REFUNDED');
    expect((await readBookedOrder(app, payment)).booking.status).toBe('CANCELLED');
    expect(await placesOf(app, product)).toEqual({});
  });

  test('that failed after all does not bring the booking back: its places may be taken', async () => {
    const product = await parking(1);
    const payment = await paidBooking(product, days(1));
    dataOf(await refundPayment(app, payment));
    await untilPaymentIs(payment.id, 'REFUNDED');
    await settled(app);
    const other = await paidBooking(product, days(1));
    const [{ provider_reference: refund }] = await app.dataSource.query(
      `SELECT r.provider_reference FROM refund r JOIN payment_intent i ON i.id = r.intent_id WHERE i.reference = $1`,
      [payment.id],
    );
    app.stripe.failRefund(refund);
    await untilPaymentIs(payment.id, 'PAID');
    expect((await readBookedOrder(app, payment)).booking.status).toBe('CANCELLED');
    expect((await readBookedOrder(app, other)).booking.status).toBe('CONFIRMED');
    expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 0, booked 1' });
  });

  test('heard of together with the payment leaves a booking that is cancelled, and no places', async () => {
    const product = await parking();
    const payment = await openBooking(product, days(1));
    await settled(app);
    app.stripe.pauseWebhooks();
    try {
      const [reference] = payment.clientSecret.split('_secret_');
      app.stripe.pay(payment.clientSecret, GOOD_CARD);
      app.stripe.refundInDashboard(reference!);
      // Old enough to be asked about.
      const sql = `UPDATE payment_intent SET created_at = created_at - interval '1 minute' WHERE reference = $1`;
      await app.dataSource.query(sql, [payment.id]);
      const verify = 'mutation ($id: ID!) { verifyPaymentIntent(id: $id) { status } }';
      dataOf(await app.graphql(verify, { id: payment.id }, app.apiKey));
      await untilPaymentIs(payment.id, 'REFUNDED');
    } finally {
      app.stripe.resumeWebhooks();
    }
    expect((await readBookedOrder(app, payment)).booking).toMatchObject({
      id: expect.stringMatching(/^BKG-/),
      status: 'CANCELLED',
    });
    expect(await placesOf(app, product)).toEqual({});
  });
});

describe('money that comes after the places were given back', () => {
  async function cancelledAtBank(product: Product) {
    const order = await bookableOrder(app, product, days(1));
    const { id } = await app.pay(order.orderId, order.token, BY_BANK);
    dataOf(await cancelPayment(app, id, order.token));
    return { ...order, id };
  }

  test('takes them again where they are free', async () => {
    const product = await parking(1);
    const payment = await cancelledAtBank(product);
    app.bank.payLate(`${payment.id}-1`);
    await untilPaymentIs(payment.id, 'PAID');
    expect((await readBookedOrder(app, payment)).booking.status).toBe('CONFIRMED');
    expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 0, booked 1' });
  });

  test('is given back by itself where the day is full', async () => {
    const product = await parking(1);
    const payment = await cancelledAtBank(product);
    await openBooking(product, days(1));
    app.bank.payLate(`${payment.id}-1`);
    await untilPaymentIs(payment.id, 'REFUNDED');
    expect(await booksOf(payment.id)).toEqual({ failureCode: 'PAID_WITHOUT_BOOKING', refunded: 1_500 });
    expect((await readBookedOrder(app, payment)).booking).toMatchObject({ id: null, status: 'REQUESTED' });
    expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 1, booked 0' });
  });

  test('is given back by itself where the time is over', async () => {
    const product = await parking(1);
    const payment = await cancelledAtBank(product);
    await beOver(payment.orderId);
    app.bank.payLate(`${payment.id}-1`);
    await untilPaymentIs(payment.id, 'REFUNDED');
    expect(await booksOf(payment.id)).toEqual({ failureCode: 'PAID_WITHOUT_BOOKING', refunded: 1_500 });
    expect(await placesOf(app, product)).toEqual({});
  });
});

test('a replay that is foreseen says what becomes of the booking, and that its day is full', async () => {
  const product = await parking(1);
  const order = await bookableOrder(app, product, days(1));
  const { id } = await app.pay(order.orderId, order.token, BY_BANK);
  const { id: providerReference } = app.bank.payment(`${id}-1`) as { id: string };
  const { sku, unitAmount: amount, currency } = product;
  const payment = { ...order, id, attemptReference: `${id}-1`, providerReference, sku, amount, currency };
  const eventId = newEventId();
  expectErrors(/a fault of ours/);
  await app.dataSource.query(`
    CREATE FUNCTION refuse_money() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN RAISE EXCEPTION 'a fault of ours'; END $$;
    CREATE TRIGGER refuse_money BEFORE INSERT ON movement FOR EACH ROW EXECUTE FUNCTION refuse_money()`);
  await notify(app, BANK, BANK.paid(payment, { eventId }));
  const park = `UPDATE webhook_event SET status = 'PARKED', next_try_at = NULL WHERE event_id = $1 RETURNING id`;
  const [[event]] = await app.dataSource.query(park, [eventId]);
  await app.dataSource.query('DROP TRIGGER refuse_money ON movement; DROP FUNCTION refuse_money()');
  const foresee = async () => {
    const mutation = `mutation ($id: ID!) {
      replayWebhookEvent(id: $id, dryRun: true) { outcome changes { what before after } }
    }`;
    return dataOf(await app.graphql(mutation, { id: event.id }, app.operatorToken)).replayWebhookEvent;
  };

  const booked = { what: 'booking status', before: null, after: 'CONFIRMED' };
  expect((await foresee()).changes).toContainEqual(booked);

  dataOf(await cancelPayment(app, id, order.token));
  await openBooking(product, days(1));
  expect((await foresee()).outcome).toContain('PAID_WITHOUT_BOOKING');
  expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 1, booked 0' });
});

async function booksOf(id: string) {
  const [books] = await app.dataSource.query(
    `SELECT failure_code AS "failureCode", refunded_amount AS refunded FROM payment_intent WHERE reference = $1`,
    [id],
  );
  return books;
}

describe('an order that is changed', () => {
  test('before anybody pays has another time, or none where no product needs one', async () => {
    const product = await app.addProduct();
    const order = await bookableOrder(app, product, days(1));
    const other = { ...days(4), details: { transport: 'train' } };
    expect(dataOf(await changeOrder(app, order, { booking: other })).updateOrder).toMatchObject({
      amount: 1_500,
      booking: { status: 'REQUESTED', ...other },
    });
    expect(dataOf(await changeOrder(app, order, { booking: null })).updateOrder.booking).toBeNull();
  });

  test('keeps its booking when only its lines change', async () => {
    const product = await parking();
    const order = await bookableOrder(app, product, days(1));
    const lines = [{ sku: product.sku, quantity: 2 }];
    const { amount, booking } = dataOf(await changeOrder(app, order, { lines })).updateOrder;
    expect({ amount, booking }).toMatchObject({ amount: 3_000, booking: days(1) });
  });

  test('can’t be left without the booking that its product needs', async () => {
    const product = await parking();
    const order = await bookableOrder(app, product, days(1));
    for (const changes of [
      { booking: null },
      { booking: null, lines: [{ sku: product.sku, quantity: 1 }] },
    ]) {
      const answer = await changeOrder(app, order, changes);
      expect(codeOf(answer)).toBe('BAD_USER_INPUT');
      expect(answer.errors?.[0]?.extensions.fields?.map(({ path }) => path)).toEqual(['booking']);
    }
  });

  test('while its payer pays takes its places to the other days', async () => {
    const product = await parking(1);
    const payment = await openBooking(product, days(1, 2));
    dataOf(await changeOrder(app, payment, { booking: days(2, 3) }));
    expect(await placesOf(app, product)).toEqual({
      [june(2)]: 'held 1, booked 0',
      [june(3)]: 'held 1, booked 0',
    });
    app.stripe.pay(payment.clientSecret, GOOD_CARD);
    await untilPaymentIs(payment.id, 'PAID');
    expect((await readBookedOrder(app, payment)).booking).toMatchObject({
      status: 'CONFIRMED',
      ...days(2, 3),
    });
  });

  test('while its payer pays takes its places to another product, and more of them', async () => {
    const [one, other] = [await parking(1), await parking(3)];
    const payment = await openBooking(one, days(1));
    dataOf(await changeOrder(app, payment, { lines: [{ sku: other.sku, quantity: 3 }] }));
    expect(await placesOf(app, one)).toEqual({});
    expect(await placesOf(app, other)).toEqual({ [june(1)]: 'held 3, booked 0' });
  });

  test('to days that are full is refused, and nothing changes', async () => {
    const product = await parking(1);
    await paidBooking(product, days(3));
    const payment = await openBooking(product, days(1));
    const before = await readBookedOrder(app, payment);
    const answer = await changeOrder(app, payment, { booking: days(2, 3) });
    expect(codeOf(answer)).toBe('FULLY_BOOKED');
    expect(answer.errors?.[0]?.message).toContain(`${product.sku} on ${june(3)} (0 left)`);
    expect(answer.errors?.[0]?.extensions.fields?.map(({ path }) => path)).toEqual(['booking']);
    expect(await readBookedOrder(app, payment)).toEqual(before);
    expect(await placesOf(app, product)).toEqual({
      [june(1)]: 'held 1, booked 0',
      [june(3)]: 'held 0, booked 1',
    });
  });

  test('in its details alone keeps its places, also where there are fewer now than are taken', async () => {
    const product = await parking(2);
    const payment = await openBooking(product, days(1));
    await openBooking(product, days(1));
    await app.dataSource.query('UPDATE product SET daily_capacity = 1 WHERE id = $1', [product.id]);
    const details = { flightNumber: 'AF 719' };
    dataOf(await changeOrder(app, payment, { booking: { ...days(1), details } }));
    expect((await readBookedOrder(app, payment)).booking.details).toEqual(details);
    expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 2, booked 0' });
  });
});
