import type { EntityManager } from 'typeorm';
import { inQuotes } from '../database/in-quotes.js';
import { run, statement } from '../database/statement.js';
import { OPEN_STATUSES } from '../payments/transitions.js';
import type { RecurringSubscription } from './recurring-subscription.js';

interface InvoiceRow {
  /** The provider's id of it. */
  readonly reference: string;
  readonly isOpen: boolean;
  readonly isPaid: boolean;
}

const INVOICES = statement<InvoiceRow>(
  'invoices_of_subscription',
  `SELECT s.provider_reference AS reference, i.paid_at IS NOT NULL AS "isPaid",
     i.status IN (${inQuotes(OPEN_STATUSES)}) AS "isOpen"
   FROM subscription_invoice s JOIN payment_intent i ON i.reference = s.intent_reference
   WHERE s.subscription_id = $1 ORDER BY s.created_at, s.id`,
);

/** The provider's ids of those whose payment may still come, the oldest first. */
export async function openInvoicesOf(
  manager: EntityManager,
  { id }: RecurringSubscription,
): Promise<string[]> {
  const rows = await run(manager, INVOICES, [id]);
  return rows.filter(({ isOpen }) => isOpen).map(({ reference }) => reference);
}

/** The provider's ids of those that we have as paid, whatever became of the money afterwards. */
export async function paidInvoicesOf(
  manager: EntityManager,
  { id }: RecurringSubscription,
): Promise<ReadonlySet<string>> {
  const rows = await run(manager, INVOICES, [id]);
  return new Set(rows.filter(({ isPaid }) => isPaid).map(({ reference }) => reference));
}
