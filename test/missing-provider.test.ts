import { eventually } from './support/eventually.js';
import { untilPayment } from './support/mobile-money.js';
import { available, cancelPayment, orderOf, untilStatus } from './support/payment-calls.js';
import { dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { expectSettled } from './support/settled.js';
import { refundPayment, settleReview } from './support/staff-calls.js';
import { BANK, GOOD_CARD } from './support/ways-to-pay.js';

const missing = new Set<string>();
let app: RunningApp;
beforeEach(async () => {
  missing.clear();
  app = await startTestApp({ missing });
});
afterEach(async () => {
  await expectSettled(app);
  await app.stop();
});

async function openAtBank() {
  const order = await orderOf(app);
  return { ...order, ...(await app.pay(order.orderId, order.token, BANK)) };
}

type Payment = Awaited<ReturnType<typeof openAtBank>>;

async function takeBankOut(): Promise<void> {
  missing.add('bank-x');
  await app.restart();
}

const expire = ({ id }: Payment) =>
  app.dataSource.query('UPDATE payment_intent SET expires_at = now() WHERE reference = $1', [id]);

/** As if all of it had happened so many days earlier, and the jobs looked now. */
async function age({ id }: Payment, days: number): Promise<void> {
  for (const sql of [
    `UPDATE payment_attempt SET created_at = created_at - make_interval(days => $2)
     WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
    `UPDATE refund SET created_at = created_at - make_interval(days => $2), next_check_at = now()
     WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
    `UPDATE payment_intent SET created_at = created_at - make_interval(days => $2), next_check_at = now()
     WHERE reference = $1`,
  ]) {
    await app.dataSource.query(sql, [id, days]);
  }
}

describe('a bank that was taken out of the configuration', () => {
  test('keeps no payment from expiring that waits for its payer, and delays no other', async () => {
    const atBank = await openAtBank();
    const other = await orderOf(app);
    const byCard = await app.pay(other.orderId, other.token);
    await takeBankOut();
    await expire(atBank);

    await untilStatus(app, atBank.id, atBank.token, 'EXPIRED');

    expect(await available(app, atBank.sku)).toBe(10);
    app.stripe.pay(byCard.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, byCard.id, other.token, 'PAID');
    const again = await app.pay(atBank.orderId, atBank.token);
    app.stripe.pay(again.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, again.id, atBank.token, 'PAID');
  });

  test('lets a payment that waits for its payer be cancelled', async () => {
    const payment = await openAtBank();
    await takeBankOut();
    dataOf(await cancelPayment(app, payment.id, payment.token));
    await untilPayment(app, payment.id, {
      status: 'CANCELLED',
      attempts: [{ status: 'CANCELLED', failureCode: 'PROVIDER_NOT_CONFIGURED' }],
    });
  });

  test('is asked once it is back whether money came after all', async () => {
    const payment = await openAtBank();
    await takeBankOut();
    await expire(payment);
    await untilStatus(app, payment.id, payment.token, 'EXPIRED');
    app.bank.pauseWebhooks();
    app.bank.payLate(`${payment.id}-1`);
    missing.clear();
    await app.restart();
    await app.dataSource.query(
      'UPDATE payment_attempt SET ask_again_at = now() WHERE ask_again_at IS NOT NULL',
    );
    await untilStatus(app, payment.id, payment.token, 'PAID');
  });

  test.each(['UNKNOWN', 'PROCESSING', 'AUTHORIZED'])(
    'leaves an attempt that is %s to a person after a day, who can close the matter',
    async (status) => {
      const payment = await openAtBank();
      await takeBankOut();
      await app.dataSource.query(
        `UPDATE payment_attempt SET status = $2 WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
        [payment.id, status],
      );
      await app.dataSource.query(
        `WITH told AS (
           UPDATE payment_intent SET status = $2, version = 2, expires_at = now() WHERE reference = $1 RETURNING *)
         INSERT INTO outbox_event (topic, key, version, payload, told_at)
         SELECT 'payment.status_changed', id, 2, jsonb_build_object('status', $2::text, 'previousStatus', 'PENDING'), now()
         FROM told`,
        [payment.id, status],
      );
      await age(payment, 0);
      await eventually(
        () =>
          app.dataSource.query(`SELECT FROM payment_intent WHERE reference = $1 AND next_check_at > now()`, [
            payment.id,
          ]),
        (rows: unknown[]) => rows.length === 1,
      );
      await untilPayment(app, payment.id, { status });

      await age(payment, 2);

      await untilPayment(app, payment.id, {
        status: 'REVIEW',
        failureCode: 'PROVIDER_NOT_CONFIGURED',
        failureMessage: expect.stringContaining('Look at it there'),
      });
      dataOf(await settleReview(app, payment, 'CLOSE'));
      await untilPayment(app, payment.id, { status: 'CANCELLED', order: { reservedUntil: null } });
      await untilPayment(app, payment.id, { attempts: [{ status: 'CANCELLED' }] });
    },
  );

  test('leaves no refund QUEUED for ever: after a day it has failed, and says where to look', async () => {
    const payment = await openAtBank();
    app.bank.pay(`${payment.id}-1`);
    await untilStatus(app, payment.id, payment.token, 'PAID');
    app.bank.answerNext('createRefund', { kind: 'status', status: 503 }, 1_000);
    dataOf(await refundPayment(app, payment));
    await takeBankOut();

    await age(payment, 2);

    await untilPayment(app, payment.id, {
      status: 'PAID',
      refunds: [{ status: 'FAILED', failureCode: 'PROVIDER_NOT_CONFIGURED' }],
    });
  });

  test('is DOWN to operators while something of it is not finished', async () => {
    const payment = await openAtBank();
    await takeBankOut();
    const health = () => app.graphql('{ providerHealth { provider status } }', {}, app.operatorToken);
    await eventually(async () =>
      expect(dataOf(await health()).providerHealth).toContainEqual({ provider: 'bank-x', status: 'DOWN' }),
    );
    dataOf(await cancelPayment(app, payment.id, payment.token));
  });
});
