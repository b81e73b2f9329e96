import { randomUUID } from 'node:crypto';
import { eventually } from './support/eventually.js';
import { untilStatus } from './support/books.js';
import { BANK, notify, STRIPE } from './support/notifying-provider.js';
import { changeQuantity } from './support/payment-calls.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { settleReview } from './support/staff-calls.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const TIMELINE = 'query ($id: ID!) { paymentTimeline(id: $id) { at kind summary actor details } }';

interface Entry {
  readonly at: string;
  readonly kind: string;
  readonly summary: string;
  readonly actor: string | null;
  readonly details: Record<string, any>;
}

async function timeline(id: string, token = app.operatorToken): Promise<Entry[]> {
  return dataOf(await app.graphql(TIMELINE, { id }, token)).paymentTimeline;
}

test('a payment that was paid and refunded is told from its beginning, in order', async () => {
  const payment = await BANK.open(app);
  app.bank.authorise(payment.attemptReference);
  await untilStatus(app, payment.id, 'PROCESSING');
  app.bank.pay(payment.attemptReference);
  await untilStatus(app, payment.id, 'PAID');
  const mutation = 'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { id } }';
  const input = { paymentIntentId: payment.id, idempotencyKey: randomUUID() };
  dataOf(await app.graphql(mutation, { input }, app.operatorToken));
  await untilStatus(app, payment.id, 'REFUNDED');

  const told = await eventually(
    () => timeline(payment.id),
    (entries) => entries.some(({ details }) => details.action === 'refund.succeeded'),
  );

  expect(told[0]).toMatchObject({
    kind: 'INTENT',
    actor: `payer:${payment.orderId}`,
    summary: `A payment of €15.00 was opened for ${payment.orderId}.`,
  });
  expect(told[1]).toMatchObject({ kind: 'ATTEMPT', summary: expect.stringContaining('BANK at bank-x') });
  const summaries = told.map(({ summary }) => summary);
  const inOrder = [
    'PENDING to PROCESSING',
    'bank-x sent transfer.credited',
    '€15.00 was taken, at bank-x.',
    'PROCESSING to PAID',
    'was written down',
    '€15.00 was given back, at bank-x.',
    'PAID to REFUNDED',
  ].map((words) => summaries.findIndex((summary) => summary.includes(words)));
  expect(inOrder).not.toContain(-1);
  expect(inOrder).toEqual([...inOrder].sort((one, other) => one - other));
  const times = told.map(({ at }) => Date.parse(at));
  expect(times).toEqual([...times].sort((one, other) => one - other));
  expect(told.find(({ kind }) => kind === 'REFUND')).toMatchObject({
    actor: 'operator:olga',
    details: { action: 'refund.queued', after: { amount: 1_500 } },
  });
  expect(told.filter(({ kind }) => kind === 'MOVEMENT')).toHaveLength(2);
});

test('acts of operators and backends stand in it, those on the order too', async () => {
  const payment = await STRIPE.open(app);
  await changeQuantity(app, payment.orderId, app.operatorToken, payment.sku, 2);
  await notify(app, STRIPE, STRIPE.paid(payment));
  await untilStatus(app, payment.id, 'REVIEW');
  dataOf(await settleReview(app, payment, 'ACCEPT', app.operatorToken, 'a friend of the house'));

  const acts = (await timeline(payment.id, app.apiKey)).filter(({ kind }) => kind === 'ACT');

  expect(acts).toMatchObject([
    { actor: 'operator:olga', summary: 'The order was changed from €15.00 to €30.00.' },
    {
      actor: 'operator:olga',
      summary: 'The review was settled: the payment is good as it is. Reason: a friend of the house',
    },
  ]);
});

test('nothing in it lets a reader act as the payer', async () => {
  const { sku } = await app.addProduct();
  const { orderId, token } = await app.order(sku);
  const { id, nextAction } = await app.pay(orderId, token, { method: 'CARD' });
  await app.stripe.settled();
  expect(JSON.stringify(await timeline(id))).not.toContain(nextAction.clientSecret);
});

test('it is closed to payers and strangers, and of a payment that isn’t there NOT_FOUND', async () => {
  const { id, token } = await BANK.open(app);
  expect(codeOf(await app.graphql(TIMELINE, { id }, token))).toBe('FORBIDDEN');
  expect(codeOf(await app.graphql(TIMELINE, { id }))).toBe('UNAUTHENTICATED');
  expect(codeOf(await app.graphql(TIMELINE, { id: 'TXN-nowhere' }, app.operatorToken))).toBe('NOT_FOUND');
});
