import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { Customer } from '../customers/customer.js';
import { toRow } from '../database/rows.js';
import { run, statement } from '../database/statement.js';
import { isCurrency } from '../money.js';
import { detailsOf } from '../orders/create-order.js';
import { NO_BOOKING } from '../orders/booking-request.js';
import { Order } from '../orders/order.js';
import type { OrderLine } from '../orders/order-line.js';
import { Product } from '../orders/product.js';
import { applyProviderEvent } from '../payments/apply-provider-event.js';
import { commitChange } from '../payments/commit-change.js';
import { loadPayment } from '../payments/loaded-payment.js';
import { attemptReference } from '../payments/payment-attempt.js';
import { addAttempt, changeAttempt, checkSoon, openIntent } from '../payments/payment-change.js';
import { writeChange } from '../payments/write-change.js';
import type { Concern } from '../providers/concern.js';
import type { Provider } from '../providers/provider.js';
import type { SubscriptionInvoiceState } from '../providers/recurring.js';
import { newReference } from '../references.js';
import { findRow, followSubscription } from './follow-subscription.js';
import { RecurringSubscription } from './recurring-subscription.js';
import { collectsByItself } from './subscription-dependencies.js';
import { SubscriptionInvoice } from './subscription-invoice.js';

const INSERT_ORDER = statement(
  'insert_order_of_invoice',
  `WITH new_order AS (INSERT INTO orders SELECT * FROM jsonb_populate_record(NULL::orders, $1))
   INSERT INTO order_line SELECT * FROM jsonb_populate_recordset(NULL::order_line, $2)`,
);

/**
 * What a provider's notification of an invoice leads to: it is asked what came of it, and that becomes an order with its
 * payment, or a step of the one that it became before. The payment has the provider's own id of it as its attempt's, so
 * that whatever else is heard of that money (its notifications, refunds, disputes) finds it.
 * @returns what came of it, or null when it is none of ours. @throws {ProviderFailure}
 */
export async function followInvoice(
  manager: EntityManager,
  wakeRelay: () => void,
  provider: Provider,
  { invoiceReference, providerReference }: Extract<Concern, { kind: 'invoice' }>,
): Promise<string | null> {
  // It also finds one of ours whose first answer was lost.
  const followed = await followSubscription(manager, provider, { kind: 'subscription', providerReference });
  const subscription = await findRow(manager, provider.name, { providerReference });
  if (followed === null || !subscription || !collectsByItself(provider)) return null;
  const invoice = await provider.readInvoice(invoiceReference);
  if (invoice === null) return null;
  if (invoice.outcome === null) return 'there is nothing to collect, or it is not decided yet';
  const outcome = await manager.transaction((transaction) => apply(transaction, subscription, invoice));
  wakeRelay();
  return outcome;
}

async function apply(
  manager: EntityManager,
  subscription: RecurringSubscription,
  invoice: SubscriptionInvoiceState,
): Promise<string> {
  // Two notifications of one invoice come one after the other. Nobody who holds an order waits for a subscription.
  await manager.query('SELECT 1 FROM recurring_subscription WHERE id = $1 FOR NO KEY UPDATE', [
    subscription.id,
  ]);
  const { provider } = subscription;
  const known = await manager.findOneBy(SubscriptionInvoice, {
    provider,
    providerReference: invoice.invoiceReference,
  });
  const { intentReference } = known ?? (await makeOrder(manager, subscription, invoice));
  const written = await writeChange(
    manager,
    `provider:${provider}`,
    () => loadPayment(manager, intentReference),
    (change) => {
      const event = { attemptReference: attemptReference(intentReference, 1), outcome: invoice.outcome! };
      return applyProviderEvent(change, event, provider);
    },
  );
  if (!written) throw new Error(`the payment ${intentReference} of an invoice is not there`);
  return written.result;
}

/** The order, its lines and its payment, which is open for no longer than this transaction. */
async function makeOrder(
  manager: EntityManager,
  subscription: RecurringSubscription,
  invoice: SubscriptionInvoiceState,
): Promise<SubscriptionInvoice> {
  const order = await newOrder(manager, subscription, invoice);
  const lines = await linesOf(manager, subscription, order);
  await run(manager, INSERT_ORDER, [JSON.stringify(toRow(order)), JSON.stringify(lines.map(toRow))]);
  const times = { expiresAt: order.createdAt, captureMethod: 'AUTOMATIC' as const };
  const change = openIntent(order, `provider:${subscription.provider}`, order.createdAt, times);
  const way = {
    ...{ provider: subscription.provider, method: 'CARD' as const, presentation: 'EMBEDDED' as const },
    ...{ returnUrl: null, phoneNumber: null, country: null, operator: null, fallbackOf: null },
  };
  const attempt = addAttempt(change, way, {});
  changeAttempt(change, attempt, { providerReference: invoice.paymentReference });
  // What was given back before we knew whose it was is asked for.
  checkSoon(change);
  if (!(await commitChange(manager, change))) throw new Error(`the new order ${order.reference} was changed`);
  const row = {
    id: uuidv7(),
    subscriptionId: subscription.id,
    provider: subscription.provider,
    providerReference: invoice.invoiceReference,
    orderId: order.id,
    intentReference: change.intent.reference,
    createdAt: order.createdAt,
  };
  await manager.insert(SubscriptionInvoice, row);
  return row;
}

async function newOrder(
  manager: EntityManager,
  { id: recurringSubscriptionId, customerId }: RecurringSubscription,
  { amount, currency }: SubscriptionInvoiceState,
): Promise<Order> {
  if (!isCurrency(currency)) throw new Error(`an invoice in ${currency}, which we don't count in`);
  const customer = await manager.findOneByOrFail(Customer, { id: customerId });
  const [clock]: { now: Date }[] = await manager.query('SELECT now() AS now');
  return {
    ...NO_BOOKING,
    id: uuidv7(),
    reference: newReference('ORD'),
    number: null,
    status: 'OPEN',
    amount,
    currency: currency,
    customer: detailsOf(customer),
    customerId,
    recurringSubscriptionId,
    metadata: {},
    locale: customer.locale,
    reservedUntil: null,
    version: 1,
    createdAt: clock!.now,
    confirmedAt: null,
    refundedAt: null,
    restockedAt: null,
  };
}

/** What the customer subscribed to; where the provider's total is another (a discount, a part of a period), one line of it. */
async function linesOf(
  manager: EntityManager,
  { lines, amount, currency }: RecurringSubscription,
  order: Order,
): Promise<OrderLine[]> {
  const line = { orderId: order.id, quantity: 1, productId: null, sku: null };
  if (order.amount !== amount || order.currency !== currency) {
    const name = lines.map(({ name: one }) => one).join(', ');
    return [{ ...line, id: uuidv7(), position: 1, name, unitAmount: order.amount }];
  }
  return Promise.all(
    lines.map(async ({ productId, name, quantity, unitAmount }, index) => {
      const product = await manager.findOneBy(Product, { id: productId });
      const ofCatalogue = { productId: product?.id ?? null, sku: product?.sku ?? null };
      return { ...line, ...ofCatalogue, id: uuidv7(), position: index + 1, name, quantity, unitAmount };
    }),
  );
}
