import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Product } from '../src/orders/product.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { cancelPayment, readPayment } from './support/payment-calls.js';
import { dataOf, PAYDUNYA_KEYS, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';

/** Printed by fast-check with the counterexample; here so that a failure comes again. */
const RUNS = { seed: 20_261_122, numRuns: 5, endOnFailure: true };

const PRICE = 100;

let app: RunningApp;
let product: Product;
beforeAll(async () => {
  app = await startTestApp({ signPawaPayCallbacks: false });
  product = await app.addProduct({ unitAmount: PRICE, currency: 'XOF', stock: 10_000 });
  // Every hint is the tests' own.
  for (const double of [app.pawapay, app.paydunya]) double.pauseWebhooks();
});
afterAll(() => app.stop());

interface PlacedOrder {
  readonly orderId: string;
  readonly token: string;
}

interface Payment extends PlacedOrder {
  readonly id: string;
  readonly attemptReference: string;
  /** The id of the deposit, or the token of the invoice. */
  readonly providerReference: string;
}

/** A way to pay whose notifications prove nothing, and what its payer may do. */
interface HintedWay {
  readonly name: string;
  readonly input: object;
  pay(payment: Payment): void;
  decline(payment: Payment): void;
  /** What anybody may send who knows how such notifications look. */
  hint(payment: Payment, status: string): { readonly provider: string; readonly body: object };
  readonly statuses: readonly string[];
}

const pawapay = {
  statuses: ['ACCEPTED', 'PROCESSING', 'IN_RECONCILIATION', 'COMPLETED', 'FAILED', 'SOMETHING_NEW'],
  hint: ({ attemptReference, providerReference: depositId }: Payment, status: string) => {
    const amount = `${PRICE}.00`;
    const metadata = { attempt: attemptReference };
    return { provider: 'pawapay', body: { depositId, status, amount, currency: 'XOF', metadata } };
  },
};

const paydunya = {
  statuses: ['pending', 'completed', 'cancelled', 'failed', 'something-new'],
  hint: ({ attemptReference, providerReference: token }: Payment, status: string) => {
    const data = {
      hash: createHash('sha512').update(PAYDUNYA_KEYS.masterKey).digest('hex'),
      invoice: { token, total_amount: PRICE },
      custom_data: { attempt: attemptReference },
      mode: 'test',
      status,
    };
    return { provider: 'paydunya', body: { data } };
  },
};

const WAYS: readonly HintedWay[] = [
  {
    name: 'PawaPay on the phone',
    input: { provider: 'pawapay', presentation: 'PHONE', phoneNumber: '+229 01 51 34 57 55' },
    pay: ({ attemptReference }) => app.pawapay.approve(attemptReference),
    decline: ({ attemptReference }) => app.pawapay.decline(attemptReference),
    ...pawapay,
  },
  {
    name: 'PawaPay on its page',
    input: { provider: 'pawapay', presentation: 'REDIRECT', returnUrl: RETURN_URL, country: 'BJ' },
    pay: ({ providerReference }) => app.pawapay.payByPage(providerReference),
    decline: ({ providerReference }) => {
      app.pawapay.submitPage(providerReference);
      app.pawapay.decline(providerReference);
    },
    ...pawapay,
  },
  {
    name: 'PayDunya on its page',
    input: { provider: 'paydunya', presentation: 'REDIRECT', returnUrl: RETURN_URL },
    pay: ({ providerReference }) => app.paydunya.pay(providerReference),
    decline: ({ providerReference }) => app.paydunya.fail(providerReference),
    ...paydunya,
  },
  {
    name: 'PayDunya on the phone',
    input: {
      provider: 'paydunya',
      presentation: 'PHONE',
      phoneNumber: '+221 76 123 45 67',
      operator: 'free-money-senegal',
    },
    pay: ({ providerReference }) => app.paydunya.approve(providerReference),
    decline: ({ providerReference }) => app.paydunya.decline(providerReference),
    ...paydunya,
  },
];

const PAID = {
  status: 'PAID',
  capturedAmount: PRICE,
  refundedAmount: 0,
  failureCode: null,
  order: { status: 'CONFIRMED' },
  attempts: [{ status: 'SUCCEEDED', failureCode: null }],
};

const UNPAID = {
  status: 'PENDING',
  capturedAmount: 0,
  order: { status: 'OPEN' },
  attempts: [{ status: 'PENDING' }],
};

type Deed = (payment: Payment, way: HintedWay) => unknown;

const pays: Deed = (payment, way) => way.pay(payment);
const declines: Deed = (payment, way) => way.decline(payment);
const cancels: Deed = ({ id, token }) => cancelPayment(app, id, token);
const timePasses: Deed = ({ id }) =>
  app.dataSource.query(
    'UPDATE payment_intent SET expires_at = now(), end_again_at = NULL WHERE reference = $1',
    [id],
  );

const ENDS: readonly (readonly [end: string, deeds: readonly Deed[], expected: object])[] = [
  ['nobody has paid', [], UNPAID],
  ['it was paid', [pays], PAID],
  [
    'it was paid just before or after it was cancelled, or its time was up',
    [pays, cancels, timePasses],
    PAID,
  ],
  ['it was declined', [declines], { status: 'FAILED', capturedAmount: 0, order: { status: 'OPEN' } }],
];

const CASES = WAYS.flatMap((way) => ENDS.map(([end, deeds, expected]) => ({ way, end, deeds, expected })));

describe('whatever hints come, true and forged, in whatever order, however often and however many at once', () => {
  test.each(CASES)('$way.name: $end, and that alone is believed', async ({ way, deeds, expected }) => {
    const steps = [...deeds, ...way.statuses.map((status) => says(status))];
    const histories = fc.record({
      order: fc.shuffledSubarray(steps, { minLength: steps.length }),
      repeated: fc.array(fc.constantFrom(...way.statuses.map(says)), { maxLength: 4 }),
      atOnce: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(histories, async ({ order, repeated, atOnce }) => {
        const payment = await open(way);
        const all = [...order, ...repeated];
        if (atOnce) await Promise.all(all.map((step) => step(payment, way)));
        else for (const step of all) await step(payment, way);
        await untilItIs(payment, expected);
      }),
      RUNS,
    );
    await expectInvariants(app.dataSource, [product]);
  });

  test('an invoice of PayDunya’s that nobody was shown ends, and the one that the payer sees does not', async () => {
    const way = WAYS.find(({ name }) => name === 'PayDunya on its page')!;
    const payment = await open(way);
    // As an answer that got lost would have left it.
    const orphan = { ...payment, providerReference: await makeInvoice(payment) };
    app.paydunya.cancel(orphan.providerReference);
    await says('cancelled')(orphan, way);
    await untilItIs(payment, UNPAID);
    way.pay(payment);
    await says('completed')(payment, way);
    await untilItIs(payment, PAID);
  });
});

test('an attempt that is left over ends, and the payment that came after it keeps its stock', async () => {
  const way = WAYS.find(({ name }) => name === 'PayDunya on its page')!;
  const first = await open(way);
  await cancelPayment(app, first.id, first.token);
  const second = await open(way, first);
  app.paydunya.cancel(first.providerReference);
  await says('cancelled')(first, way);
  await eventually(async () => {
    const { status, attempts } = await readPayment(app, first.id, first.token);
    expect({ status, attempts }).toMatchObject({ status: 'CANCELLED', attempts: [{ status: 'CANCELLED' }] });
  });
  expect(await readPayment(app, second.id, second.token)).toMatchObject({
    ...UNPAID,
    order: { status: 'OPEN', reservedUntil: expect.any(String) },
  });
});

describe('a hint that names a payment, and the money of another', () => {
  test.each(WAYS)('moves nothing from one to the other: $name', async (way) => {
    const [paid, unpaid] = [await open(way), await open(way)];
    way.pay(paid);
    for (const status of way.statuses) {
      await says(status)({ ...unpaid, providerReference: paid.providerReference }, way);
    }
    await untilAsked(unpaid);
    expect(await readPayment(app, unpaid.id, unpaid.token)).toMatchObject(UNPAID);
    for (const status of way.statuses) await says(status)(paid, way);
    await untilItIs(paid, PAID);
    await expectInvariants(app.dataSource, [product]);
  });

  test.each(WAYS)('ends nothing: $name', async (way) => {
    const [declined, untouched] = [await open(way), await open(way)];
    way.decline(declined);
    for (const status of way.statuses) {
      await says(status)({ ...untouched, providerReference: declined.providerReference }, way);
    }
    await untilAsked(untouched);
    expect(await readPayment(app, untouched.id, untouched.token)).toMatchObject(UNPAID);
  });
});

describe('whatever hints come of refunds at PawaPay', () => {
  const REFUND = 'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { id status } }';
  const STATUSES = ['ACCEPTED', 'ENQUEUED', 'PROCESSING', 'COMPLETED', 'FAILED'];

  test.each([
    ['completes', { status: 'REFUNDED', refundedAmount: PRICE, failureCode: null }],
    ['fails', { status: 'PAID', refundedAmount: 0 }],
  ])('a refund that %s ends so, and no hint changes it', async (how, expected) => {
    const [way] = WAYS;
    const histories = fc.record({
      order: fc.shuffledSubarray(STATUSES, { minLength: STATUSES.length }),
      repeated: fc.array(fc.constantFrom(...STATUSES), { maxLength: 4 }),
      settledAfter: fc.nat(STATUSES.length),
      atOnce: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(histories, async ({ order, repeated, settledAfter, atOnce }) => {
        app.pawapay.holdRefunds();
        const payment = await open(way!);
        way!.pay(payment);
        await says('COMPLETED')(payment, way!);
        await untilItIs(payment, PAID);
        const input = { paymentIntentId: payment.id, idempotencyKey: randomUUID() };
        const reference = dataOf(await app.graphql(REFUND, { input }, app.apiKey)).refundPayment.id as string;
        const refundId = await keyOfRefund(reference);
        const steps = [...order, ...repeated].map(
          (status) => () => tellOfRefund(payment, reference, refundId, status),
        );
        steps.splice(settledAfter, 0, async () => {
          app.pawapay.settleRefund(refundId, how === 'fails' ? 'fail' : 'complete');
          return Promise.resolve();
        });
        if (atOnce) await Promise.all(steps.map((step) => step()));
        else for (const step of steps) await step();
        await untilItIs(payment, expected);
      }),
      RUNS,
    );
    await expectInvariants(app.dataSource, [product]);
  });

  async function keyOfRefund(reference: string): Promise<string> {
    const [row] = await app.dataSource.query<{ key: string }[]>(
      'SELECT idempotency_key AS key FROM refund WHERE reference = $1',
      [reference],
    );
    return row!.key;
  }

  function tellOfRefund({ attemptReference }: Payment, refund: string, refundId: string, status: string) {
    const metadata = { attempt: attemptReference, refund };
    return send('pawapay', { refundId, status, amount: `${PRICE}.00`, currency: 'XOF', metadata });
  }
});

async function open({ input }: HintedWay, placed?: PlacedOrder): Promise<Payment> {
  const { orderId, token } = placed ?? (await app.order(product.sku));
  const { id } = await app.pay(orderId, token, { method: 'MOBILE_MONEY', ...input });
  const [row] = await app.dataSource.query<{ reference: string }[]>(
    `SELECT a.provider_reference AS reference FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id
     WHERE i.reference = $1`,
    [id],
  );
  return { id, orderId, token, attemptReference: `${id}-1`, providerReference: row!.reference };
}

function says(status: string): Deed {
  return (payment, way) => {
    const { provider, body } = way.hint(payment, status);
    return send(provider, body);
  };
}

async function send(provider: string, body: object): Promise<void> {
  const response = await fetch(`${app.url}/webhooks/${provider}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
}

/** Another invoice for the same attempt. */
async function makeInvoice({ attemptReference }: Payment): Promise<string> {
  const response = await fetch(`${app.paydunya.url.href}/checkout-invoice/create`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'paydunya-master-key': PAYDUNYA_KEYS.masterKey,
      'paydunya-private-key': PAYDUNYA_KEYS.privateKey,
      'paydunya-token': PAYDUNYA_KEYS.token,
    },
    body: JSON.stringify({
      invoice: { total_amount: PRICE, description: 'The same once more' },
      store: { name: 'Shop of tests' },
      custom_data: { attempt: attemptReference },
    }),
  });
  return ((await response.json()) as { token: string }).token;
}

/** When every hint about it was followed up, and as often as jobs may ask. */
function untilItIs(payment: Payment, expected: object): Promise<void> {
  return eventually(async () => {
    await hurry();
    expect(await unread(payment)).toEqual([]);
    expect(await readPayment(app, payment.id, payment.token)).toMatchObject(expected);
  });
}

/** When the provider was asked because of each hint, whatever it said. */
function untilAsked(payment: Payment): Promise<void> {
  return eventually(async () => expect(await unread(payment, 1)).toEqual([]));
}

/** What jobs would do in seconds or a minute is done now. */
async function hurry(): Promise<void> {
  await app.dataSource.query(`UPDATE webhook_event SET next_try_at = now() WHERE next_try_at > now()`);
  await app.dataSource.query(`UPDATE payment_intent SET next_check_at = now() WHERE next_check_at > now()`);
  await app.dataSource.query(`UPDATE refund SET next_check_at = now() WHERE next_check_at > now()`);
}

/** The hints about a payment that wait to be followed up; the first try is their coming. */
function unread({ attemptReference }: Payment, mostTries = 1_000): Promise<object[]> {
  return app.dataSource.query(
    `SELECT event_id, type, status, outcome FROM webhook_event
     WHERE status IN ('WAITING', 'PARKED') AND payload LIKE '%' || $1 || '%' AND tries <= $2`,
    [attemptReference, mostTries],
  );
}
