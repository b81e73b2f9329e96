import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { pino } from 'pino';
import { booksOf, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { AMOUNT, BY_PHONE, ON_PAGE_OF_PAYDUNYA, orderInFrancs } from './support/mobile-money.js';
import { BANK, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { PAYDUNYA_KEYS, startTestApp, type RunningApp } from './support/running-app.js';
import { STRIPE_FIXTURES, stripeFixture } from './support/stripe-fixtures.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

/** Printed by fast-check with the counterexample; here so that a failure comes again. */
const RUNS = { seed: 20_261_130, endOnFailure: true };

/** In place of a value that no JavaScript object can hold, or none of which JSON is made. */
const RAW: Readonly<Record<string, string>> = {
  '@deep': `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  '@huge': '1e999',
  '@long': `${'9'.repeat(400)}`,
};

const ODD_VALUES = [
  ...[null, true, false, 0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER + 1],
  ...[
    '',
    ' ',
    'null',
    '\u0000',
    'a\u0000b',
    '\ud800',
    'a\udfffb',
    '__proto__',
    'constructor',
    '{',
    '2026-13-45',
  ],
  ...['x'.repeat(300), 'x'.repeat(300_000), '😀'.repeat(200)],
  ...[[], {}, [null], [[]], { id: null }, { id: 'x' }, { data: null }, { data: [null] }, ['x', { id: 1 }]],
  ...Object.keys(RAW),
] as const;

let app: RunningApp;
const faults: string[] = [];
beforeEach(() => faults.splice(0));
beforeAll(async () => {
  const log = pino({ level: 'error' }, { write: noteFault });
  app = await startTestApp({ log, signPawaPayCallbacks: false });
});
afterEach(async () => {
  await eventually(waitingNow, (count) => count === 0);
  expect(faults).toEqual([]);
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

function noteFault(line: string): void {
  const { msg, err } = JSON.parse(line) as { msg: string; err?: { type: string; message: string } };
  // A refund that is told before its payment waits for it, and an alert is for the operators: no faults.
  if (err && err.type !== 'MoneyNotKnownYet') faults.push(`${msg}: ${err.type} ${err.message}`);
}

/** Those that wait for their first try: a fault of ours would show in it. */
async function waitingNow(): Promise<number> {
  const [row] = await app.dataSource.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM webhook_event WHERE status = 'WAITING' AND tries = 0`,
  );
  return row!.count;
}

/** Headers as they are, odd ones too. */
async function post(provider: string, body: string | Buffer, headers: OutgoingHttpHeaders): Promise<number> {
  const outgoing = request(`${app.url}/webhooks/${provider}`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
  });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  await text(answer);
  outgoing.destroy();
  return answer.statusCode!;
}

interface Sender {
  readonly name: string;
  readonly provider: string;
  readonly bodies: readonly string[];
  sign(body: string): Record<string, string>;
}

type Change = readonly [where: number, what: 'replace' | 'remove' | 'rename', value: unknown];

const changes = fc.array(
  fc.tuple(
    fc.nat(200),
    fc.constantFrom('replace', 'replace', 'replace', 'remove', 'rename'),
    fc.constantFrom<unknown>(...ODD_VALUES),
  ),
  { minLength: 1, maxLength: 3 },
);

function changed(body: string, all: readonly Change[]): string {
  const document: object = JSON.parse(body);
  for (const [where, what, value] of all) change(document, where, what, value);
  return JSON.stringify(document).replace(/"(@\w+)"/g, (whole, name: string) => RAW[name] ?? whole);
}

function change(document: object, where: number, what: Change[1], value: unknown): void {
  const places = placesIn(document);
  const [holder, name] = places[where % places.length] ?? [];
  if (!holder || name === undefined) return;
  if (what === 'replace') holder[name] = value;
  else {
    if (what === 'rename' && !Array.isArray(holder)) holder[String(value)] = holder[name];
    delete holder[name];
  }
}

function placesIn(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((name) => [[holder, name], ...placesIn(holder[name])]);
}

async function neverFails(sender: Sender, numRuns: number): Promise<void> {
  const { provider, bodies, sign } = sender;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...bodies), changes, async (body, all) => {
      const odd = changed(body, all);
      expect([200, 400]).toContain(await post(provider, odd, sign(odd)));
      expect(faults).toEqual([]);
    }),
    { ...RUNS, numRuns },
  );
}

const valuesOf = ({ providerReference, attemptReference }: OpenPayment) => ({
  paymentIntent: providerReference,
  attempt: attemptReference,
});

describe('a signed body of Stripe with anything odd in it is answered 200 or 400, and is no fault of ours:', () => {
  test('of a payment that is open', async () => {
    const payment = await STRIPE.open(app);
    const bodies = STRIPE_FIXTURES.map((name) => stripeFixture(name, valuesOf(payment)));
    await neverFails({ name: 'Stripe', provider: 'stripe', bodies, sign: STRIPE.sign }, 150);
  });

  test('of a payment that is paid', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    const bodies = STRIPE_FIXTURES.map((name) => stripeFixture(name, valuesOf(payment)));
    await neverFails({ name: 'Stripe', provider: 'stripe', bodies, sign: STRIPE.sign }, 150);
  });

  test.each(STRIPE_FIXTURES)('each field of %s in turn', async (name) => {
    const payment = await STRIPE.open(app);
    const body = stripeFixture(name, valuesOf(payment));
    const readers = placesIn(JSON.parse(body)).length;
    for (let where = 0; where < readers; where += 1) {
      const value = ODD_VALUES[where % ODD_VALUES.length];
      const odd = changed(body, [[where, 'replace', value]]);
      const status = await post('stripe', odd, STRIPE.sign(odd));
      expect({ where, status: status === 200 || status === 400 ? 'understood' : status }).toEqual({
        where,
        status: 'understood',
      });
    }
  });
});

test('a signed body of a bank with anything odd in it is answered 200 or 400', async () => {
  const payment = await BANK.open(app);
  const refund = {
    ...{ id: 'bevt_refund', type: 'refund.completed' },
    data: {
      ...{ refund_id: 'rf_1', reference: payment.attemptReference, refund_reference: 'RFD-1' },
      ...{ amount: '10.00', currency: 'EUR', status: 'COMPLETED' },
    },
  };
  const bodies = [BANK.paid(payment), JSON.stringify(refund)];
  await neverFails({ name: 'Bank X', provider: 'bank-x', bodies, sign: BANK.sign }, 150);
});

test('a callback of PawaPay with anything odd in it is answered 200 or 400', async () => {
  const { orderId, token } = await orderInFrancs(app);
  const { id } = await app.pay(orderId, token, BY_PHONE);
  const [attempt] = await app.dataSource.query<{ reference: string }[]>(
    'SELECT a.provider_reference AS reference FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id WHERE i.reference = $1',
    [id],
  );
  const depositId = attempt!.reference;
  const deposit = {
    ...{ depositId, status: 'COMPLETED', amount: `${AMOUNT}.00`, currency: 'XOF', country: 'BEN' },
    payer: { type: 'MMO', accountDetails: { phoneNumber: '2290151345755', provider: 'MTN_MOMO_BEN' } },
    customerMessage: 'Something',
    ...{
      created: '2026-11-30T20:00:00Z',
      providerTransactionId: '12356789',
      metadata: { attempt: `${id}-1` },
    },
    failureReason: { failureCode: 'PAYMENT_NOT_APPROVED', failureMessage: 'no' },
  };
  const refund = { ...deposit, refundId: depositId, metadata: { attempt: `${id}-1`, refund: 'RFD-1' } };
  const bodies = [JSON.stringify(deposit), JSON.stringify(refund)];
  await neverFails({ name: 'PawaPay', provider: 'pawapay', bodies, sign: () => ({}) }, 150);
});

describe('a notification of PayDunya with anything odd in it is answered 200, 400 or 401', () => {
  const hash = createHash('sha512').update(PAYDUNYA_KEYS.masterKey).digest('hex');
  const open = async () => {
    const { orderId, token } = await orderInFrancs(app);
    const { id, nextAction } = await app.pay(orderId, token, ON_PAGE_OF_PAYDUNYA);
    return { id, token: String(nextAction.url).split('/').at(-1)! };
  };
  const dataFor = ({ id, token }: { id: string; token: string }) => ({
    ...{ hash, response_code: '00', response_text: 'Transaction Found', mode: 'test', status: 'completed' },
    invoice: {
      token,
      total_amount: String(AMOUNT),
      description: 'Something',
      items: { item_0: { name: 'A' } },
    },
    custom_data: { attempt: `${id}-1` },
    customer: { name: 'Awa', phone: '771234567', email: 'awa@example.com' },
  });

  test('as JSON', async () => {
    const bodies = [JSON.stringify({ data: dataFor(await open()) })];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bodies), changes, async (body, all) => {
        expect([200, 400, 401]).toContain(await post('paydunya', changed(body, all), {}));
        expect(faults).toEqual([]);
      }),
      { ...RUNS, numRuns: 100 },
    );
  });

  test('as a form, with a NUL as it is, and with one that is escaped', async () => {
    const { invoice, ...data } = dataFor(await open());
    const form = new URLSearchParams({
      ...Object.fromEntries(
        ['hash', 'mode', 'status'].map((name) => [`data[${name}]`, String(data[name as 'hash'])]),
      ),
      'data[invoice][token]': invoice.token,
      'data[invoice][total_amount]': invoice.total_amount,
      'data[custom_data][attempt]': data.custom_data.attempt,
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const odd of ['\u0000', '%00', '%ED%A0%80', '%', '&=&', '[', `&x=${'y'.repeat(300_000)}`]) {
      const bodies = [
        `${form}&other=${odd}`,
        `${form}${odd}`,
        form.replace('completed', `comp${odd}`),
        odd + form,
      ];
      for (const body of bodies) {
        expect([200, 400, 401]).toContain(await post('paydunya', body, headers));
      }
    }
  });
});

describe('odd headers', () => {
  const header = fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      ',',
      '=',
      't=',
      't=1',
      'v1=',
      't=,v1=',
      't=1,t=2,v1=00',
      'sig-pp=:AA==:',
      'sig-pp=("@method"',
    ),
    fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
      maxLength: 200,
    }),
    fc.constant('x'.repeat(8_000)),
  );
  const NAMES = [
    ...[
      'stripe-signature',
      'x-signature',
      'signature',
      'signature-input',
      'signature-date',
      'content-digest',
    ],
    ...['webhook-id', 'webhook-signature', 'webhook-timestamp'],
  ];

  test.each(['stripe', 'bank-x', 'pawapay', 'paydunya'])(
    'of a notification of %s are never a fault',
    async (name) => {
      const payment = await BANK.open(app);
      const before = await booksOf(app, payment.id);
      const body = BANK.paid(payment);
      const headers = fc.dictionary(
        fc.constantFrom(...NAMES),
        fc.array(header, { minLength: 1, maxLength: 2 }),
        {
          maxKeys: 4,
        },
      );
      await fc.assert(
        fc.asyncProperty(headers, async (odd) => {
          const printable = Object.fromEntries(
            Object.entries(odd).map(([key, values]) => [
              key,
              values.map((value) => value.replace(/\x7f/g, ' ')),
            ]),
          );
          // 431: what is longer than any header of a provider's.
          expect([200, 400, 401, 431]).toContain(await post(name, body, printable));
          expect(faults).toEqual([]);
        }),
        { ...RUNS, numRuns: 60 },
      );
      expect(await booksOf(app, payment.id)).toEqual(before);
    },
  );
});
