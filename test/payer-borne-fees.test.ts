import {
  AMOUNT,
  BY_SOFTPAY,
  ON_PAGE_OF_PAYDUNYA,
  orderInFrancs,
  readWhole,
  untilPayment,
} from './support/mobile-money.js';
import { expectBooksToAgree } from './support/both-books.js';
import { expectInvariants } from './support/invariants.js';
import { startTestApp, type RunningApp } from './support/running-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ payDunyaFees: 'payer' });
});
afterEach(async () => {
  app.paydunya.payerBearsFees(0);
  await app.paydunya.settled();
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

async function opened(way: object) {
  const order = await orderInFrancs(app);
  const { id } = await app.pay(order.orderId, order.token, way);
  return { ...order, id, reference: `${id}-1` };
}

describe('where payers bear PayDunya’s fees', () => {
  test.each([
    [
      'on its page',
      ON_PAGE_OF_PAYDUNYA,
      ({ reference }: { reference: string }) => app.paydunya.pay(reference),
    ],
    ['on the phone', BY_SOFTPAY, ({ reference }: { reference: string }) => app.paydunya.approve(reference)],
  ])('a payment %s is PAID, with the amount that reaches the shop in the books', async (_, way, pay) => {
    app.paydunya.payerBearsFees(0.02);
    const payment = await opened(way);
    pay(payment);
    await untilPayment(app, payment.id, {
      status: 'PAID',
      failureCode: null,
      capturedAmount: AMOUNT,
      order: { status: 'CONFIRMED' },
    });
    await expectBooksToAgree(app);
  });

  test('a total that no fees explain is a person’s to decide about', async () => {
    app.paydunya.payerBearsFees(0.2);
    const payment = await opened(ON_PAGE_OF_PAYDUNYA);
    app.paydunya.pay(payment.reference);
    await untilPayment(app, payment.id, { status: 'REVIEW', failureCode: 'AMOUNT_MISMATCH' });
    expect((await readWhole(app, payment.id)).capturedAmount).toBe(AMOUNT * 1.2);
  });
});
