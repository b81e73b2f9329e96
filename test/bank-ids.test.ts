import { untilStatus } from './support/books.js';
import { dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { expectSettled } from './support/settled.js';
import { refundPayment } from './support/staff-calls.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

test.each([
  // Longer than we store: a refund leaves the id out, and the bank knows the payment by its address.
  ['three hundred characters', 'LONG'],
  ['a number of nineteen digits', 'NUMBERS'],
] as const)('money whose id at its bank is %s can be given back', async (_what, ids) => {
  app.bank.write({ ids });
  const { sku } = await app.addProduct();
  const { orderId, token } = await app.order(sku);
  const payment = await app.pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
  app.bank.pay(`${payment.id}-1`);
  await untilStatus(app, payment.id, 'PAID');

  expect(dataOf(await refundPayment(app, payment, { amount: 500 })).refundPayment).toMatchObject({
    status: 'SUCCEEDED',
    failureCode: null,
  });
  await untilStatus(app, payment.id, 'PARTIALLY_REFUNDED');
});
