import { eventually } from './support/eventually.js';
import {
  BY_PHONE,
  BY_SOFTPAY,
  ON_PAGE_OF_PAYDUNYA,
  orderInFrancs,
  providerReferenceOf,
  untilPayment,
} from './support/mobile-money.js';
import { CREATE_PAYMENT, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { cancelPayment } from './support/payment-calls.js';
import { expectSettled } from './support/settled.js';
import { verifyPayment } from './support/staff-calls.js';
import { BANK } from './support/ways-to-pay.js';

let app: RunningApp;
beforeEach(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  await expectSettled(app);
  await app.stop();
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Payment {
  readonly id: string;
  readonly token: string;
  readonly orderId: string;
}

async function openPayment(way: object): Promise<Payment> {
  const { orderId, token } = await orderInFrancs(app);
  const { paymentIntent } = dataOf(
    await app.graphql(CREATE_PAYMENT, { input: { orderId, ...way } }, token),
  ).createPaymentIntent;
  return { id: paymentIntent.id, token, orderId };
}

/** A provider at which an attempt fails first and succeeds later, without a word. */
interface Provider {
  readonly name: string;
  readonly way: object;
  readonly status: 'FAILED' | 'CANCELLED';
  end(payment: Payment): Promise<void>;
  succeedUnheard(payment: Payment): Promise<void>;
  asked(): number;
}

const pawapay: Provider = {
  name: 'PawaPay',
  way: BY_PHONE,
  status: 'FAILED',
  async end({ id }) {
    app.pawapay.decline(await providerReferenceOf(app, id));
  },
  async succeedUnheard({ id }) {
    app.pawapay.pauseWebhooks();
    app.pawapay.completeLate(await providerReferenceOf(app, id));
  },
  asked: () => app.pawapay.counts().requests.getDeposit,
};

const paydunya: Provider = {
  name: 'PayDunya',
  way: ON_PAGE_OF_PAYDUNYA,
  status: 'FAILED',
  end({ id }) {
    app.paydunya.fail(`${id}-1`);
    return Promise.resolve();
  },
  succeedUnheard({ id }) {
    app.paydunya.pauseWebhooks();
    app.paydunya.payLate(`${id}-1`);
    return Promise.resolve();
  },
  asked: () => app.paydunya.counts().requests.confirmInvoice,
};

const bank: Provider = {
  name: 'a bank',
  way: BANK,
  status: 'CANCELLED',
  async end({ id, token }) {
    dataOf(await cancelPayment(app, id, token));
  },
  succeedUnheard({ id }) {
    app.bank.pauseWebhooks();
    app.bank.payLate(`${id}-1`);
    return Promise.resolve();
  },
  asked: () => app.bank.counts().requests.getPayment,
};

async function endedPayment(provider: Provider): Promise<Payment> {
  const payment = await openPayment(provider.way);
  await provider.end(payment);
  await untilPayment(app, payment.id, { status: provider.status });
  return payment;
}

interface Plan {
  readonly endedAt: Date | null;
  readonly askAgainAt: Date | null;
}

async function planOf({ id }: Payment): Promise<Plan> {
  const [row] = await app.dataSource.query<Plan[]>(
    `SELECT ended_at AS "endedAt", ask_again_at AS "askAgainAt" FROM payment_attempt a
     WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1) ORDER BY number LIMIT 1`,
    [id],
  );
  return row!;
}

/** As if it had ended so long ago, and the time to ask had come. */
async function askAfter({ id }: Payment, milliseconds: number): Promise<void> {
  await app.dataSource.query(
    `UPDATE payment_attempt SET ended_at = now() - make_interval(secs => $2), ask_again_at = now()
     WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
    [id, milliseconds / 1_000],
  );
}

/** The next time after one that was claimed. */
const untilPlanned = (payment: Payment, isThere: (plan: Plan) => boolean) =>
  eventually(() => planOf(payment), isThere);

const sinceEnd = ({ endedAt, askAgainAt }: Plan) => askAgainAt && askAgainAt.getTime() - endedAt!.getTime();

describe.each([pawapay, paydunya, bank])('an attempt that failed at $name', (provider) => {
  test('and succeeds later is found by the jobs, though its notification is lost', async () => {
    const payment = await endedPayment(provider);
    await provider.succeedUnheard(payment);

    await askAfter(payment, 2 * MINUTE);

    await untilPayment(app, payment.id, { status: 'PAID', order: { status: 'CONFIRMED' } });
    expect(await planOf(payment)).toEqual({ endedAt: null, askAgainAt: null });
  });

  test('is found by verifyPaymentIntent, which may ask about what has ended', async () => {
    const payment = await endedPayment(provider);
    await provider.succeedUnheard(payment);
    await app.dataSource.query(
      `UPDATE payment_intent SET created_at = now() - interval '1 day' WHERE reference = $1`,
      [payment.id],
    );

    const { verifyPaymentIntent } = dataOf(await verifyPayment(app, payment, app.apiKey));

    expect(verifyPaymentIntent).toMatchObject({ status: 'PAID' });
  });

  test('is asked about two minutes after its end, then ever more rarely, and after three days no more', async () => {
    const payment = await endedPayment(provider);
    expect(sinceEnd(await planOf(payment))).toBe(2 * MINUTE);
    const before = provider.asked();
    for (const [ended, next] of [
      [2 * MINUTE, 15 * MINUTE],
      [15 * MINUTE, HOUR],
      [HOUR, 6 * HOUR],
      [6 * HOUR, 24 * HOUR],
      [24 * HOUR, 72 * HOUR],
    ] as const) {
      await askAfter(payment, ended);
      await untilPlanned(payment, (plan) => sinceEnd(plan) === next);
    }
    await askAfter(payment, 72 * HOUR);
    await untilPlanned(payment, ({ askAgainAt }) => askAgainAt === null);
    await untilPayment(app, payment.id, { status: provider.status });
    expect(provider.asked() - before).toBe(6);
  });
});

test('one that failed beside a payment that another attempt has paid, and succeeds later, is given back', async () => {
  const { id, token, orderId } = await endedPayment(bank);
  await app.pay(orderId, token, BANK);
  const [{ reference }] = await app.dataSource.query(
    `SELECT reference FROM payment_intent WHERE status = 'PENDING'`,
  );
  app.bank.pay(`${reference}-1`);
  await untilPayment(app, reference, { status: 'PAID' });
  await bank.succeedUnheard({ id, token, orderId });

  await askAfter({ id, token, orderId }, HOUR);

  await untilPayment(app, id, { status: 'REFUNDED', failureCode: 'ORDER_ALREADY_PAID' });
});

test('a provider that doesn’t answer is asked again soon', async () => {
  const payment = await endedPayment(bank);
  await bank.succeedUnheard(payment);
  app.bank.faultsByChance({ share: 1 });

  await askAfter(payment, 72 * HOUR);

  await untilPlanned(payment, (plan) => (sinceEnd(plan) ?? 0) > 72 * HOUR + 4 * MINUTE);
  await untilPayment(app, payment.id, { status: 'CANCELLED' });
  app.bank.faultsByChance({ share: 0 });
  await askAfter(payment, 73 * HOUR);
  await untilPayment(app, payment.id, { status: 'PAID' });
});

test('one at Stripe is not asked about: its list of events tells of it', async () => {
  const { orderId, token } = await app.order((await app.addProduct()).sku);
  const { id } = await app.pay(orderId, token);
  dataOf(await cancelPayment(app, id, token));
  const asked = app.stripe.requests('payment_intents.retrieve');

  await askAfter({ id, token, orderId }, HOUR);

  await untilPlanned({ id, token, orderId }, ({ askAgainAt }) => askAgainAt === null);
  expect(app.stripe.requests('payment_intents.retrieve')).toBe(asked);
});

test('an attempt by PayDunya’s SoftPay that was declined and then approved is found', async () => {
  const payment = await openPayment(BY_SOFTPAY);
  app.paydunya.decline(await providerReferenceOf(app, payment.id));
  await untilPayment(app, payment.id, { status: 'FAILED' });
  await paydunya.succeedUnheard(payment);

  await askAfter(payment, 15 * MINUTE);

  await untilPayment(app, payment.id, { status: 'PAID' });
});
