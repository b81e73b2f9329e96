import type { EntityManager } from 'typeorm';
import type { ProviderEvent } from '../providers/provider.js';
import { applyProviderEvent } from './apply-provider-event.js';
import { asInitiated, providerOf } from './initiate-attempt.js';
import type { LoadedPayment } from './loaded-payment.js';
import { askAndNote } from './note-unreadable-answer.js';
import type { PaymentAttempt } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { writePayment } from './write-change.js';

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
  { provider, number }: PaymentAttempt,
  events: readonly ProviderEvent[],
): Promise<LoadedPayment> {
  const speaking = dependencies.providers.get(provider);
  return writePayment(manager, dependencies, intent.reference, (change) => {
    change.providerCanRefund = speaking?.refund !== undefined;
    const attempt = change.attempts.find((candidate) => candidate.number === number);
    if (!attempt) throw new Error(`attempt ${number} is not one of ${intent.reference}`);
    // It was asked by this attempt's own reference: whatever the answer names, it is about this one.
    const attemptReference = `${intent.reference}-${number}`;
    for (const event of events) {
      applyProviderEvent(change, { ...event, attemptReference, isAnswer: true }, provider);
    }
  });
}
