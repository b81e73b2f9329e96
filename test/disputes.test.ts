import { untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { available } from './support/payment-calls.js';
import { paidPayment } from './support/payments-with-money.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { readAsStaff, refundPayment } from './support/staff-calls.js';
import { watch } from './support/subscriber.js';
import { expectSettled, settled } from './support/settled.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

async function disputed(
  payment: OpenPayment,
  dispute: { readonly amount?: number; readonly withdraw?: boolean } = {},
): Promise<string> {
  const { id } = app.stripe.openDispute(payment.providerReference, dispute);
  await untilStatus(app, payment.id, 'DISPUTED');
  await settled(app);
  return id;
}

async function decided(disputeId: string, decision: 'won' | 'lost'): Promise<void> {
  app.stripe.closeDispute(disputeId, decision);
  await settled(app);
}

describe('a dispute', () => {
  test('that is opened: DISPUTED, live, with what the bank took back; staff see it, the payer does not', async () => {
    const payment = await paidPayment(app, STRIPE);
    const watcher = watch(app, payment.id, payment.token, 2);
    const id = await disputed(payment);
    await watcher.until((heard) => heard.at(-1)?.status === 'DISPUTED');
    await watcher.close();
    for (const token of [app.apiKey, app.operatorToken]) {
      expect(await readAsStaff(app, payment, token)).toMatchObject({
        status: 'DISPUTED',
        capturedAmount: 1_500,
        refundedAmount: 0,
        disputedAmount: 1_500,
        order: { status: 'CONFIRMED', refundedAt: null },
        disputes: [
          {
            amount: 1_500,
            status: 'OPEN',
            reason: 'fraudulent',
            provider: 'stripe',
            providerReference: id,
            respondByAt: expect.stringMatching(/^\d{4}-/),
            settledAt: null,
          },
        ],
      });
    }
    expect(await readAsStaff(app, payment, payment.token)).toMatchObject({
      status: 'DISPUTED',
      disputes: [],
    });
  });

  test('that is won: PAID again, with all of the money', async () => {
    const payment = await paidPayment(app, STRIPE);
    await decided(await disputed(payment), 'won');
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'PAID',
      disputedAmount: 0,
      order: { refundedAt: null },
      disputes: [{ status: 'WON', settledAt: expect.any(String) }],
    });
    expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({ amount: 1_500 });
  });

  test('that is lost: CHARGED_BACK, and nothing is left to give back; the pieces stay sold', async () => {
    const payment = await paidPayment(app, STRIPE);
    await decided(await disputed(payment), 'lost');
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'CHARGED_BACK',
      refundedAmount: 0,
      disputedAmount: 1_500,
      order: { status: 'CONFIRMED', refundedAt: null },
      disputes: [{ status: 'LOST' }],
    });
    expect(codeOf(await refundPayment(app, payment))).toBe('BAD_USER_INPUT');
    expect(await available(app, payment.sku)).toBe(4);
  });

  test('of a part that is lost: CHARGED_BACK, and only the rest can be given back', async () => {
    const payment = await paidPayment(app, STRIPE);
    await decided(await disputed(payment, { amount: 500 }), 'lost');
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'CHARGED_BACK',
      disputedAmount: 500,
    });
    expect(codeOf(await refundPayment(app, payment, { amount: 1_001 }))).toBe('BAD_USER_INPUT');
    expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({ amount: 1_000 });
    await settled(app);
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'CHARGED_BACK', refundedAmount: 1_000 });
  });

  test.each([
    ['won', 'PARTIALLY_REFUNDED', 0],
    ['lost', 'CHARGED_BACK', 1_100],
  ] as const)('of what a refund left, that is %s: %s', async (decision, status, disputedAmount) => {
    const payment = await paidPayment(app, STRIPE);
    dataOf(await refundPayment(app, payment, { amount: 400 }));
    await decided(await disputed(payment, { amount: 1_100 }), decision);
    expect(await readAsStaff(app, payment)).toMatchObject({ status, refundedAmount: 400, disputedAmount });
  });

  test('after all was refunded, of all: both are in the books; won, it is REFUNDED as before', async () => {
    const payment = await paidPayment(app, STRIPE);
    dataOf(await refundPayment(app, payment));
    await settled(app);
    const id = await disputed(payment);
    expect(await readAsStaff(app, payment)).toMatchObject({ refundedAmount: 1_500, disputedAmount: 1_500 });
    await decided(id, 'won');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REFUNDED', disputedAmount: 0 });
  });

  test('forbids refunds while it is open, and says why', async () => {
    const payment = await paidPayment(app, STRIPE);
    await disputed(payment, { amount: 500 });
    const answer = await refundPayment(app, payment, { amount: 100 });
    expect(codeOf(answer)).toBe('PAYMENT_NOT_REFUNDABLE');
    expect(answer.errors![0]!.message).toBe(
      'This payment is DISPUTED: the payer’s bank decides about its money, and a refund would give it back twice.',
    );
  });

  test.each([
    ['won', 'PAID', 'WON', 0],
    ['lost', 'CHARGED_BACK', 'LOST', 1_500],
  ] as const)(
    'in which the bank only asks, and takes nothing: DISPUTED; and %s: %s',
    async (decision, status, disputeStatus, disputedAmount) => {
      const payment = await paidPayment(app, STRIPE);
      const id = await disputed(payment, { withdraw: false });
      expect(await readAsStaff(app, payment)).toMatchObject({ disputedAmount: 0 });
      await decided(id, decision);
      expect(await readAsStaff(app, payment)).toMatchObject({
        status,
        disputedAmount,
        disputes: [{ status: disputeStatus }],
      });
    },
  );

  test('beside another one: DISPUTED until both are decided', async () => {
    const payment = await paidPayment(app, STRIPE);
    const first = await disputed(payment, { amount: 500 });
    const second = await disputed(payment, { amount: 700 });
    await decided(first, 'won');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'DISPUTED', disputedAmount: 700 });
    await decided(second, 'lost');
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'CHARGED_BACK',
      disputes: [{ status: 'WON' }, { status: 'LOST' }],
    });
  });

  test('whose notifications come in disorder and twice ends as it was decided', async () => {
    const payment = await paidPayment(app, STRIPE);
    app.stripe.misbehave({ reorder: true, duplicate: 1, delayMilliseconds: 100, seed: 7 });
    const { id } = app.stripe.openDispute(payment.providerReference);
    app.stripe.closeDispute(id, 'won');
    await settled(app);
    app.stripe.misbehave({});
    await eventually(async () =>
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'PAID',
        disputedAmount: 0,
        disputes: [{ status: 'WON' }],
      }),
    );
  });

  test('is in the audit log, with its beginning and its end', async () => {
    const payment = await paidPayment(app, STRIPE);
    await decided(await disputed(payment), 'lost');
    const entries: { action: string }[] = await app.dataSource.query(
      `SELECT action FROM audit_log WHERE subject = $1 AND actor = 'provider:stripe' AND action LIKE 'dispute.%'
       ORDER BY position`,
      [payment.id],
    );
    expect(entries.map(({ action }) => action)).toEqual(['dispute.opened', 'dispute.decided']);
  });
});
