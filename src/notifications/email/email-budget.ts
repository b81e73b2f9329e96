import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import type { EmailFacts, EndpointFacts, NotificationFacts } from './email-facts.js';
import type { EmailTemplate } from './email-template.js';

/** How many e-mails that cost their sender nothing one address is sent within 24 hours. */
export const FREE_EMAILS_PER_DAY = 5;

/** An order's failed payments are mailed once within so long. */
export const FAILURE_PAUSE_MINUTES = 60;

interface BudgetedEmail {
  readonly template: EmailTemplate;
  readonly recipient: string;
  readonly data: EmailFacts | EndpointFacts | NotificationFacts;
}

/**
 * Whether a stranger can cause it without paying, at any address they like. Whoever has moved money is always written to, and so is
 * the merchant.
 */
export function isFree({ template, data }: BudgetedEmail): boolean {
  if (template === 'PAYMENT_FAILED' || template === 'PAYMENT_REMINDER') return true;
  return template === 'ORDER_CONFIRMED' && 'payment' in data && data.payment.capturedAmount === 0;
}

/** The mailbox behind an address: capitals and what stands behind a + make no other one. */
export function mailboxKey(recipient: string): string {
  const at = recipient.lastIndexOf('@');
  const name = recipient.slice(0, at).replace(/(?<=.)\+.*$/s, '');
  return `${name}${recipient.slice(at)}`.toLowerCase();
}

const LOCK = statement(
  'lock_mailboxes',
  `SELECT pg_advisory_xact_lock(hashtextextended('email:' || key, 0))
   FROM (SELECT DISTINCT key FROM unnest($1::text[]) AS key ORDER BY key) AS mailboxes`,
);

/** Until the transaction ends, nobody else counts what these addresses were sent. */
export async function lockMailboxes(manager: EntityManager, emails: readonly BudgetedEmail[]): Promise<void> {
  const keys = emails.filter(isFree).map(({ recipient }) => mailboxKey(recipient));
  if (keys.length > 0) await run(manager, LOCK, [keys]);
}
