import { randomUUID } from 'node:crypto';
import type { OperatorRole } from '../src/access/operator-roles.js';
import { signOperatorToken } from '../src/access/operator-token.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { STRIPE } from './support/notifying-provider.js';
import { cancelOrder, cancelPayment, createPayment, orderOf, untilStatus } from './support/payment-calls.js';
import { heldPayment, manualPayment, paidPayment } from './support/payments-with-money.js';
import {
  codeOf,
  dataOf,
  OPERATOR_JWT_SECRET,
  startTestApp,
  type GraphQLAnswer,
  type RunningApp,
} from './support/running-app.js';
import { readAsStaff, refundPayment, settleReview, verifyPayment } from './support/staff-calls.js';

let app: RunningApp;
let viewer: string;
let support: string;
beforeAll(async () => {
  app = await startTestApp({
    refundLimits: { support: new Map([['EUR', 1_000]]), oneOperator: new Map() },
  });
  viewer = await tokenOf('vera', 'viewer');
  support = await tokenOf('sam', 'support');
});
afterEach(() => expectInvariants(app.dataSource));
afterAll(() => app.stop());

const tokenOf = (name: string, role: OperatorRole) =>
  signOperatorToken(OPERATOR_JWT_SECRET, name, 600_000, role);

interface Payment {
  readonly id: string;
}

const refund = (payment: Payment, amount: number | undefined, token = support): Promise<GraphQLAnswer> =>
  refundPayment(app, payment, { amount, idempotencyKey: randomUUID() }, token);

const messageOf = (answer: GraphQLAnswer) => answer.errors?.[0]?.message;

async function actorsOf(payment: Payment): Promise<unknown[]> {
  const rows = await app.dataSource.query('SELECT actor FROM audit_log WHERE subject = $1', [payment.id]);
  return rows.map(({ actor }: { actor: string }) => actor);
}

describe('an operator in the role of viewer', () => {
  test('sees what there is, and does nothing', async () => {
    const payment = await paidPayment(app, STRIPE);
    expect(await readAsStaff(app, payment, viewer)).toMatchObject({ status: 'PAID' });
    const answers = [
      await refund(payment, 1, viewer),
      await verifyPayment(app, payment, viewer),
      await cancelPayment(app, payment.id, viewer),
      await cancelOrder(app, payment.orderId, viewer),
      await createPayment(app, payment.orderId, viewer),
    ];
    expect(answers.map(codeOf)).toEqual(answers.map(() => 'FORBIDDEN'));
    expect(messageOf(answers[0]!)).toBe('refundPayment needs the role "support", and yours is "viewer".');
  });
});

describe('an operator in the role of support', () => {
  test('gives back up to the limit of an order in all, and not of each refund', async () => {
    const payment = await paidPayment(app, STRIPE);
    for (const amount of [600, 399]) dataOf(await refund(payment, amount));
    const answer = await refund(payment, 2);
    expect(codeOf(answer)).toBe('FORBIDDEN');
    expect(messageOf(answer)).toMatch(/may give back €10\.00 of an order in all, and has given back €9\.99/);
    dataOf(await refund(payment, 1));
    expect(codeOf(await refund(payment, undefined))).toBe('FORBIDDEN');
    expect(await readAsStaff(app, payment)).toMatchObject({ capturedAmount: 1_500 });
  });

  test('gives back no more than that with ten requests at once', async () => {
    const payment = await paidPayment(app, STRIPE);
    const answers = await Promise.all(Array.from({ length: 10 }, () => refund(payment, 300)));
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(3);
    expect(new Set(answers.map(codeOf))).toEqual(new Set([undefined, 'FORBIDDEN']));
  });

  test('does not get a limit of their own for each person', async () => {
    const payment = await paidPayment(app, STRIPE);
    dataOf(await refund(payment, 1_000));
    expect(codeOf(await refund(payment, 1, await tokenOf('suzy', 'support')))).toBe('FORBIDDEN');
  });

  test('is not held to what others gave back', async () => {
    const payment = await paidPayment(app, STRIPE);
    dataOf(await refund(payment, 500, app.operatorToken));
    dataOf(await refund(payment, 1_000));
  });

  test('is told the same of the same request, and not that the limit is reached', async () => {
    const payment = await paidPayment(app, STRIPE);
    const input = { amount: 1_000, idempotencyKey: randomUUID() };
    const first = dataOf(await refundPayment(app, payment, input, support)).refundPayment;
    expect(dataOf(await refundPayment(app, payment, input, support)).refundPayment.id).toBe(first.id);
    // Promoted meanwhile, they are still the same person, who asks for the same refund.
    const promoted = await tokenOf('sam', 'operator');
    expect(dataOf(await refundPayment(app, payment, input, promoted)).refundPayment.id).toBe(first.id);
  });

  test('gives nothing back in a currency without a limit', async () => {
    const other = await startTestApp();
    try {
      const theirs = await paidPayment(other, STRIPE);
      const answer = await refundPayment(other, theirs, { amount: 1, idempotencyKey: randomUUID() }, support);
      expect(codeOf(answer)).toBe('FORBIDDEN');
      expect(messageOf(answer)).toBe(
        'The role "support" may give nothing back in EUR: ask an operator with requestRefund.',
      );
    } finally {
      await other.stop();
    }
  });

  test('cancels what nobody has paid, and verifies', async () => {
    const { orderId, token } = await orderOf(app);
    const payment = await app.pay(orderId, token, { method: 'CARD' });
    dataOf(await verifyPayment(app, payment, support));
    expect(dataOf(await cancelPayment(app, payment.id, support)).cancelPaymentIntent.status).toBe(
      'CANCELLED',
    );
    expect(dataOf(await cancelOrder(app, orderId, support)).cancelOrder.status).toBe('CANCELLED');
    expect(await actorsOf({ id: orderId })).toEqual(['support:sam']);
  });

  test('does not let go of money that is held, and not of a hold that we have not heard of', async () => {
    const held = await heldPayment(app);
    expect(codeOf(await cancelPayment(app, held.id, support))).toBe('FORBIDDEN');
    expect(codeOf(await cancelOrder(app, held.orderId, support))).toBe('FORBIDDEN');
    expect(await readAsStaff(app, held)).toMatchObject({ status: 'AUTHORIZED' });
    expect(dataOf(await cancelPayment(app, held.id, app.operatorToken)).cancelPaymentIntent.status).toBe(
      'CANCELLED',
    );
    const open = await manualPayment(app);
    dataOf(await cancelPayment(app, open.id, support));
    await untilStatus(app, open.id, app.apiKey, 'CANCELLED');
  });

  test('does not capture, decide about reviews, or change orders', async () => {
    const { sku, orderId } = await orderOf(app);
    const update = 'mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { id } }';
    const input = { orderId, lines: [{ sku, quantity: 2 }] };
    expect(codeOf(await app.graphql(update, { input }, support))).toBe('FORBIDDEN');
    const review = await settleReview(app, { id: 'TXN-nowhere' }, 'CLOSE', support);
    expect(codeOf(review)).toBe('FORBIDDEN');
  });
});

describe('the audit log', () => {
  test('says in which role an operator acted', async () => {
    const payment = await paidPayment(app, STRIPE);
    dataOf(await refund(payment, 100));
    dataOf(await refund(payment, 100, app.operatorToken));
    await eventually(async () => {
      expect(await actorsOf(payment)).toEqual(expect.arrayContaining(['support:sam', 'operator:olga']));
    });
  });
});

describe('an operator in the role of operator', () => {
  test('makes no order of the merchant’s own, and charges nothing that a customer saved', async () => {
    const { sku } = await app.addProduct();
    const create = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }';
    const lines = [{ sku, quantity: 1 }];
    const customer = `mutation { createCustomer(input: { externalId: "${randomUUID()}" }) { id } }`;
    const { id: customerId } = dataOf(await app.graphql(customer, {}, app.apiKey)).createCustomer;
    const asked = { lines, customerId };
    const { order } = dataOf(await app.graphql(create, { input: asked }, app.apiKey)).createOrder;
    const update = 'mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { id } }';
    const ownLines = [{ name: 'A laptop', quantity: 1, unitAmount: 1 }];
    const as = app.operatorToken;
    const answers = [
      await app.graphql(create, { input: asked }, as),
      await app.graphql(create, { input: { ownLines, currency: 'EUR' } }, as),
      await app.graphql(create, { input: { lines, number: randomUUID() } }, as),
      await app.graphql(create, { input: { lines, metadata: { vip: true } } }, as),
      await app.graphql(update, { input: { orderId: order.id, ownLines } }, as),
      await createPayment(app, order.id, as, { savedMethodId: 'PMT-any' }),
      await createPayment(app, order.id, as, { method: 'CARD', saveMethod: true }),
      await createPayment(app, order.id, as, { savedMethodId: 'PMT-any', offSession: true }),
      await app.graphql('mutation { detachPaymentMethod(id: "PMT-any") { id } }', {}, as),
    ];
    expect(answers.map(codeOf)).toEqual(answers.map(() => 'FORBIDDEN'));
    expect(messageOf(answers[1]!)).toBe('CreateOrderInput.ownLines is for backends only.');
    dataOf(await app.graphql(create, { input: { lines } }, as));
  });
});
