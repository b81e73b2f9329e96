import { startTestApp, type RunningApp } from './support/running-app.js';
import { booksOf, storedEvents, untilStatus } from './support/books.js';
import {
  BANK,
  newEventId,
  notify,
  secondsFromNow,
  STRIPE,
  stripeEvent,
  stripePaymentIntent,
} from './support/notifying-provider.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const MEBIBYTE = 1_024 * 1_024;

describe.each([STRIPE, BANK])('a notification of $name', (provider) => {
  test('that is good is answered 200, kept, and applied', async () => {
    const payment = await provider.open(app);
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });

    expect(await notify(app, provider, body)).toBe(200);

    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      version: 2,
      orderStatus: 'CONFIRMED',
      movements: [{ kind: 'CAPTURE', amount: 1_500 }],
    });
    const stored = await storedEvents(app, eventId);
    expect(stored).toMatchObject([{ provider: provider.name, payload: body, status: 'APPLIED', tries: 1 }]);
    expect(stored[0]?.outcome).toContain('PENDING → PAID');
  });

  test('that comes again is answered 200 and changes nothing', async () => {
    const payment = await provider.open(app);
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });
    await notify(app, provider, body);
    const [books, stored] = [await booksOf(app, payment.id), await storedEvents(app, eventId)];

    expect(await notify(app, provider, body, provider.sign(body, secondsFromNow(60)))).toBe(200);

    expect(await booksOf(app, payment.id)).toEqual(books);
    expect(await storedEvents(app, eventId)).toEqual(stored);
  });

  test('that says the same under another id is kept, and no money is counted twice', async () => {
    const payment = await provider.open(app);
    await notify(app, provider, provider.paid(payment));
    const books = await booksOf(app, payment.id);
    const eventId = newEventId();

    expect(await notify(app, provider, provider.paid(payment, { eventId }))).toBe(200);

    expect(await booksOf(app, payment.id)).toEqual(books);
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED', outcome: 'nothing new' }]);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'text',
    'nonsense;;=',
    'application/json, application/json',
    '',
  ])('with the content type %j is taken all the same', async (contentType) => {
    const payment = await provider.open(app);
    const body = provider.paid(payment);
    const headers = { ...provider.sign(body), 'content-type': contentType };
    expect(await notify(app, provider, body, headers)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID' });
  });

  test('whose signed body is empty is answered 400, and nothing is stored', async () => {
    const before = await storedEvents(app);
    expect(await notify(app, provider, '')).toBe(400);
    expect(await storedEvents(app)).toEqual(before);
  });

  test('of more than 1 MiB is answered 413, and one of exactly that is read', async () => {
    const small = provider.ofAnotherType(newEventId());
    const exact = `${small}${' '.repeat(MEBIBYTE - Buffer.byteLength(small))}`;
    expect(await notify(app, provider, exact)).toBe(200);
    const before = await storedEvents(app);
    expect(await notify(app, provider, `${exact} `)).toBe(413);
    expect(await storedEvents(app)).toEqual(before);
  });

  test('of a type that has nothing for us is answered 200 and kept as ignored', async () => {
    const eventId = newEventId();
    const body = provider.ofAnotherType(eventId);
    expect(await notify(app, provider, body)).toBe(200);
    expect(await notify(app, provider, body)).toBe(200);
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'IGNORED', payload: body, tries: 1 }]);
  });
});

test('a notification of Stripe’s is taken as it is signed: behind a byte order mark, in capitals, with spaces', async () => {
  const payment = await STRIPE.open(app);
  const body = `\ufeff${STRIPE.paid(payment)}`;
  const signature = STRIPE.sign(body)['stripe-signature']!;
  const [time = '', digits = ''] = signature.split(',v1=');
  const headers = { 'stripe-signature': `${time}, v1=${digits.toUpperCase()}` };
  expect(await notify(app, STRIPE, body, headers)).toBe(200);
  await untilStatus(app, payment.id, 'PAID');
});

const NO_EVENTS: [string, string][] = [
  ['is not JSON', 'reference=TXN-1&status=BOOKED'],
  ['is JSON, and not an event', '[1, 2, 3]'],
  ['is JSON, and null', 'null'],
];

test.each([
  ...NO_EVENTS,
  ['has no id', '{"object":"event","type":"transfer.credited","data":{"object":{"id":"x"}}}'],
])(
  'a notification of stripe whose signed body %s is answered 400, and nothing is stored',
  async (_what, body) => {
    const before = await storedEvents(app);
    expect(await notify(app, STRIPE, body)).toBe(400);
    expect(await storedEvents(app)).toEqual(before);
  },
);

test.each(NO_EVENTS)(
  'a notification of a bank whose signed body %s is answered 200, and kept as unreadable',
  async (_what, body) => {
    const before = await storedEvents(app);
    expect(await notify(app, BANK, body)).toBe(200);
    const added = (await storedEvents(app)).filter(({ id }) => !before.some((event) => event.id === id));
    expect(added).toMatchObject([{ status: 'UNREADABLE', payload: body }]);
  },
);

test('a notification without any content type is taken', async () => {
  const payment = await BANK.open(app);
  const body = BANK.paid(payment);
  const bytes = new Blob([body]);
  const response = await fetch(`${app.url}/webhooks/bank-x`, {
    method: 'POST',
    headers: BANK.sign(body),
    body: bytes,
  });
  expect(response.status).toBe(200);
  expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID' });
});

test.each(['paypal', 'bank-y', 'constructor', 'Stripe', 'stripe%00'])(
  'a notification for the provider %s, which is not here, is answered 404',
  async (name) => {
    const body = STRIPE.ofAnotherType(newEventId());
    const before = await storedEvents(app);
    expect(await notify(app, { ...STRIPE, name }, body)).toBe(404);
    expect(await storedEvents(app)).toEqual(before);
  },
);

test('a PaymentIntent of somebody else who uses the same Stripe account is kept as ignored', async () => {
  const eventId = newEventId();
  const theirs = { id: 'pi_theirs', object: 'payment_intent', status: 'succeeded', amount_received: 900 };
  const body = stripeEvent('payment_intent.succeeded', { ...theirs, currency: 'eur', metadata: {} }, eventId);
  expect(await notify(app, STRIPE, body)).toBe(200);
  expect(await storedEvents(app, eventId)).toMatchObject([
    { status: 'IGNORED', outcome: 'not a payment of ours' },
  ]);
});

test('a PaymentIntent that lost its mark is still found by its own id', async () => {
  const payment = await STRIPE.open(app);
  const paid = { status: 'succeeded', amount_received: payment.amount, metadata: {} };
  const body = stripeEvent('payment_intent.succeeded', stripePaymentIntent(payment, paid));
  expect(await notify(app, STRIPE, body)).toBe(200);
  await untilStatus(app, payment.id, 'PAID');
});
