import { jest } from '@jest/globals';
import Stripe from 'stripe';
import { booksOf, untilStatus } from './support/books.js';
import { BANK, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { BY_PHONE, ON_PAGE_OF_PAYDUNYA, orderInFrancs, providerReferenceOf } from './support/mobile-money.js';
import { cancelPayment } from './support/payment-calls.js';
import { buildProduct, type BuiltProduct } from './support/program.js';
import {
  BANK_WEBHOOK_SECRET,
  dataOf,
  PAWAPAY_TOKEN,
  PAYDUNYA_KEYS,
  startTestApp,
  STRIPE_WEBHOOK_SECRET,
  type RunningApp,
} from './support/running-app.js';
import { refundPayment } from './support/staff-calls.js';
import { watch } from './support/subscriber.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

/** The command is compiled and started several times, and a machine may be busy. */
jest.setTimeout(120_000);

const HOUR = 60 * 60 * 1_000;

let product: BuiltProduct;
let app: RunningApp;
beforeAll(async () => {
  product = await buildProduct();
});
afterAll(() => product.remove());
beforeEach(async () => {
  // What is lost stays lost until somebody compares.
  // Nothing else may heal what is to be found.
  app = await startTestApp({ notificationListPauseMilliseconds: HOUR, jobPauseMilliseconds: HOUR });
});
afterEach(() => app.stop());

const anHourAgo = () => new Date(Date.now() - HOUR).toISOString();

async function reconcile(
  given: readonly string[] = [],
  environment: Record<string, string> = keys(),
): Promise<{ readonly code: number | null; readonly output: string }> {
  const since = given.includes('--since') || given.includes('--days') ? [] : ['--since', anHourAgo()];
  const program = product.start('reconcile/main.js', {
    arguments: [...since, ...given],
    environment: { DATABASE_URL: app.databaseUrl, ...environment },
  });
  return { code: await program.ended(), output: program.output };
}

function keys(): Record<string, string> {
  return {
    STRIPE_SECRET_KEY: app.stripeSecretKey,
    STRIPE_PUBLISHABLE_KEY: 'pk_test_of_tests',
    STRIPE_WEBHOOK_SECRETS: STRIPE_WEBHOOK_SECRET,
    STRIPE_API_URL: app.stripe.url.href,
    BANKS: 'x',
    BANK_X_URL: app.bank.url.href,
    BANK_X_API_KEY: 'bank-api-key',
    BANK_X_WEBHOOK_SECRETS: BANK_WEBHOOK_SECRET,
  };
}

async function paidByCard(): Promise<OpenPayment> {
  const payment = await STRIPE.open(app);
  app.stripe.pay(payment.providerReference, GOOD_CARD);
  await untilStatus(app, payment.id, 'PAID');
  return payment;
}

async function paidAtBank(): Promise<OpenPayment> {
  const payment = await BANK.open(app);
  app.bank.pay(payment.attemptReference);
  await untilStatus(app, payment.id, 'PAID');
  return payment;
}

function loseWebhooks(): void {
  app.stripe.pauseWebhooks();
  app.bank.pauseWebhooks();
}

/** Behind our back: the movement of money that no provider knows of. */
async function addCapture(id: string, providerReference: string): Promise<void> {
  await app.dataSource.query(
    `INSERT INTO movement (id, intent_id, attempt_id, kind, amount, currency, provider, provider_reference)
     SELECT gen_random_uuid(), i.id, a.id, 'CAPTURE', i.amount, i.currency, a.provider, $2
     FROM payment_intent i JOIN payment_attempt a ON a.intent_id = i.id WHERE i.reference = $1`,
    [id, providerReference],
  );
}

test('books that agree: it says so and ends with 0', async () => {
  await paidByCard();
  const given = await paidByCard();
  app.stripe.refundInDashboard(given.providerReference, 400);
  await untilStatus(app, given.id, 'PARTIALLY_REFUNDED');
  await paidAtBank();

  const { code, output } = await reconcile();

  expect(output).toMatch(/^stripe, .* to .*\n2 payments compared, 0 more not ours, no differences$/m);
  expect(output).toMatch(/^bank-x, .* to .*\n1 payment compared, 0 more not ours, no differences$/m);
  expect(output).toContain('Nothing differs.');
  expect(code).toBe(0);
});

describe('lost notifications', () => {
  test('of disputes are found by what each of them took, and by how it was decided', async () => {
    const [unknown, undecided] = [await paidByCard(), await paidByCard()];
    const { id: known } = app.stripe.openDispute(undecided.providerReference);
    await untilStatus(app, undecided.id, 'DISPUTED');
    await app.stripe.settled();
    loseWebhooks();
    const { id: lost } = app.stripe.openDispute(unknown.providerReference);
    app.stripe.closeDispute(lost, 'lost', 500);
    app.stripe.closeDispute(known, 'lost');

    const looked = await reconcile();

    expect(looked.output).toContain(
      `dispute ${lost} is lost, with 10.00 EUR taken there; here it is not known`,
    );
    expect(looked.output).toContain(
      `dispute ${known} is lost, with 15.00 EUR taken there; here it is open, with 15.00 EUR taken`,
    );
    expect(looked.code).toBe(1);

    const repaired = await reconcile(['--repair']);

    expect(repaired.output).toContain('2 differences: 2 repaired, 0 left for a person to look at.');
    expect(repaired.code).toBe(0);
    for (const { id } of [unknown, undecided]) {
      expect(await booksOf(app, id)).toMatchObject({ status: 'CHARGED_BACK', refunded: 0 });
    }
  });

  test('are found, and repaired only when it is told to; a subscriber hears of it', async () => {
    const [byCard, atBank, givenBack] = [await STRIPE.open(app), await BANK.open(app), await paidByCard()];
    loseWebhooks();
    app.stripe.pay(byCard.providerReference, GOOD_CARD);
    app.bank.pay(atBank.attemptReference);
    app.stripe.refundInDashboard(givenBack.providerReference, 400);
    const watcher = watch(app, byCard.id, byCard.token);

    const looked = await reconcile();

    expect(looked.output).toContain('MISSING_HERE (1): money at the provider that is not in our books');
    expect(looked.output).toContain(
      `${byCard.attemptReference}  ${byCard.providerReference}  15.00 EUR there; here the attempt is PENDING`,
    );
    expect(looked.output).toMatch(new RegExp(`${atBank.attemptReference}  tr_\\S+  15\\.00 EUR there`));
    expect(looked.output).toContain('15.00 EUR, 4.00 EUR of it given back, there; 15.00 EUR here');
    expect(looked.output).toContain('3 differences. --repair would ask the providers about 3 of them.');
    expect(looked.code).toBe(1);
    expect(await booksOf(app, byCard.id)).toMatchObject({ status: 'PENDING', movements: [] });

    const repaired = await reconcile(['--repair']);

    expect(repaired.output).toContain('3 differences: 3 repaired, 0 left for a person to look at.');
    expect(repaired.code).toBe(0);
    await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
    await watcher.close();
    expect(await booksOf(app, atBank.id)).toMatchObject({ status: 'PAID', captured: 1_500 });
    expect(await booksOf(app, givenBack.id)).toMatchObject({ status: 'PARTIALLY_REFUNDED', refunded: 400 });
    const actors = await app.dataSource.query(
      `SELECT DISTINCT actor FROM audit_log WHERE actor LIKE 'operator:%'`,
    );
    expect(actors).toEqual([{ actor: 'operator:reconcile' }]);
    expect(await reconcile()).toMatchObject({ code: 0 });
  }, 60_000);

  test('of a payment that we had given up are a difference of status', async () => {
    const payment = await STRIPE.open(app);
    loseWebhooks();
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await app.dataSource.query(`UPDATE payment_attempt SET status = 'FAILED' WHERE provider_reference = $1`, [
      payment.providerReference,
    ]);

    const { code, output } = await reconcile(['--repair', '--provider', 'stripe']);

    expect(output).toMatch(/STATUS \(1\).*\n.*15\.00 EUR there; here the attempt is FAILED/);
    expect(output).toContain('1 difference: 1 repaired, 0 left');
    expect(output).not.toContain('bank-x');
    expect(code).toBe(0);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID' });
  });
});

describe('what a person has to look at is not repaired', () => {
  test('money of ours that the provider does not know, page after page', async () => {
    const payment = await STRIPE.open(app);
    await app.dataSource.query(
      `WITH attempt AS (
         INSERT INTO payment_attempt (id, intent_id, number, provider, method, presentation, amount,
           provider_reference, idempotency_key, status)
         SELECT gen_random_uuid(), i.id, n, 'stripe', 'CARD', 'EMBEDDED', i.amount, 'pi_nobody_' || n, 'key' || n, 'CANCELLED'
         FROM payment_intent i, generate_series(2, 251) n WHERE i.reference = $1 RETURNING *)
       INSERT INTO movement (id, intent_id, attempt_id, kind, amount, currency, provider, provider_reference)
       SELECT gen_random_uuid(), intent_id, id, 'CAPTURE', amount, 'EUR', provider, provider_reference FROM attempt`,
      [payment.id],
    );

    const { code, output } = await reconcile(['--repair', '--provider', 'stripe']);

    expect(output).toContain('MISSING_THERE (250): money in our books that the provider does not know');
    for (const number of [2, 130, 251]) {
      expect(output).toContain(`${payment.id}-${number} `);
      expect(output).toMatch(new RegExp(`pi_nobody_${number} +15\\.00 EUR here; not known there`));
    }
    expect(output).toContain('250 differences: 0 repaired, 250 left for a person to look at.');
    expect(code).toBe(1);
  });

  test('a second payment of an order that was not heard of is repaired, and goes back by itself', async () => {
    const payment = await BANK.open(app);
    const { nextAction } = await app.pay(payment.orderId, payment.token, { method: 'CARD' });
    app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    loseWebhooks();
    app.bank.payLate(payment.attemptReference);

    const { code, output } = await reconcile(['--repair']);

    expect(output).toContain('2 differences: 2 repaired, 0 left for a person to look at.');
    expect(code).toBe(0);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 3_000 });
    const refunds = await app.dataSource.query(
      `SELECT r.amount::integer, r.origin, r.reason FROM refund r JOIN payment_intent i ON i.id = r.intent_id
       WHERE i.reference = $1`,
      [payment.id],
    );
    expect(refunds).toEqual([{ amount: 1_500, origin: 'AUTOMATIC', reason: 'DUPLICATE' }]);
  });

  test('an order that was paid twice, and an attempt that succeeded without money', async () => {
    const twice = await paidByCard();
    await addCapture(twice.id, 'pi_second');
    const without = await STRIPE.open(app);
    await app.dataSource.query(
      `UPDATE payment_attempt SET status = 'SUCCEEDED' WHERE provider_reference = $1`,
      [without.providerReference],
    );

    const { code, output } = await reconcile(['--repair']);

    expect(output).toMatch(/DOUBLE \(1\).*\n.*30\.00 EUR is not given back/);
    expect(output).toMatch(/MISSING_THERE \(1\).*\n.*pi_second/);
    expect(output).toMatch(/STATUS \(1\).*\n.*no money on either side; here the attempt is SUCCEEDED/);
    expect(output).toContain('For a person to look at (3):');
    expect(code).toBe(1);
    expect(await booksOf(app, without.id)).toMatchObject({ movements: [] });
  });
});

test('payments of others in the same account are counted, and are no difference', async () => {
  const { hostname: host, port } = app.stripe.url;
  const stripe = new Stripe(app.stripeSecretKey, { host, port, protocol: 'http' });
  const { id } = await stripe.paymentIntents.create({ amount: 900, currency: 'eur' });
  app.stripe.pay(id, GOOD_CARD);

  const { code, output } = await reconcile(['--provider', 'stripe']);

  expect(output).toContain('0 payments compared, 1 more not ours, no differences');
  expect(code).toBe(0);
});

test('what was begun before the time and paid in it is not missing there', async () => {
  const payment = await BANK.open(app);
  const since = new Date().toISOString();
  app.bank.pay(payment.attemptReference);
  await untilStatus(app, payment.id, 'PAID');

  const { code, output } = await reconcile(['--since', since, '--provider', 'bank-x']);

  expect(output).toContain('0 payments compared, 0 more not ours, no differences');
  expect(code).toBe(0);
});

test('a provider that does not answer is said, the others are compared, and it ends with 2', async () => {
  await paidAtBank();
  app.stripe.answerNext('charges.list', { answer: { kind: 'status', status: 500, shouldRetry: false } });

  const { code, output } = await reconcile();

  expect(output).toMatch(/^stripe could not be compared \(.+\): The card provider did not answer/m);
  expect(output).toContain('1 payment compared');
  expect(code).toBe(2);
});

describe('at providers that keep no list of payments', () => {
  const withMobileMoney = () => ({
    ...keys(),
    PAWAPAY_TOKEN,
    PAWAPAY_ENVIRONMENT: 'sandbox',
    PAWAPAY_API_URL: app.pawapay.url.href,
    PAYDUNYA_MASTER_KEY: PAYDUNYA_KEYS.masterKey,
    PAYDUNYA_PRIVATE_KEY: PAYDUNYA_KEYS.privateKey,
    PAYDUNYA_TOKEN: PAYDUNYA_KEYS.token,
    PAYDUNYA_STORE_NAME: 'Shop of tests',
    PAYDUNYA_API_URL: app.paydunya.url.href,
  });
  const nightly = () => reconcile(['--days', '1', '--repair'], withMobileMoney());

  async function openInFrancs(way: object): Promise<string> {
    const { orderId, token } = await orderInFrancs(app);
    return (await app.pay(orderId, token, way)).id;
  }

  test('each attempt is asked about, and books that agree are no difference', async () => {
    const byPhone = await openInFrancs(BY_PHONE);
    app.pawapay.approve(await providerReferenceOf(app, byPhone));
    await untilStatus(app, byPhone, 'PAID');
    dataOf(await refundPayment(app, { id: byPhone }, { amount: 5_000 }));
    await untilStatus(app, byPhone, 'PARTIALLY_REFUNDED');
    const onPage = await openInFrancs(ON_PAGE_OF_PAYDUNYA);
    app.paydunya.pay(`${onPage}-1`);
    await untilStatus(app, onPage, 'PAID');
    await openInFrancs(ON_PAGE_OF_PAYDUNYA);

    const { code, output } = await reconcile([], withMobileMoney());

    expect(output).toMatch(/^pawapay, .*\n1 payment compared, 0 more not ours, no differences$/m);
    expect(output).toMatch(/^paydunya, .*\n1 payment compared, 0 more not ours, no differences$/m);
    expect(code).toBe(0);
  });

  test('the nightly command repairs attempts that failed and succeeded later, and a bank’s late credit', async () => {
    const [byPhone, onPage] = [await openInFrancs(BY_PHONE), await openInFrancs(ON_PAGE_OF_PAYDUNYA)];
    const atBank = await BANK.open(app);
    app.pawapay.decline(await providerReferenceOf(app, byPhone));
    await untilStatus(app, byPhone, 'FAILED');
    dataOf(await cancelPayment(app, atBank.id, atBank.token));
    loseWebhooks();
    app.pawapay.pauseWebhooks();
    app.paydunya.pauseWebhooks();
    app.pawapay.completeLate(await providerReferenceOf(app, byPhone));
    app.paydunya.fail(`${onPage}-1`);
    app.paydunya.payLate(`${onPage}-1`);
    app.bank.payLate(atBank.attemptReference);

    const { code, output } = await nightly();

    expect(output).toContain('3 differences: 3 repaired, 0 left for a person to look at.');
    expect(code).toBe(0);
    for (const id of [byPhone, onPage, atBank.id]) {
      expect(await booksOf(app, id)).toMatchObject({ status: 'PAID', orderStatus: 'CONFIRMED' });
    }
    expect(await nightly()).toMatchObject({ code: 0 });
  });

  test('money that the provider doesn’t know is left for a person, and the nightly command ends with 1', async () => {
    const byPhone = await openInFrancs(BY_PHONE);
    await addCapture(byPhone, 'nowhere');

    const { code, output } = await nightly();

    expect(output).toContain('1 difference: 0 repaired, 1 left for a person to look at.');
    expect(code).toBe(1);
  });

  test('one that was taken out of the configuration is said, and it ends with 2', async () => {
    await openInFrancs(BY_PHONE);
    const { code, output } = await reconcile();
    expect(output).toContain('pawapay is not configured here, so its attempts (1) could not be compared');
    expect(code).toBe(2);
  });
});

test.each<[string, string[], Record<string, string> | undefined, string]>([
  ['without --since', ['--since'], undefined, '--since'],
  ['for a provider that is not there', ['--provider', 'bank-y'], undefined, 'Configured: stripe, bank-x.'],
  ['without any provider', [], {}, 'No provider is configured here.'],
  ['for half a configuration', [], { STRIPE_SECRET_KEY: 'sk_test_1' }, 'STRIPE_PUBLISHABLE_KEY is missing'],
])('%s it says what to do, and ends with 2', async (_, given, environment, sentence) => {
  const { code, output } = await reconcile(given, environment);
  expect(output).toContain(sentence);
  expect(output).not.toMatch(/\n +at /);
  expect(code).toBe(2);
});
