import type { RecurringSubscription } from './recurring-subscription.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A first payment is made at once, and what has changed is looked at again, with its invoices: a minute is patient. */
export const SOON_MILLISECONDS = MINUTE;

/** Stripe leaves a renewal's invoice a draft for about an hour, in which a merchant may still change it. */
const DRAFT_MILLISECONDS = 75 * MINUTE;

/** Between the provider's tries lie days. */
const OWED_MILLISECONDS = 6 * HOUR;

/** A bank debit that was under way when its subscription ended is decided by then; what is a draft still stays one. */
const LAST_DECISION_MILLISECONDS = 30 * DAY;

/** After so long, a first answer that was lost is not waited for any more. */
export const LOST_MILLISECONDS = DAY;

type Standing = Pick<RecurringSubscription, 'status' | 'createdAt' | 'currentPeriodEndsAt' | 'endedAt'>;

/**
 * When the provider is to be asked again about a subscription, if nothing is heard before.
 * @param isUndecided one of its invoices is not decided: a draft, or money on its way. @returns null: never.
 */
export function nextSubscriptionCheck(now: Date, subscription: Standing, isUndecided: boolean): Date | null {
  const { status, createdAt, currentPeriodEndsAt, endedAt } = subscription;
  const after = (milliseconds: number) => new Date(now.getTime() + milliseconds);
  if (endedAt !== null) {
    const isLate = now.getTime() - endedAt.getTime() > LAST_DECISION_MILLISECONDS;
    return isUndecided && !isLate ? after(DAY) : null;
  }
  if (status === 'INCOMPLETE') return after(pauseSince(createdAt, now));
  if (status === 'PAST_DUE' || status === 'UNPAID') return after(OWED_MILLISECONDS);
  if (isUndecided) return after(DRAFT_MILLISECONDS);
  if (currentPeriodEndsAt === null) return after(DAY);
  const renewed = new Date(currentPeriodEndsAt.getTime() + DRAFT_MILLISECONDS);
  return renewed > now ? renewed : after(pauseSince(renewed, now));
}

/** Ever more rarely. */
function pauseSince(began: Date, now: Date): number {
  return Math.min(Math.max((now.getTime() - began.getTime()) / 10, MINUTE), DAY);
}
