import { RETURN_URL, startTestApp, dataOf, type RunningApp } from './support/running-app.js';
import { watch } from './support/subscriber.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const statuses = (heard: readonly { status: string }[]) => heard.map(({ status }) => status);

test('a card payment goes from createPaymentIntent to PAID, pushed live, with the order confirmed', async () => {
  const { sku } = await app.addProduct({ stock: 5 });
  const { orderId, token } = await app.order(sku, 2);
  const payment = await app.pay(orderId, token, { method: 'CARD' });
  expect(payment).toMatchObject({
    status: 'PENDING',
    version: 1,
    nextAction: { __typename: 'ConfirmWithStripe' },
  });
  const watcher = watch(app, payment.id, token);
  await watcher.until((heard) => heard.length === 1);

  app.stripe.pay(payment.nextAction.clientSecret, '4242424242424242');

  await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
  expect(statuses(watcher.heard)).toEqual(['PENDING', 'PAID']);
  expect(watcher.heard.map(({ version }) => version)).toEqual([1, 2]);
  const { order } = dataOf(
    await app.graphql(`{ order(id: "${orderId}") { status reservedUntil } }`, {}, token),
  );
  expect(order).toEqual({ status: 'CONFIRMED', reservedUntil: null });
  const { products } = dataOf(await app.graphql('{ products { sku available } }'));
  expect(products).toContainEqual({ sku, available: 3 });
  expect(app.stripe.charges()).toHaveLength(1);
  await watcher.close();
});

test('a bank payment goes the same way, by redirect', async () => {
  const { sku } = await app.addProduct({ currency: 'XOF', unitAmount: 15_000 });
  const { orderId, token } = await app.order(sku);
  const payment = await app.pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
  const watcher = watch(app, payment.id, token);
  await watcher.until((heard) => heard.length === 1);

  app.bank.pay(`${payment.id}-1`);

  await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
  expect(statuses(watcher.heard)).toEqual(['PENDING', 'PAID']);
  await watcher.close();
});
