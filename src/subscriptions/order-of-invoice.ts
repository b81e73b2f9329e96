import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { databaseNow } from '../database/database-clock.js';
import { Customer } from '../customers/customer.js';
import { toRow } from '../database/rows.js';
import { run, statement } from '../database/statement.js';
import { isCurrency } from '../money.js';
import { detailsOf } from '../orders/create-order.js';
import { NO_BOOKING } from '../orders/booking-request.js';
import type { Order } from '../orders/order.js';
import type { OrderLine } from '../orders/order-line.js';
import { Product } from '../orders/product.js';
import { commitChange } from '../payments/commit-change.js';
import { openIntent } from '../payments/payment-change.js';
import type { SubscriptionInvoiceState } from '../providers/recurring.js';
import { newReference } from '../references.js';
import type { RecurringSubscription } from './recurring-subscription.js';
import { SubscriptionInvoice } from './subscription-invoice.js';

const INSERT_ORDER = statement(
  'insert_order_of_invoice',
  `WITH new_order AS (INSERT INTO orders SELECT * FROM jsonb_populate_record(NULL::orders, $1))
   INSERT INTO order_line SELECT * FROM jsonb_populate_recordset(NULL::order_line, $2)`,
);

/** Its provider alone ends the payment of an invoice, whenever that may be. */
const NO_END_MILLISECONDS = 10 * 365 * 24 * 60 * 60 * 1_000;

/**
 * The order that an invoice becomes, its lines, and its payment, which is open and has no attempt yet.
 * @param manager of a transaction that holds the subscription's row.
 */
export async function makeOrderOfInvoice(
  manager: EntityManager,
  subscription: RecurringSubscription,
  invoice: SubscriptionInvoiceState,
): Promise<SubscriptionInvoice> {
  const order = await newOrder(manager, subscription, invoice);
  const lines = await linesOf(manager, subscription, order);
  await run(manager, INSERT_ORDER, [JSON.stringify(toRow(order)), JSON.stringify(lines.map(toRow))]);
  const expiresAt = new Date(order.createdAt.getTime() + NO_END_MILLISECONDS);
  const times = { expiresAt, captureMethod: 'AUTOMATIC' as const };
  const change = openIntent(order, `provider:${subscription.provider}`, order.createdAt, times);
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
  const now = await databaseNow(manager);
  return {
    ...NO_BOOKING,
    id: uuidv7(),
    reference: newReference('ORD'),
    number: null,
    status: 'OPEN',
    writtenBy: 'MERCHANT',
    amount,
    currency: currency,
    customer: detailsOf(customer),
    customerId,
    recurringSubscriptionId,
    metadata: {},
    locale: customer.locale,
    reservedUntil: null,
    version: 1,
    createdAt: now,
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
