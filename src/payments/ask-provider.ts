import type { EntityManager } from 'typeorm';
import type { ProviderEvent } from '../providers/provider.js';
import { asInitiated, providerOf } from './initiate-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { askAndNote } from './note-unreadable-answer.js';
import { attemptReference as attemptReferenceOf, type PaymentAttempt } from './payment-attempt.js';
import { afterCommit } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { writeEvents } from './write-events.js';

/** What asking needs; nothing is sealed and nobody is waited for. */
export type AskingDependencies = Pick<PaymentDependencies, 'providers' | 'wakeRelay' | 'actor'>;

/**
 * Asks the provider how an attempt stands, with its refunds and disputes, and applies all that it says.
 * @throws {ProviderFailure} when it doesn't say.
 */
export async function askProvider(
  manager: EntityManager,
  dependencies: AskingDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt & { readonly providerReference: string },
): Promise<LoadedPayment> {
  const initiated = asInitiated(payment, attempt, attempt.providerReference);
  const provider = providerOf(dependencies, attempt);
  const events = await askAndNote(manager, dependencies, payment, attempt, () => provider.verify(initiated));
  return applyAnswer(manager, dependencies, payment, attempt, events);
}

/** What a provider answered of an attempt, applied as if it had been a notification. */
export async function applyAnswer(
  manager: EntityManager,
  dependencies: AskingDependencies,
  { intent }: LoadedPayment,
  { provider, number, providerReference }: PaymentAttempt,
  events: readonly ProviderEvent[],
): Promise<LoadedPayment> {
  // It was asked by this attempt's own reference: whatever the answer names, it is about this one.
  const attemptReference = attemptReferenceOf(intent.reference, number);
  const named = providerReference !== null && { providerReference };
  const about = { attemptReference, isAnswer: true as const, ...named };
  const news = {
    actor: dependencies.actor,
    provider,
    canRefund: dependencies.providers.get(provider)?.refund !== undefined,
    events: events.map((event) => ({ ...event, ...about })),
    load: () => loadPayment(manager, intent.reference),
  };
  const written = await writeEvents(manager, news, () => undefined);
  if (!written) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
  if (written.change.outboxEvents.length > 0) dependencies.wakeRelay();
  return afterCommit(written.change);
}
