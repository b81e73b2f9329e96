import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import type { InvoicePayment, SubscriptionInvoiceState } from '../providers/recurring.js';

const OF_OTHERS = statement<{ reference: string }>(
  'invoice_payments_of_others',
  `SELECT t.provider_reference AS reference FROM payment_attempt t JOIN payment_intent i ON i.id = t.intent_id
   WHERE t.provider = $1 AND t.provider_reference = ANY($2) AND i.reference <> $3
   UNION
   SELECT m.provider_reference FROM movement m JOIN payment_intent i ON i.id = m.intent_id
   WHERE m.provider = $1 AND m.provider_reference = ANY($2) AND m.kind = 'CAPTURE' AND i.reference <> $3`,
);

/**
 * One payment at the provider can pay two invoices, or what was paid for another order may be attached to one. The same
 * money stands in the books once, with whom we knew it first; for this invoice it is money that came otherwise.
 */
export async function withoutPaymentsOfOthers(
  manager: EntityManager,
  provider: string,
  intentReference: string,
  invoice: SubscriptionInvoiceState,
): Promise<SubscriptionInvoiceState> {
  if (invoice.payments.length === 0) return invoice;
  const references = invoice.payments.map(({ paymentReference }) => paymentReference);
  const found = await run(manager, OF_OTHERS, [provider, references, intentReference]);
  if (found.length === 0) return invoice;
  const elsewhere = new Set(found.map(({ reference }) => reference));
  const payments = invoice.payments.filter(({ paymentReference }) => !elsewhere.has(paymentReference));
  const { amountToCollect, standing } = invoice;
  const isPaid = standing.kind === 'paid';
  return {
    ...invoice,
    payments,
    amountToCollect: isPaid ? Math.min(amountToCollect, brought(payments)) : amountToCollect,
  };
}

function brought(payments: readonly InvoicePayment[]): number {
  return payments.reduce((sum, { outcome }) => sum + (outcome?.kind === 'paid' ? outcome.amount : 0), 0);
}
