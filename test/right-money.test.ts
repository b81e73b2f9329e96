import fc from 'fast-check';
import { booksOf, untilStatus } from './support/books.js';
import { emailSettings } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { newAddress } from './support/mailed-orders.js';
import { BANK, notify } from './support/notifying-provider.js';
import { cancelPayment, changeQuantity } from './support/payment-calls.js';
import { codeOf, dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { readAsStaff, refundPayment, settleReview } from './support/staff-calls.js';
import { expectSettled, settled } from './support/settled.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

const RUNS = { seed: 20_261_130, numRuns: 12, endOnFailure: true };

let mails: MailServer;
let settings: Awaited<ReturnType<typeof emailSettings>>;
let app: RunningApp;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url);
  app = await startTestApp({ emails: settings });
});
afterEach(() => expectSettled(app));
afterAll(async () => {
  await app.stop();
  settings.delivery.close();
  await mails.stop();
});

const AT_BANK = { method: 'BANK', returnUrl: RETURN_URL };

/** 10 is to be paid at the bank; then nine are ordered, and 90 is to be paid by another attempt of the same payment. */
async function repriced() {
  const { sku } = await app.addProduct({ unitAmount: 1_000, currency: 'EUR', stock: 20 });
  const { orderId, token } = await app.order(sku);
  const { id } = await app.pay(orderId, token, AT_BANK);
  await changeQuantity(app, orderId, token, sku, 9);
  expect(await app.pay(orderId, token, AT_BANK)).toMatchObject({ id, amount: 9_000 });
  await settled(app);
  return { id, orderId, token, sku, old: `${id}-1`, present: `${id}-2` };
}

type Repriced = Awaited<ReturnType<typeof repriced>>;

const oldMoney = async ({ old }: Repriced) => {
  app.bank.payLate(old);
  await settled(app);
};
const presentMoney = async ({ present }: Repriced) => {
  app.bank.pay(present);
  await settled(app);
};

describe('an order that went from 10 to 90 is paid by the 90, and the 10 goes back', () => {
  test.each([
    ['the 10 comes first', [oldMoney, presentMoney]],
    ['the 90 comes first', [presentMoney, oldMoney]],
  ])('when %s', async (_, moneys) => {
    const payment = await repriced();
    for (const comes of moneys) await comes(payment);
    await eventually(async () =>
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'PAID',
        capturedAmount: 10_000,
        refundedAmount: 1_000,
        order: { status: 'CONFIRMED' },
        refunds: [{ amount: 1_000, status: 'SUCCEEDED', origin: 'AUTOMATIC', reason: 'DUPLICATE' }],
      }),
    );
    expect(app.bank.counts().refundedByReference).toMatchObject({ [payment.old]: 1_000 });
    expect(await booksOf(app, payment.id)).toMatchObject({ stock: 11, reserved: 0 });
  });

  test('when an operator had asked for the 10 to go back before', async () => {
    const payment = await repriced();
    await oldMoney(payment);
    await untilStatus(app, payment.id, 'REVIEW');
    dataOf(await settleReview(app, payment, 'REFUND'));
    expect((await readAsStaff(app, payment)).status).toBe('REFUNDED');
    // By now its attempt at the bank has been ended.
    app.bank.payLate(payment.present);
    expect(await untilStatus(app, payment.id, 'PAID')).toMatchObject({
      captured: 10_000,
      refunded: 1_000,
      orderStatus: 'CONFIRMED',
    });
    expect((await readAsStaff(app, payment)).refunds).toHaveLength(1);
  });

  test('but not when it was closed: what was settled elsewhere is not paid twice', async () => {
    const payment = await repriced();
    await oldMoney(payment);
    await untilStatus(app, payment.id, 'REVIEW');
    dataOf(await settleReview(app, payment, 'CLOSE'));
    app.bank.payLate(payment.present);
    await untilStatus(app, payment.id, 'PAID');
    expect((await readAsStaff(app, payment)).refunds).toEqual([]);
    expect(dataOf(await refundPayment(app, payment, { amount: 1_000 })).refundPayment.status).toBe(
      'SUCCEEDED',
    );
    expect((await readAsStaff(app, payment)).status).toBe('PAID');
  });

  test('and when the 10 had been accepted, it is the 90 that goes back', async () => {
    const payment = await repriced();
    await oldMoney(payment);
    await untilStatus(app, payment.id, 'REVIEW');
    dataOf(await settleReview(app, payment, 'ACCEPT'));
    app.bank.payLate(payment.present);
    await eventually(async () =>
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'PAID',
        amount: 1_000,
        capturedAmount: 10_000,
        refundedAmount: 9_000,
      }),
    );
  });

  test('the payer is told of the 90 that pays and of the 10 that goes back', async () => {
    const payment = await repriced();
    const email = newAddress();
    await app.dataSource.query(`UPDATE orders SET customer = $2, locale = 'en' WHERE reference = $1`, [
      payment.orderId,
      { name: 'Awa Diop', email },
    ]);
    await oldMoney(payment);
    await untilStatus(app, payment.id, 'REVIEW');
    await presentMoney(payment);
    const texts = await eventually(
      () => mails.mails.filter(({ to }) => to?.[0]?.address === email).map(({ text }) => text ?? ''),
      (all) =>
        all.some((text) => text.includes('confirmed')) && all.some((text) => text.includes('giving all')),
    );
    expect(texts.find((text) => text.includes('confirmed'))).toContain('your payment of €90.00');
    expect(texts.find((text) => text.includes('giving all'))).toContain('a payment of €10.00');
  });
});

describe('an order that went from 10 to 90 between two payments is paid by the 90, and the 10 goes back', () => {
  test.each([
    ['the 10 comes first', ['old', 'present']],
    ['the 90 comes first', ['present', 'old']],
  ])('when %s', async (_, moneys) => {
    const { sku } = await app.addProduct({ unitAmount: 1_000, currency: 'EUR', stock: 20 });
    const { orderId, token } = await app.order(sku);
    const first = await app.pay(orderId, token, AT_BANK);
    dataOf(await cancelPayment(app, first.id, token));
    await changeQuantity(app, orderId, token, sku, 9);
    const second = await app.pay(orderId, token, { method: 'CARD' });
    await settled(app);
    for (const money of moneys) {
      if (money === 'old') app.bank.payLate(`${first.id}-1`);
      else app.stripe.pay(second.nextAction.clientSecret, GOOD_CARD);
      await settled(app);
    }
    expect(await untilStatus(app, second.id, 'PAID')).toMatchObject({ captured: 9_000, refunded: 0 });
    expect(await untilStatus(app, first.id, 'REFUNDED')).toMatchObject({ captured: 1_000, refunded: 1_000 });
    expect(await readAsStaff(app, first)).toMatchObject({
      order: { status: 'CONFIRMED' },
      refunds: [{ origin: 'AUTOMATIC', reason: 'DUPLICATE' }],
    });
    expect(await booksOf(app, second.id)).toMatchObject({ stock: 11, reserved: 0 });
  });
});

describe('money that does not fit, in several parts', () => {
  test('waits for a person as a whole, who may accept it as a whole', async () => {
    const payment = await BANK.open(app, { stock: 5 });
    for (const [place, amount] of [700, 800].entries()) {
      await notify(app, BANK, BANK.paid(payment, { amount, movement: `tr_${payment.id}_${place}` }));
    }
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'REVIEW',
      capturedAmount: 1_500,
      refunds: [],
    });
    expect(codeOf(await refundPayment(app, payment))).toBe('PAYMENT_NOT_REFUNDABLE');
    expect(dataOf(await settleReview(app, payment, 'ACCEPT')).settlePaymentReview).toMatchObject({
      status: 'PAID',
      order: { status: 'CONFIRMED' },
    });
  });
});

test('whatever comes in whatever order: the first that fits pays, all else goes back, and nothing goes back before', async () => {
  const histories = fc.array(fc.constantFrom(700, 1_500, 2_000), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(histories, async (amounts) => {
      const payment = await BANK.open(app, { stock: 5 });
      for (const [place, amount] of amounts.entries()) {
        const body = BANK.paid(payment, { amount, movement: `tr_${payment.id}_${place}` });
        expect(await notify(app, BANK, body)).toBe(200);
      }
      const read = await readAsStaff(app, payment);
      const pays = amounts.indexOf(1_500);
      const goesBack = pays < 0 ? [] : amounts.filter((_, place) => place !== pays);
      expect(read).toMatchObject({
        status: pays < 0 ? 'REVIEW' : 'PAID',
        capturedAmount: amounts.reduce((sum, amount) => sum + amount, 0),
        order: { status: pays < 0 ? 'OPEN' : 'CONFIRMED' },
      });
      const inOrder = (values: number[]) => [...values].sort((one, other) => one - other);
      expect(inOrder(read.refunds.map(({ amount }: { amount: number }) => amount))).toEqual(
        inOrder(goesBack),
      );
      expect(await booksOf(app, payment.id)).toMatchObject({ stock: pays < 0 ? 5 : 4 });
    }),
    RUNS,
  );
});
