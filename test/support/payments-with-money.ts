import { CREATE_PAYMENT, dataOf, type RunningApp } from './running-app.js';
import { untilStatus } from './books.js';
import { BANK, STRIPE, type NotifyingProvider, type OpenPayment } from './notifying-provider.js';
import { settled } from './settled.js';
import { GOOD_CARD } from './ways-to-pay.js';

/** The payer pays, at the provider. */
export function payAt(app: RunningApp, provider: NotifyingProvider, payment: OpenPayment): void {
  if (provider === BANK) app.bank.pay(payment.attemptReference);
  else app.stripe.pay(payment.providerReference, GOOD_CARD);
}

export async function paidPayment(
  app: RunningApp,
  provider: NotifyingProvider,
  stock = 5,
): Promise<OpenPayment> {
  const payment = await provider.open(app, { stock });
  payAt(app, provider, payment);
  await untilStatus(app, payment.id, 'PAID');
  await settled(app);
  return payment;
}

/** Opened by the shop's backend for money to be held; nobody has paid it yet. */
export async function manualPayment(app: RunningApp, stock = 5, way: object = {}): Promise<OpenPayment> {
  const { sku, unitAmount, currency } = await app.addProduct({ stock });
  const order = await app.order(sku);
  const input = { orderId: order.orderId, captureMethod: 'MANUAL', ...way };
  const answer = await app.graphql(CREATE_PAYMENT, { input }, app.apiKey);
  const { paymentIntent, nextAction } = dataOf(answer).createPaymentIntent;
  const { id } = paymentIntent;
  await app.stripe.settled();
  const providerReference = nextAction.clientSecret?.split('_secret_')[0] ?? nextAction.url.split('/').at(-1);
  return { ...order, sku, amount: unitAmount, currency, id, attemptReference: `${id}-1`, providerReference };
}

/** The payer has paid, and the money is held. */
export async function heldPayment(app: RunningApp, stock = 5): Promise<OpenPayment> {
  const payment = await manualPayment(app, stock);
  payAt(app, STRIPE, payment);
  await untilStatus(app, payment.id, 'AUTHORIZED');
  await settled(app);
  return payment;
}

/** Paid for what the order cost before it was changed: 1500 of 2000. A person has to decide. */
export async function underpaidPayment(
  app: RunningApp,
  provider: NotifyingProvider,
  stock = 5,
): Promise<OpenPayment> {
  const payment = await provider.open(app, { stock });
  // As it stands between the change of the order and that of the payment.
  const sql = 'UPDATE orders SET amount = 2000, version = version + 1 WHERE reference = $1';
  await app.dataSource.query(sql, [payment.orderId]);
  payAt(app, provider, payment);
  await untilStatus(app, payment.id, 'REVIEW');
  await settled(app);
  return payment;
}
