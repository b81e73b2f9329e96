import { randomUUID } from 'node:crypto';
import { loadConfig } from '../src/config.js';
import { createProviders } from '../src/create-providers.js';
import type { ListedPayment, Provider } from '../src/providers/provider.js';
import { startBankDouble, type BankDouble } from '../src/sandbox/bank/bank-double.js';
import { booksOf, storedEvents, untilStatus } from './support/books.js';
import { expectInvariants } from './support/invariants.js';
import { ODD_BANK_VARIABLES, ODD_DIALECT } from './support/odd-bank.js';
import { dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';

const PLAIN_SECRET = 'the webhook secret of the plain bank 0123';
const OLD_SECRET = 'the old webhook secret of the odd bank 01';
const NEW_SECRET = 'the new webhook secret of the odd bank 01';
const AMOUNT = 1_099;

let app: RunningApp;
let plain: BankDouble;
let odd: BankDouble;
let providers: readonly Provider[];

beforeAll(async () => {
  plain = await startDouble('bank-plain', PLAIN_SECRET);
  // It signs with the new secret already; what it signed before may still be under way.
  odd = await startDouble('bank-odd', NEW_SECRET, ODD_DIALECT);
  const config = loadConfig({
    BANKS: 'plain,odd',
    BANK_PLAIN_URL: plain.url.href,
    BANK_PLAIN_API_KEY: 'key-of-bank-plain',
    BANK_PLAIN_WEBHOOK_SECRETS: PLAIN_SECRET,
    BANK_ODD_URL: odd.url.href,
    BANK_ODD_API_KEY: 'key-of-bank-odd',
    BANK_ODD_WEBHOOK_SECRETS: `${OLD_SECRET},${NEW_SECRET}`,
    ...Object.fromEntries(
      Object.entries(ODD_BANK_VARIABLES).map(([name, value]) => [`BANK_ODD_${name}`, value]),
    ),
  });
  providers = createProviders(config, config);
  app = await startTestApp({ providers });
});
afterEach(() => expectInvariants(app.dataSource));
afterAll(async () => {
  await app.stop();
  await Promise.all([plain.stop(), odd.stop()]);
});

function startDouble(name: string, webhookSecret: string, dialect = {}): Promise<BankDouble> {
  return startBankDouble({
    name,
    displayName: name,
    apiKey: `key-of-${name}`,
    webhookSecret,
    webhookUrl: () => `${app.url}/webhooks/${name}`,
    firstRetryMilliseconds: 50,
    paymentsPerPage: 1,
    dialect,
  });
}

async function openPayment(provider: string) {
  const { sku } = await app.addProduct({ unitAmount: AMOUNT, currency: 'EUR' });
  const { orderId, token } = await app.order(sku);
  const input = { method: 'BANK', provider, returnUrl: RETURN_URL };
  const { id, nextAction } = await app.pay(orderId, token, input);
  return { id, reference: `${id}-1`, page: nextAction.url as string };
}

/** The payer presses the button on the bank's own page. */
async function press(button: 'pay' | 'decline' | 'cancel', page: string): Promise<void> {
  const answer = await fetch(`${page}/${button}`, { method: 'POST', redirect: 'manual' });
  expect(answer.status).toBe(303);
}

async function refund(id: string, amount?: number): Promise<{ status: string; amount: number }> {
  const mutation =
    'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { status amount } }';
  const input = { paymentIntentId: id, amount, idempotencyKey: randomUUID() };
  const answer = await app.graphql(mutation, { input }, app.apiKey);
  return dataOf(answer).refundPayment;
}

async function listed(name: string): Promise<ListedPayment[]> {
  const provider = providers.find((candidate) => candidate.name === name);
  const payments: ListedPayment[] = [];
  const [since, until] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
  for await (const payment of provider!.listPayments!(since, until)) payments.push(payment);
  return payments;
}

describe.each([
  { name: 'bank-plain', double: () => plain },
  { name: 'bank-odd', double: () => odd },
])('$name, set by nothing but variables,', ({ name, double }) => {
  test('is paid on its page and tells so by webhook, and gives a part and then the rest back', async () => {
    const { id, reference, page } = await openPayment(name);
    await press('pay', page);
    await untilStatus(app, id, 'PAID');
    await double().settled();
    const events = await storedEvents(app);
    expect(events.filter(({ provider }) => provider === name)).toMatchObject([{ outcome: 'PENDING → PAID' }]);

    expect(await refund(id, 99)).toMatchObject({ status: 'SUCCEEDED', amount: 99 });
    expect(await booksOf(app, id)).toMatchObject({ captured: AMOUNT, refunded: 99 });
    expect(await refund(id)).toMatchObject({ status: 'SUCCEEDED', amount: 1_000 });
    await double().settled();
    expect((await booksOf(app, id)).movements).toHaveLength(3);
    expect(double().counts()).toMatchObject({
      chargesByReference: { [reference]: 1 },
      refundedByReference: { [reference]: AMOUNT },
      webhooks: { sent: 3, delivered: 3 },
    });
  });

  test('tells by webhook of what its own staff gave back', async () => {
    const { id, reference, page } = await openPayment(name);
    await press('pay', page);
    await untilStatus(app, id, 'PAID');
    double().refundAtBank(reference, 500);
    await untilStatus(app, id, 'PARTIALLY_REFUNDED');
    expect(await booksOf(app, id)).toMatchObject({ refunded: 500 });
  });

  test('tells of a payment that it declined, and of one that was cancelled', async () => {
    const declined = await openPayment(name);
    await press('decline', declined.page);
    await untilStatus(app, declined.id, 'FAILED');
    const cancelled = await openPayment(name);
    const mutation = 'mutation ($id: ID!) { cancelPaymentIntent(id: $id) { status } }';
    const answer = await app.graphql(mutation, { id: cancelled.id }, app.apiKey);
    expect(dataOf(answer).cancelPaymentIntent.status).toBe('CANCELLED');
  });

  test('is asked when its webhook never comes', async () => {
    const { id, page } = await openPayment(name);
    double().pauseWebhooks();
    await press('pay', page);
    // The job looks now, and not in half a minute.
    await app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE reference = $1', [id]);
    await untilStatus(app, id, 'PAID');
    double().resumeWebhooks();
    await double().settled();
    expect((await booksOf(app, id)).movements).toHaveLength(1);
  });

  test('shows its books, page by page, as they are in ours', async () => {
    const ofOurs = (await listed(name)).map(({ capturedAmount, refundedAmount }) => [
      capturedAmount,
      refundedAmount,
    ]);
    expect(ofOurs).toEqual([
      [AMOUNT, AMOUNT],
      [AMOUNT, 500],
      [AMOUNT, 0],
    ]);
  });
});

test('what one bank signs is no proof at the webhook of the other', async () => {
  const body = JSON.stringify({ id: 'bevt_1', type: 'transfer.credited', data: {} });
  const headers = ODD_DIALECT.sign(
    { id: '1', subject: '1', body },
    PLAIN_SECRET,
    Math.floor(Date.now() / 1000),
  );
  const answer = await fetch(`${app.url}/webhooks/bank-odd`, { method: 'POST', headers, body });
  expect(answer.status).toBe(401);
});
