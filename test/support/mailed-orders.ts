import { randomUUID } from 'node:crypto';
import type { NotifyingProvider, OpenPayment } from './notifying-provider.js';
import { dataOf, RETURN_URL, type RunningApp } from './running-app.js';

/** An order of somebody who can be written to. */
export interface MailedOrder {
  readonly orderId: string;
  readonly token: string;
  readonly sku: string;
  readonly email: string;
}

export function newAddress(): string {
  return `${randomUUID()}@customer.example`;
}

export async function orderOf(
  app: RunningApp,
  {
    stock = 5,
    quantity = 2,
    email = newAddress(),
    ...input
  }: {
    readonly stock?: number;
    readonly quantity?: number;
    readonly email?: string;
    [more: string]: unknown;
  } = {},
): Promise<MailedOrder> {
  const { sku } = await app.addProduct({ stock, name: 'Mug', unitAmount: 1_500, currency: 'EUR' });
  const answer = await app.graphql(
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
    {
      input: { lines: [{ sku, quantity }], customer: { name: 'Awa Diop', email }, locale: 'fr-FR', ...input },
    },
    app.apiKey,
  );
  const { order, orderToken } = dataOf(answer).createOrder;
  return { orderId: order.id, token: orderToken, sku, email };
}

/** Opened at the bank, for somebody who can be written to. */
export async function bankPaymentOf(app: RunningApp, order: MailedOrder): Promise<string> {
  const { id } = await app.pay(order.orderId, order.token, { method: 'BANK', returnUrl: RETURN_URL });
  return id;
}

/** What a test opened in its own way, for somebody who can be written to from now on. */
export async function openFor(
  app: RunningApp,
  provider: NotifyingProvider,
  { stock = 5, locale = 'en' }: { readonly stock?: number; readonly locale?: string } = {},
): Promise<OpenPayment & { readonly email: string }> {
  const payment = await provider.open(app, { stock });
  const email = newAddress();
  await app.dataSource.query('UPDATE orders SET customer = $2, locale = $3 WHERE reference = $1', [
    payment.orderId,
    { name: 'Awa Diop', email },
    locale,
  ]);
  return { ...payment, email };
}

/** What became of the e-mails about a payment, in the order in which they were caused. */
export async function emailsOf(app: RunningApp, paymentIntentId: string): Promise<EmailRow[]> {
  return app.dataSource.query(
    `SELECT e.id, e.template, e.recipient, e.status, e.tries, e.edition, e.last_error AS "lastError"
     FROM email_message e JOIN payment_intent i ON i.id = e.intent_id WHERE i.reference = $1 ORDER BY e.id`,
    [paymentIntentId],
  );
}

export interface EmailRow {
  readonly id: string;
  readonly template: string;
  readonly recipient: string;
  readonly status: string;
  readonly tries: number;
  readonly edition: number;
  readonly lastError: string | null;
}
