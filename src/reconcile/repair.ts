import type { EntityManager } from 'typeorm';
import { askProvider, type AskingDependencies } from '../payments/ask-provider.js';
import { loadPayment } from '../payments/loaded-payment.js';
import { parseAttemptReference } from '../payments/payment-attempt.js';
import { PaymentError } from '../payments/payment-error.js';
import { ProviderFailure } from '../providers/provider.js';
import { SAFE_TO_REPAIR, type Difference } from './difference.js';

/**
 * Asks the provider about the attempt of a difference and applies all that it says, as if notifications had come. Leaves
 * alone what a person has to decide about. Whether it helped, only comparing again can tell.
 */
export async function repair(
  manager: EntityManager,
  dependencies: AskingDependencies,
  difference: Difference,
): Promise<void> {
  if (!SAFE_TO_REPAIR[difference.type]) return;
  const named = parseAttemptReference(difference.attemptReference);
  const payment = named && (await loadPayment(manager, named.intentReference));
  const attempt = payment?.attempts.find(({ number }) => number === named?.number);
  // Without the provider's id of it the attempt has to be begun again, which the server's own check does.
  if (!payment || !attempt || attempt.providerReference === null) return;
  const { providerReference } = attempt;
  try {
    await askProvider(manager, dependencies, payment, { ...attempt, providerReference });
  } catch (error) {
    // It is still a difference then, and said to be one.
    if (!(error instanceof ProviderFailure || error instanceof PaymentError)) throw error;
  }
}
