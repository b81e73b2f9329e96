import { randomUUID } from 'node:crypto';
import type { OperatorRole } from '../src/access/operator-roles.js';
import { signOperatorToken } from '../src/access/operator-token.js';
import { expectInvariants } from './support/invariants.js';
import { BANK, STRIPE } from './support/notifying-provider.js';
import { paidPayment, underpaidPayment } from './support/payments-with-money.js';
import {
  codeOf,
  dataOf,
  OPERATOR_JWT_SECRET,
  startTestApp,
  type GraphQLAnswer,
  type RunningApp,
} from './support/running-app.js';
import { readAsStaff, refundPayment, settleReview } from './support/staff-calls.js';

/** Payments of these tests are of 15.00 EUR: beyond 10.00 of an order, two people are needed. */
let app: RunningApp;
let olga: string;
let otto: string;
let sam: string;
beforeAll(async () => {
  app = await startTestApp({
    refundLimits: { support: new Map(), oneOperator: new Map([['EUR', 1_000]]) },
  });
  olga = await tokenOf('olga', 'operator');
  otto = await tokenOf('otto', 'operator');
  sam = await tokenOf('sam', 'support');
});
afterEach(() => expectInvariants(app.dataSource));
afterAll(() => app.stop());

const tokenOf = (name: string, role: OperatorRole) =>
  signOperatorToken(OPERATOR_JWT_SECRET, name, 600_000, role);

interface Payment {
  readonly id: string;
}

const REQUEST = 'id amount currency status askedBy decidedBy expiresAt paymentIntent { id }';

const refund = (payment: Payment, amount: number | undefined, token: string): Promise<GraphQLAnswer> =>
  refundPayment(app, payment, { amount, idempotencyKey: randomUUID() }, token);

function ask(payment: Payment, input: object, token: string): Promise<GraphQLAnswer> {
  const mutation = `mutation ($input: RefundPaymentInput!) { requestRefund(input: $input) { ${REQUEST} } }`;
  const whole = { paymentIntentId: payment.id, idempotencyKey: randomUUID(), ...input };
  return app.graphql(mutation, { input: whole }, token);
}

const asked = async (payment: Payment, input: object, token: string) =>
  dataOf(await ask(payment, input, token)).requestRefund as { id: string; amount: number; status: string };

const approve = (id: string, token: string): Promise<GraphQLAnswer> =>
  app.graphql('mutation ($id: ID!) { approveRefund(id: $id) { id amount status } }', { id }, token);

const decline = (id: string, token: string): Promise<GraphQLAnswer> =>
  app.graphql(`mutation ($id: ID!) { declineRefund(id: $id) { ${REQUEST} } }`, { id }, token);

async function statusOf(id: string): Promise<string> {
  const { refundRequests } = dataOf(await app.graphql(`{ refundRequests { ${REQUEST} } }`, {}, olga));
  return refundRequests.find((request: { id: string }) => request.id === id).status;
}

const refundsOf = async (payment: Payment) => (await readAsStaff(app, payment)).refunds;

describe('one operator', () => {
  test('gives back so much of an order alone, however it is divided, and is told how to give back more', async () => {
    const payment = await paidPayment(app, STRIPE);
    const whole = await refund(payment, undefined, olga);
    expect(codeOf(whole)).toBe('FORBIDDEN');
    expect(whole.errors![0]!.message).toMatch(/One operator may give back €10\.00 .*requestRefund/);
    dataOf(await refund(payment, 1_000, olga));
    expect(codeOf(await refund(payment, 1, olga))).toBe('FORBIDDEN');
    // Nor do two of them by turns: each refund is still one person's word.
    expect(codeOf(await refund(payment, 1, otto))).toBe('FORBIDDEN');
  });

  test('does not give back more by settling a review', async () => {
    const payment = await underpaidPayment(app, BANK);
    const answer = await settleReview(app, payment, 'REFUND', olga);
    expect(codeOf(answer)).toBe('FORBIDDEN');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REVIEW', refunds: [] });
    // Closed, with its money here, it can be asked for.
    dataOf(await settleReview(app, payment, 'CLOSE', olga));
    const { id } = await asked(payment, {}, olga);
    expect(dataOf(await approve(id, otto)).approveRefund.amount).toBe(1_500);
  });

  test('is not the merchant’s own server, which has the scope for it', async () => {
    const payment = await paidPayment(app, STRIPE);
    dataOf(await refund(payment, undefined, app.apiKey));
  });
});

describe('a refund that was asked for', () => {
  test('is made when another operator approves it, and once, however often they say so', async () => {
    const payment = await paidPayment(app, STRIPE);
    const request = await asked(payment, {}, olga);
    expect(request).toMatchObject({ amount: 1_500, status: 'PENDING', askedBy: 'operator:olga' });
    expect(await refundsOf(payment)).toEqual([]);

    const answers = await Promise.all([1, 2, 3].map(() => approve(request.id, otto)));

    expect(new Set(answers.map((answer) => dataOf(answer).approveRefund.id)).size).toBe(1);
    expect(await refundsOf(payment)).toMatchObject([{ amount: 1_500, origin: 'REQUESTED' }]);
    expect(await statusOf(request.id)).toBe('APPROVED');
    const rows = await app.dataSource.query(
      `SELECT action, actor FROM audit_log WHERE subject = $1 AND action LIKE 'refund.%' ORDER BY position`,
      [payment.id],
    );
    expect(rows.slice(0, 3)).toEqual([
      { action: 'refund.asked', actor: 'operator:olga' },
      { action: 'refund.approved', actor: 'operator:otto' },
      { action: 'refund.queued', actor: 'operator:otto' },
    ]);
  });

  test('is not approved by who asked for it, in whatever role', async () => {
    const payment = await paidPayment(app, STRIPE);
    const { id } = await asked(payment, {}, sam);
    for (const token of [sam, await tokenOf('sam', 'operator')]) {
      expect(codeOf(await approve(id, token))).toBe('FORBIDDEN');
    }
    expect(await refundsOf(payment)).toEqual([]);
    dataOf(await approve(id, otto));
  });

  test('is not approved by support, nor by a backend', async () => {
    const payment = await paidPayment(app, STRIPE);
    const { id } = await asked(payment, {}, olga);
    for (const token of [sam, app.apiKey]) expect(codeOf(await approve(id, token))).toBe('FORBIDDEN');
    expect(await statusOf(id)).toBe('PENDING');
  });

  test('is written down once for the same request made twice', async () => {
    const payment = await paidPayment(app, STRIPE);
    const idempotencyKey = randomUUID();
    const requests = await Promise.all(
      [1, 2, 3].map(() => asked(payment, { amount: 5, idempotencyKey }, olga)),
    );
    expect(new Set(requests.map(({ id }) => id)).size).toBe(1);
    expect(codeOf(await ask(payment, { amount: 6, idempotencyKey }, olga))).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  test('is not made any more once somebody has declined it', async () => {
    const payment = await paidPayment(app, STRIPE);
    const { id } = await asked(payment, {}, olga);
    expect(dataOf(await decline(id, otto)).declineRefund).toMatchObject({
      status: 'DECLINED',
      decidedBy: 'operator:otto',
    });
    expect(codeOf(await approve(id, otto))).toBe('REFUND_REQUEST_CLOSED');
    expect(await refundsOf(payment)).toEqual([]);
  });

  test('is either made or declined where two operators decide at the same time', async () => {
    const eva = await tokenOf('eva', 'operator');
    for (let round = 0; round < 5; round += 1) {
      const payment = await paidPayment(app, STRIPE);
      const { id } = await asked(payment, {}, olga);
      const answers = await Promise.all([approve(id, otto), decline(id, eva)]);
      expect(answers.filter(({ errors }) => !errors)).toHaveLength(1);
      expect(answers.map(codeOf)).toContain('REFUND_REQUEST_CLOSED');
      const refunds = await refundsOf(payment);
      expect([await statusOf(id), refunds.length]).toEqual(
        answers[0].errors ? ['DECLINED', 0] : ['APPROVED', 1],
      );
    }
  });

  test('is not made any more when its time is up, by the database’s clock', async () => {
    const payment = await paidPayment(app, STRIPE);
    const { id } = await asked(payment, {}, olga);
    await app.dataSource.query('UPDATE refund_request SET expires_at = now() WHERE reference = $1', [id]);
    expect(await statusOf(id)).toBe('EXPIRED');
    expect(codeOf(await approve(id, otto))).toBe('REFUND_REQUEST_CLOSED');
    expect(await refundsOf(payment)).toEqual([]);
  });

  test('must be one that can be made, when it is asked for and when it is approved', async () => {
    const payment = await paidPayment(app, STRIPE);
    expect(codeOf(await ask(payment, { amount: 1_501 }, olga))).toBe('BAD_USER_INPUT');
    const { id } = await asked(payment, { amount: 1_500 }, olga);
    dataOf(await refund(payment, 100, olga));
    expect(codeOf(await approve(id, otto))).toBe('BAD_USER_INPUT');
    expect(codeOf(await approve('RRQ-nowhere', otto))).toBe('NOT_FOUND');
  });

  test('is refused by the database, too, from who asked for it', async () => {
    const payment = await paidPayment(app, STRIPE);
    const { id } = await asked(payment, {}, olga);
    const sql = `UPDATE refund_request SET decision = 'APPROVED', decided_by = asked_by, decided_at = now() WHERE reference = $1`;
    await expect(app.dataSource.query(sql, [id])).rejects.toThrow('refund_request_approved_by_another');
  });
});
