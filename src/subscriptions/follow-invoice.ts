import type { EntityManager } from 'typeorm';
import { applyProviderEvent } from '../payments/apply-provider-event.js';
import { loadPayment } from '../payments/loaded-payment.js';
import { attemptReference, isLive } from '../payments/payment-attempt.js';
import { changeAttempt, type PaymentChange } from '../payments/payment-change.js';
import { writeChange } from '../payments/write-change.js';
import type { Concern } from '../providers/concern.js';
import type { Provider } from '../providers/provider.js';
import type { InvoiceOutcome, SubscriptionInvoiceState } from '../providers/recurring.js';
import { makeOrderOfInvoice } from './order-of-invoice.js';
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
  // It also finds one of ours whose first answer was lost.
  const subscription = await refreshState(manager, provider, providerReference);
  if (!subscription) return null;
  const taken = await takeInvoice(manager, dependencies, provider, subscription, invoiceReference);
  return taken ?? 'there is nothing to collect, or it is not decided yet';
}

/**
 * Asks what came of an invoice, and that becomes an order with its payment, or a step of the one that it became before.
 * The payment has the provider's own id of it as its attempt's, so that whatever else is heard of that money (its
 * notifications, refunds, disputes) finds it.
 * @returns what came of it; null when there is nothing to collect, or it is not decided yet. @throws {ProviderFailure}
 */
export async function takeInvoice(
  manager: EntityManager,
  dependencies: FollowingDependencies,
  provider: CollectingProvider,
  subscription: RecurringSubscription,
  invoiceReference: string,
): Promise<string | null> {
  const invoice = await provider.readInvoice(invoiceReference);
  const outcome = invoice?.outcome;
  if (!outcome) return null;
  const taken = await manager.transaction((transaction) =>
    apply(transaction, dependencies, subscription, invoice, outcome),
  );
  dependencies.wakeRelay();
  return taken;
}

async function apply(
  manager: EntityManager,
  { seal }: FollowingDependencies,
  subscription: RecurringSubscription,
  invoice: SubscriptionInvoiceState,
  outcome: InvoiceOutcome,
): Promise<string> {
  // Two notifications of one invoice come one after the other. Nobody who holds an order waits for a subscription.
  await manager.query('SELECT 1 FROM recurring_subscription WHERE id = $1 FOR NO KEY UPDATE', [
    subscription.id,
  ]);
  const { provider } = subscription;
  const providerReference = invoice.invoiceReference;
  const known = await manager.findOneBy(SubscriptionInvoice, { provider, providerReference });
  if (!known && outcome.kind === 'cancelled') return 'cancelled before we had heard of it';
  const { intentReference } = known ?? (await makeOrderOfInvoice(manager, subscription, invoice));
  const written = await writeChange(
    manager,
    `provider:${provider}`,
    () => loadPayment(manager, intentReference),
    (change) => {
      if (outcome.kind === 'declined') letPayerPay(change, seal, outcome);
      const event = { attemptReference: attemptReference(intentReference, 1), outcome };
      return applyProviderEvent(change, event, provider);
    },
  );
  if (!written) throw new Error(`the payment ${intentReference} of an invoice is not there`);
  return written.result;
}

/** With another card, say, before the provider tries again. */
function letPayerPay(
  change: PaymentChange,
  seal: FollowingDependencies['seal'],
  { nextAction }: Extract<InvoiceOutcome, { kind: 'declined' }>,
): void {
  const [attempt] = change.attempts;
  if (!attempt || !isLive(attempt) || attempt.sealedNextAction !== null) return;
  changeAttempt(change, attempt, { sealedNextAction: seal.seal(nextAction, attempt.id) });
}
