import { storedEvents, booksOf, untilEvent, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import {
  BANK,
  newEventId,
  notify,
  STRIPE,
  stripeEvent,
  stripePaymentIntent,
  type OpenPayment,
} from './support/notifying-provider.js';
import { PAYDUNYA_KEYS, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { expectSettled } from './support/settled.js';
import { expectErrors } from './support/unexpected-errors.js';
import { GOOD_CARD } from './support/ways-to-pay.js';
import { createHash } from 'node:crypto';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => {
  app.bank.write({});
  return expectSettled(app);
});
afterAll(() => app.stop());

function rejected({ attemptReference, providerReference }: OpenPayment, id: string): string {
  const data = { payment_id: providerReference, transfer_id: null, reference: attemptReference };
  return JSON.stringify({ id, type: 'payment.rejected', data: { ...data, status: 'REJECTED' } });
}

test('a bank that tells all news of a payment under one id is heard: rejected, and then credited', async () => {
  const payment = await BANK.open(app);
  const eventId = newEventId();
  expect(await notify(app, BANK, rejected(payment, eventId))).toBe(200);
  expect(await booksOf(app, payment.id)).toMatchObject({ status: 'FAILED' });
  expect(await notify(app, BANK, BANK.paid(payment, { eventId }))).toBe(200);
  expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 1_500 });
  expect(await storedEvents(app, eventId)).toHaveLength(2);
});

test('the bank’s double can be such a bank', async () => {
  const payment = await BANK.open(app);
  app.bank.write({ eventIdOfPayment: true });
  app.bank.decline(payment.attemptReference);
  await untilStatus(app, payment.id, 'FAILED');
  app.bank.payLate(payment.attemptReference);
  await untilStatus(app, payment.id, 'PAID');
});

test('a repeated notification is one, though its bytes and its signature are others', async () => {
  const payment = await BANK.open(app);
  const eventId = newEventId();
  const body = BANK.paid(payment, { eventId });
  expect(await notify(app, BANK, body)).toBe(200);
  const { data, ...event } = JSON.parse(body) as { data: object };
  const again = JSON.stringify({ delivery: 2, sent_at: new Date(), data, ...event }, null, 2);
  const later = new Date(Date.now() + 60_000);
  expect(await notify(app, BANK, again, BANK.sign(again, later))).toBe(200);
  expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED', payload: body, tries: 1 }]);
});

describe.each([STRIPE, BANK])('of $name', (provider) => {
  test('the same id and content many times at once is applied once', async () => {
    const payment = await provider.open(app);
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });
    const answers = await Promise.all(Array.from({ length: 8 }, () => notify(app, provider, body)));
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED', tries: 1 }]);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 1_500 });
  });

  test('the same id with the news of another payment is not lost', async () => {
    const [one, other] = [await provider.open(app), await provider.open(app)];
    const eventId = newEventId();
    await notify(app, provider, provider.paid(one, { eventId }));
    expect(await notify(app, provider, provider.paid(other, { eventId }))).toBe(200);
    expect(await booksOf(app, other.id)).toMatchObject({ status: 'PAID', captured: 1_500 });
    expect(await storedEvents(app, eventId)).toHaveLength(2);
  });

  test('one that was ignored under this id does not stand in its way', async () => {
    const payment = await provider.open(app);
    const eventId = newEventId();
    await notify(app, provider, provider.ofAnotherType(eventId));
    expect(await notify(app, provider, provider.paid(payment, { eventId }))).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID' });
  });

  test('what was parked is applied when the provider sends it again', async () => {
    expectErrors(/a fault of ours/);
    const payment = await provider.open(app);
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });
    await app.dataSource.query(`
      CREATE FUNCTION refuse_money() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'a fault of ours'; END $$;
      CREATE TRIGGER refuse_money BEFORE INSERT ON movement FOR EACH ROW EXECUTE FUNCTION refuse_money()`);
    await notify(app, provider, body);
    await app.dataSource.query(
      `UPDATE webhook_event SET status = 'PARKED', tries = 34, next_try_at = NULL WHERE event_id = $1`,
      [eventId],
    );
    await app.dataSource.query('DROP TRIGGER refuse_money ON movement; DROP FUNCTION refuse_money()');
    expect(await notify(app, provider, body)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 1_500 });
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED' }]);
  });
});

test('an event of Stripe that comes by webhook and stands in its list is one', async () => {
  const other = await startTestApp({ notificationListPauseMilliseconds: 50 });
  try {
    const payment = await STRIPE.open(other);
    other.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(other, payment.id, 'PAID');
    await other.stripe.settled();
    const before = await storedEvents(other);
    await other.dataSource.query(`UPDATE provider_cursor SET read_until_at = now() - interval '1 hour'`);
    await eventually(
      () =>
        other.dataSource.query(
          `SELECT 1 FROM provider_cursor WHERE read_until_at > now() - interval '1 minute'`,
        ),
      (rows: unknown[]) => rows.length > 0,
    );
    const idsOf = (events: typeof before) => events.map(({ id }) => id).sort();
    expect(idsOf(await storedEvents(other))).toEqual(idsOf(before));
    await expectSettled(other);
  } finally {
    await other.stop();
  }
});

test('an event of Stripe under a known id with another amount is applied, and stands beside the first', async () => {
  const payment = await STRIPE.open(app);
  const eventId = newEventId();
  const failed = stripePaymentIntent(payment, { status: 'canceled', cancellation_reason: 'abandoned' });
  await notify(app, STRIPE, stripeEvent('payment_intent.canceled', failed, eventId));
  expect(await booksOf(app, payment.id)).toMatchObject({ status: 'CANCELLED' });
  expect(await notify(app, STRIPE, STRIPE.paid(payment, { eventId }))).toBe(200);
  expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID' });
  expect(await storedEvents(app, eventId)).toHaveLength(2);
});

describe('a hint of PayDunya', () => {
  const hash = createHash('sha512').update(PAYDUNYA_KEYS.masterKey).digest('hex');

  async function open() {
    const { sku } = await app.addProduct({ unitAmount: 15_000, currency: 'XOF' });
    const { orderId, token } = await app.order(sku);
    const input = { method: 'WALLET', country: 'SN', returnUrl: RETURN_URL, provider: 'paydunya' };
    const { id } = await app.pay(orderId, token, input);
    const [attempt] = await app.dataSource.query(
      `SELECT provider_reference AS token FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id
       WHERE i.reference = $1`,
      [id],
    );
    return { id, invoice: attempt.token as string };
  }

  async function hint(fields: Record<string, string>): Promise<number> {
    const response = await fetch(`${app.url}/webhooks/paydunya`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ 'data[hash]': hash, ...fields }),
    });
    return response.status;
  }

  test.each([
    ['of an attempt that is not there', { 'data[custom_data][attempt]': `TXN-${'0'.repeat(26)}-1` }],
    ['of the other mode', { 'data[mode]': 'live' }],
  ])('%s does not stand in the way of the true one with the same token and status', async (_what, other) => {
    const { id, invoice } = await open();
    app.paydunya.pauseWebhooks();
    const fields = { 'data[invoice][token]': invoice, 'data[status]': 'completed' };
    expect(await hint({ ...fields, ...other })).toBe(200);
    app.paydunya.pay(`${id}-1`);
    expect(await hint({ ...fields, 'data[custom_data][attempt]': `${id}-1`, 'data[mode]': 'test' })).toBe(
      200,
    );
    expect(await untilStatus(app, id, 'PAID')).toMatchObject({ captured: 15_000 });
    app.paydunya.resumeWebhooks();
    await app.paydunya.settled();
  });
});

describe('a bank account that others pay into too', () => {
  const credit = (reference: unknown, id: string, more: object = {}) =>
    JSON.stringify({
      id,
      type: 'transfer.credited',
      data: { reference, transfer_id: `tr_${id}`, amount: '900', currency: 'XOF', status: 'BOOKED', ...more },
    });

  test.each([
    ['an invoice of somebody else’s', 'INV-2026-0017'],
    ['words', 'loyer novembre'],
    ['nothing', null],
    ['an empty text', ''],
    ['a number', 20261130],
    ['another system’s', 'TXN-1042-1'],
  ])('makes no alarm: %s is kept as foreign at once', async (_what, reference) => {
    const eventId = newEventId();
    for (const _ of [1, 2]) expect(await notify(app, BANK, credit(reference, eventId))).toBe(200);
    expect(await storedEvents(app, eventId)).toMatchObject([
      {
        status: 'IGNORED',
        outcome: expect.stringMatching(/^not a payment of ours/),
        nextTryAt: null,
        tries: 1,
      },
    ]);
  });

  test('nor what can’t be read of somebody else’s payment', async () => {
    const eventId = newEventId();
    expect(await notify(app, BANK, credit('INV-2026-0018', eventId, { amount: 'neuf cents' }))).toBe(200);
    expect(await storedEvents(app, eventId)).toMatchObject([
      { status: 'IGNORED', outcome: 'not a payment of ours' },
    ]);
  });

  test('one that could be ours in a moment waits, and is foreign when no such attempt has come in an hour', async () => {
    const eventId = newEventId();
    expect(await notify(app, BANK, credit(`TXN-${'0'.repeat(26)}-1`, eventId))).toBe(200);
    expect(await storedEvents(app, eventId)).toMatchObject([
      { status: 'WAITING', outcome: 'no such attempt yet' },
    ]);
    await app.dataSource.query(
      'UPDATE webhook_event SET tries = 12, next_try_at = now() WHERE event_id = $1',
      [eventId],
    );
    expect(await untilEvent(app, eventId, 'IGNORED')).toMatchObject({ outcome: 'not a payment of ours' });
  });

  test('one that was foreign is applied when its payment is there after all, and the bank sends it again', async () => {
    const payment = await BANK.open(app);
    const eventId = newEventId();
    const body = BANK.paid(payment, { eventId });
    await notify(app, BANK, body.replace(payment.attemptReference, 'INV-2026-0019'));
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'IGNORED' }]);
    expect(await notify(app, BANK, body)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID' });
  });
});
