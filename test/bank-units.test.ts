import { randomUUID } from 'node:crypto';
import { loadConfig } from '../src/config.js';
import { createProviders } from '../src/create-providers.js';
import type { ListedPayment, Provider } from '../src/providers/provider.js';
import { amountsInWords } from '../src/providers/bank/amounts-in-words.js';
import { startBankDouble, type BankDouble } from '../src/sandbox/bank/bank-double.js';
import { CONTRACT_DIALECT } from '../src/sandbox/bank/dialect.js';
import { countingIn } from '../src/sandbox/bank/counted-amounts.js';
import { booksOf, untilStatus } from './support/books.js';
import { expectInvariants } from './support/invariants.js';
import { dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';

const SECRET = 'the webhook secret of the bank that counts';
const PRICE = 15_000;

let app: RunningApp;
let bank: BankDouble;
let providers: readonly Provider[];

/** The bank counts francs in hundredths, and dinars with two decimals more than ISO 4217 has. */
beforeAll(async () => {
  bank = await startBankDouble({
    name: 'bank-cents',
    displayName: 'Bank of Cents',
    apiKey: 'key',
    webhookSecret: SECRET,
    webhookUrl: () => `${app.url}/webhooks/bank-cents`,
    firstRetryMilliseconds: 50,
    dialect: countingIn({ XOF: 2, TND: 5 }),
  });
  const shared = { API_KEY: 'key', WEBHOOK_SECRETS: SECRET, AMOUNT_FORMAT: 'MINOR_UNITS' };
  const config = loadConfig({
    BANKS: 'cents',
    ...named('BANK_CENTS_', { ...shared, URL: bank.url.href, AMOUNT_EXPONENTS: 'XOF=2, TND=5' }),
  });
  providers = createProviders(config);
  app = await startTestApp({ providers });
});
afterEach(() => expectInvariants(app.dataSource));
afterAll(async () => {
  await app.stop();
  await bank.stop();
});

function named(prefix: string, variables: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [prefix + name, value]));
}

async function openPayment(unitAmount = PRICE, currency: 'XOF' | 'EUR' | 'TND' = 'XOF') {
  const { sku } = await app.addProduct({ unitAmount, currency });
  const { orderId, token } = await app.order(sku);
  const { id } = await app.pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
  return { id, reference: `${id}-1` };
}

async function refund(id: string, amount?: number) {
  const mutation =
    'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { status amount } }';
  const input = { paymentIntentId: id, amount, idempotencyKey: randomUUID() };
  const answer = await app.graphql(mutation, { input }, app.apiKey);
  return dataOf(answer).refundPayment;
}

describe('a bank that counts francs in hundredths, and is configured so,', () => {
  test('is asked for the price, and what it says of it is the price', async () => {
    const { id, reference } = await openPayment();
    expect(bank.payment(reference)).toMatchObject({ amount: '15000', currency: 'XOF' });
    bank.pay(reference);
    await untilStatus(app, id, 'PAID');
    expect(await booksOf(app, id)).toMatchObject({ captured: PRICE });
  });

  test('says the same when it is asked, and no webhook comes', async () => {
    const { id, reference } = await openPayment();
    bank.pauseWebhooks();
    bank.pay(reference);
    // The job looks now, and not in half a minute.
    await app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE reference = $1', [id]);
    await untilStatus(app, id, 'PAID');
    bank.resumeWebhooks();
    await bank.settled();
    expect(await booksOf(app, id)).toMatchObject({ captured: PRICE });
  });

  test('gives back what it is told to, and tells of what its own staff gave back', async () => {
    const { id, reference } = await openPayment();
    bank.pay(reference);
    await untilStatus(app, id, 'PAID');
    expect(await refund(id, 5_000)).toMatchObject({ status: 'SUCCEEDED', amount: 5_000 });
    expect(bank.payment(reference)).toMatchObject({ refunded_amount: '5000' });
    bank.refundAtBank(reference, 2_500);
    await bank.settled();
    expect(await booksOf(app, id)).toMatchObject({ captured: PRICE, refunded: 7_500 });
  });

  test.each([
    ['EUR' as const, 1_099],
    ['TND' as const, 10_999],
  ])('is paid in %s too', async (currency, amount) => {
    const { id, reference } = await openPayment(amount, currency);
    bank.pay(reference);
    await untilStatus(app, id, 'PAID');
    expect(await booksOf(app, id)).toMatchObject({ captured: amount });
  });

  test('lists its payments in amounts that are ours', async () => {
    const listed: ListedPayment[] = [];
    const [since, until] = [new Date(Date.now() - 600_000), new Date(Date.now() + 60_000)];
    for await (const payment of providers[0]!.listPayments!(since, until)) listed.push(payment);
    expect(listed).toContainEqual(
      expect.objectContaining({ currency: 'XOF', capturedAmount: PRICE, refundedAmount: 7_500 }),
    );
    expect(listed).toContainEqual(expect.objectContaining({ currency: 'TND', capturedAmount: 10_999 }));
  });
});

async function notice(reference: string, amount: number) {
  const id = `bevt_${reference}`;
  const data = { transfer_id: `tr_${reference}`, reference, amount, currency: 'XOF', status: 'BOOKED' };
  const body = JSON.stringify({ id, type: 'transfer.credited', data });
  const headers = CONTRACT_DIALECT.sign({ id, subject: id, body }, SECRET, Math.floor(Date.now() / 1_000));
  return fetch(`${app.url}/webhooks/bank-cents`, { method: 'POST', headers, body });
}

test.each([
  [150_000_000, 'Paid 1500000, and the order costs 15000. That is exactly 100 times as much'],
  [15_000, 'Paid 150, and the order costs 15000. That is exactly 1/100 of it'],
])('a credit of %d units, off by a power of ten, is reviewed as such', async (units, message) => {
  const { id, reference } = await openPayment();
  expect((await notice(reference, units)).status).toBe(200);
  const query = 'query ($id: ID!) { paymentIntent(id: $id) { status failureCode failureMessage } }';
  expect(dataOf(await app.graphql(query, { id }, app.apiKey)).paymentIntent).toEqual({
    status: 'REVIEW',
    failureCode: 'AMOUNT_MISMATCH',
    failureMessage: expect.stringContaining(message),
  });
  const answer = await app.graphql(query, { id }, app.apiKey);
  expect(dataOf(answer).paymentIntent.failureMessage).toContain('AMOUNT_EXPONENTS');
});

test('a credit that is no whole number of francs is not rounded: it is reviewed', async () => {
  const { id, reference } = await openPayment();
  expect((await notice(reference, 1_500_050)).status).toBe(200);
  expect(await booksOf(app, id)).toMatchObject({ status: 'REVIEW', captured: 0 });
});

test('a credit that is off otherwise says nothing of units', async () => {
  const { id, reference } = await openPayment();
  await notice(reference, 1_400_000);
  const query = 'query ($id: ID!) { paymentIntent(id: $id) { failureMessage } }';
  expect(dataOf(await app.graphql(query, { id }, app.apiKey)).paymentIntent.failureMessage).toBe(
    'Paid 14000, and the order costs 15000.',
  );
});

describe('at the start', () => {
  const words = (variables: Record<string, string>) => {
    const own = { URL: 'https://bank.example', API_KEY: 'key', WEBHOOK_SECRETS: SECRET, ...variables };
    return amountsInWords(loadConfig({ BANKS: 'x', ...named('BANK_X_', own) }).banks[0]!);
  };

  test.each<[string, Record<string, string>, string[]]>([
    [
      'counts francs in hundredths',
      { AMOUNT_FORMAT: 'MINOR_UNITS', AMOUNT_EXPONENTS: 'XOF=2', CURRENCIES: 'XOF,EUR' },
      ['bank-x: XOF 15000 will be sent as 1500000', 'bank-x: EUR 10.99 will be sent as 1099'],
    ],
    [
      'counts as ISO 4217 does',
      { AMOUNT_FORMAT: 'MINOR_UNITS' },
      [
        'bank-x: XOF 15000 will be sent as 15000',
        'bank-x: EUR 10.99 will be sent as 1099',
        'bank-x: TND 10.999 will be sent as 10999',
      ],
    ],
    [
      'writes francs with decimals',
      { AMOUNT_EXPONENTS: 'XOF:2', CURRENCIES: 'XOF' },
      ['bank-x: XOF 15000 will be sent as "15000.00"'],
    ],
    [
      'knows no cents',
      { AMOUNT_FORMAT: 'DECIMAL_NUMBER', AMOUNT_EXPONENTS: 'EUR=0', CURRENCIES: 'EUR' },
      ['bank-x: EUR 10.00 will be sent as 10, and no smaller parts of it can be sent'],
    ],
  ])('it is said what a bank that %s will be sent', (_name, variables, lines) => {
    expect(words(variables)).toEqual(lines);
  });
});
