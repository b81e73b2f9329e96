import type { EntityManager } from 'typeorm';
import { loadPayment } from '../payments/loaded-payment.js';
import { writeChange } from '../payments/write-change.js';
import type { Concern } from '../providers/concern.js';
import type { Provider } from '../providers/provider.js';
import type { SubscriptionInvoiceState } from '../providers/recurring.js';
import { applyInvoice } from './apply-invoice.js';
import { makeOrderOfInvoice } from './order-of-invoice.js';
import { withoutPaymentsOfOthers } from './payments-of-others.js';
import type { RecurringSubscription } from './recurring-subscription.js';
import { refreshState } from './refresh-state.js';
import {
  collectsByItself,
  type CollectingProvider,
  type FollowingDependencies,
} from './subscription-dependencies.js';
import { SubscriptionInvoice } from './subscription-invoice.js';

/**
 * What a provider's notification of an invoice leads to. @returns what came of it, or null when it is none of ours.
 * @throws {ProviderFailure}
 */
export async function followInvoice(
  manager: EntityManager,
  dependencies: FollowingDependencies,
  provider: Provider,
  { invoiceReference, providerReference }: Extract<Concern, { kind: 'invoice' }>,
): Promise<string | null> {
  if (!collectsByItself(provider)) return null;
  const named = providerReference ?? (await provider.subscriptionOfInvoice(invoiceReference));
  if (named === null) return null;
  // It also finds one of ours whose first answer was lost.
  const subscription = await refreshState(manager, provider, named);
  if (!subscription) return null;
  const { outcome } = await takeInvoice(manager, dependencies, provider, subscription, invoiceReference);
  return outcome ?? 'it is not decided yet';
}

export interface TakenInvoice {
  /** In a few words; null when it is not decided yet whether it becomes an order. */
  readonly outcome: string | null;
  /** More may come of it. */
  readonly isOpen: boolean;
}

/**
 * Asks how an invoice stands, and that becomes an order with its payment, or a step of the one that it became before.
 * Each payment of the invoice is an attempt that has the provider's own id of it, so that whatever else is heard of that
 * money (its notifications, refunds, disputes) finds it.
 * @throws {ProviderFailure}
 */
export async function takeInvoice(
  manager: EntityManager,
  dependencies: FollowingDependencies,
  provider: CollectingProvider,
  subscription: RecurringSubscription,
  invoiceReference: string,
): Promise<TakenInvoice> {
  const invoice = await provider.readInvoice(invoiceReference);
  if (!invoice) return { outcome: null, isOpen: false };
  const outcome = await manager.transaction((transaction) =>
    apply(transaction, dependencies, subscription, invoice),
  );
  dependencies.wakeRelay();
  return { outcome, isOpen: invoice.standing.kind === 'open' };
}

async function apply(
  manager: EntityManager,
  { seal }: FollowingDependencies,
  subscription: RecurringSubscription,
  invoice: SubscriptionInvoiceState,
): Promise<string | null> {
  // Two notifications of one invoice come one after the other. Nobody who holds an order waits for a subscription.
  await manager.query('SELECT 1 FROM recurring_subscription WHERE id = $1 FOR NO KEY UPDATE', [
    subscription.id,
  ]);
  const { provider } = subscription;
  const providerReference = invoice.invoiceReference;
  const known = await manager.findOneBy(SubscriptionInvoice, { provider, providerReference });
  if (!known && !invoice.isDecided) return null;
  const hasMoney = invoice.payments.some(({ outcome }) => outcome?.kind === 'paid');
  if (!known && invoice.standing.kind === 'cancelled' && !hasMoney) {
    return 'cancelled before we had heard of it';
  }
  const { intentReference } = known ?? (await makeOrderOfInvoice(manager, subscription, invoice));
  const own = await withoutPaymentsOfOthers(manager, provider, intentReference, invoice);
  const written = await writeChange(
    manager,
    `provider:${provider}`,
    () => loadPayment(manager, intentReference),
    (change) => applyInvoice(change, seal, provider, own),
  );
  if (!written) throw new Error(`the payment ${intentReference} of an invoice is not there`);
  return written.result;
}
