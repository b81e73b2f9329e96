import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import { LimitError } from '../limits/limit-error.js';
import { loadPayment } from './loaded-payment.js';
import { setFailure, type PaymentChange } from './payment-change.js';
import type { PaymentIntent } from './payment-intent.js';
import { awaitsPayer } from './transitions.js';
import { recentDeclines } from './recent-declines.js';
import { writeChange } from './write-change.js';

/** Who tries out stolen cards needs many declines; an honest payer has another card, or gives up. */
const MOST_OF_PAYMENT = 5;

/** Until then some of them are more than an hour ago, as a rule. */
const RETRY_AFTER_SECONDS = 15 * 60;

export const TOO_MANY_DECLINES = 'TOO_MANY_DECLINES';

/** Before a payer opens another payment. @param most in an hour; 0: any number. @throws {LimitError} RATE_LIMITED */
export function refuseAfterDeclines(declines: number, most: number): void {
  if (most === 0 || declines < most) return;
  throw new LimitError(
    'RATE_LIMITED',
    'Too many cards were declined from here in the last hour. Try again later, or ask the shop.',
    RETRY_AFTER_SECONDS,
  );
}

/** Counts one, and has the payment ended where it was one too many. What its provider says again is no other one. */
export function countDecline(change: PaymentChange): void {
  const { intent, now } = change;
  intent.declines += 1;
  intent.declinedAt = now;
  change.intentChanged = true;
  change.hasNewDecline = true;
  if (intent.declines >= MOST_OF_PAYMENT) endSoon(change);
}

/** By the job that ends payments whose time is up: at the provider first, so that no card is tried there any more. */
function endSoon(change: PaymentChange): void {
  if (!awaitsPayer(change.intent.status)) return;
  change.intent.expiresAt = change.now;
  setFailure(change, TOO_MANY_DECLINES, 'Too many cards were declined.');
}

const DECLINED_ELSEWHERE = statement<{ declines: number; references: string[] }>(
  'payments_of_declined_client',
  `SELECT ${recentDeclines('$1', '$2')} AS declines,
     coalesce(array_agg(i.reference), '{}') AS references
   FROM payment_intent i JOIN orders o ON o.id = i.order_id
   WHERE i.declined_at > now() - interval '1 hour' AND i.status IN ('PENDING', 'UNKNOWN')
     AND i.failure_code IS DISTINCT FROM '${TOO_MANY_DECLINES}'
     AND (i.client_digest = $1 OR o.customer_id = $2)`,
);

/** After a decline was written: whoever opened many payments first has not many more tries for it. */
export async function endPaymentsOfDeclined(
  manager: EntityManager,
  actor: string,
  { clientDigest }: PaymentIntent,
  customerId: string | null,
  most: number,
): Promise<void> {
  if (most === 0 || (clientDigest === null && customerId === null)) return;
  const [found] = await run(manager, DECLINED_ELSEWHERE, [clientDigest, customerId]);
  if (!found || found.declines < most) return;
  for (const reference of found.references) {
    await writeChange(manager, actor, () => loadPayment(manager, reference), endSoon);
  }
}
