import type { EntityManager } from 'typeorm';
import { isMissing } from '../customers/provider-account.js';
import { claimDue, dueBy } from '../database/claim-due.js';
import { fromRow } from '../database/rows.js';
import type { PaymentDependencies } from '../payments/payment-dependencies.js';
import { takeInvoice } from './follow-invoice.js';
import { paidInvoicesOf } from './invoices-of-subscription.js';
import { findOrExpire } from './lost-subscription.js';
import { RecurringSubscription } from './recurring-subscription.js';
import { refreshState } from './refresh-state.js';
import {
  collectsByItself,
  type CollectingProvider,
  type SubscriptionDependencies,
} from './subscription-dependencies.js';
import { nextSubscriptionCheck } from './subscription-schedule.js';

/** How many are taken in a round: the rest waits for the next one, a moment later. */
const BATCH = 20;

/**
 * Claimed for this long, so that other nodes leave it alone. What a node that died had claimed is late by this and no more;
 * what two nodes should write about it is the same.
 */
const CLAIM_SECONDS = 30;

/** The pause after a provider that did not answer. */
const UNANSWERED_SECONDS = 10 * 60;

/** Stripe gives up on an invoice after two months at the latest. */
const INVOICES_MILLISECONDS = 70 * 24 * 60 * 60 * 1_000;

type CheckingDependencies = SubscriptionDependencies & Pick<PaymentDependencies, 'log'>;

const DUE = dueBy('next_check_at', {
  table: 'recurring_subscription',
  claim: `interval '${CLAIM_SECONDS} seconds'`,
  returning: 'now() AS now, to_jsonb(due) AS row',
});

/**
 * Asks providers about subscriptions of which nothing was heard, and what came of their invoices: what lost
 * notifications would have said. @returns how many were due.
 */
export async function checkSubscriptions(
  manager: EntityManager,
  dependencies: CheckingDependencies,
): Promise<number> {
  for (let taken = 0; taken < BATCH; taken += 1) {
    // Each is claimed when its turn has come: the claim is short.
    const [due] = await claimDue<{ now: Date; row: Record<string, unknown> }>(manager, DUE, 1);
    if (!due) return taken;
    const subscription = fromRow<RecurringSubscription>(due.row);
    try {
      await check(manager, dependencies, due.now, subscription);
    } catch (error) {
      if (isMissing(error, 'object')) {
        await lookAgainTomorrow(manager, subscription);
        dependencies.log.error(
          { err: error, subscription: subscription.reference },
          'a subscription is not at its provider: is the key of another account? If not, cancel it here',
        );
        continue;
      }
      dependencies.log.warn(
        { err: error, subscription: subscription.reference },
        `could not check a subscription; next try in ${UNANSWERED_SECONDS} s`,
      );
      await checkLater(manager, subscription);
    }
  }
  return BATCH;
}

/** A change that was made meanwhile has its own mind about when to look again. */
async function checkLater(
  manager: EntityManager,
  { id, version }: Pick<RecurringSubscription, 'id' | 'version'>,
): Promise<void> {
  await manager.query(
    `UPDATE recurring_subscription SET next_check_at = now() + interval '${UNANSWERED_SECONDS} seconds'
     WHERE id = $1 AND version = $2`,
    [id, version],
  );
}

/** It is not taken for ended: with the key of another account, none would be there. */
async function lookAgainTomorrow(
  manager: EntityManager,
  { id, version }: RecurringSubscription,
): Promise<void> {
  await manager.update(
    RecurringSubscription,
    { id, version },
    { nextCheckAt: () => `now() + interval '1 day'` },
  );
}

async function check(
  manager: EntityManager,
  dependencies: CheckingDependencies,
  now: Date,
  known: RecurringSubscription,
): Promise<void> {
  const { providerReference } = known;
  const provider = dependencies.providers.get(known.provider);
  if (!provider) return waitForProvider(manager, known);
  if (!collectsByItself(provider)) throw new Error(`${known.provider} collects nothing by itself any more`);
  if (providerReference === null) return findOrExpire(manager, dependencies, provider, known, now);
  const subscription = await refreshState(manager, provider, providerReference);
  if (!subscription) throw new Error(`${known.reference} is not at ${known.provider}`);
  const heardUntil = Math.min(now.getTime(), (known.currentPeriodEndsAt ?? now).getTime());
  const since = new Date(heardUntil - INVOICES_MILLISECONDS);
  const isUndecided = await takeMissedInvoices(manager, dependencies, provider, subscription, since);
  // A change that was made meanwhile has its own mind about when to look again.
  await manager.update(
    RecurringSubscription,
    { id: subscription.id, version: subscription.version },
    { nextCheckAt: nextSubscriptionCheck(now, subscription, isUndecided) },
  );
}

/** Taken out of the configuration, which `find-missing-providers.ts` says: it may be back. */
async function waitForProvider(manager: EntityManager, { id }: RecurringSubscription): Promise<void> {
  await manager.query(
    `UPDATE recurring_subscription SET next_check_at = now() + interval '1 hour' WHERE id = $1`,
    [id],
  );
}

/** @returns whether one is left of which more may be heard: a draft, or one that is not paid, or only in part. */
async function takeMissedInvoices(
  manager: EntityManager,
  dependencies: CheckingDependencies,
  provider: CollectingProvider,
  subscription: RecurringSubscription,
  since: Date,
): Promise<boolean> {
  const listed = await provider.listInvoices(subscription.providerReference!, since);
  const paid = await paidInvoicesOf(manager, subscription);
  let isUndecided = false;
  for (const { invoiceReference } of listed.toReversed()) {
    if (paid.has(invoiceReference)) continue;
    const taken = await takeInvoice(manager, dependencies, provider, subscription, invoiceReference);
    if (taken.isOpen) isUndecided = true;
  }
  return isUndecided;
}
