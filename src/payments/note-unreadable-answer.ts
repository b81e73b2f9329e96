import type { EntityManager } from 'typeorm';
import { ProviderFailure } from '../providers/provider.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import type { PaymentAttempt } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { isNoted, note, review, type Problem } from './review.js';
import { writeChange } from './write-change.js';

/**
 * Asks a provider about an attempt. An answer that speaks of money and can't be read is noted on the payment, once: asking
 * again would get the same answer for ever, and nobody would know.
 * @throws what asking throws
 */
export async function askAndNote<Answer>(
  manager: EntityManager,
  { wakeRelay }: Pick<PaymentDependencies, 'wakeRelay'>,
  { intent }: Pick<LoadedPayment, 'intent'>,
  attempt: Pick<PaymentAttempt, 'provider' | 'number'>,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ProviderFailure && error.claims) {
      const written = await writeChange(
        manager,
        `provider:${attempt.provider}`,
        () => loadPayment(manager, intent.reference),
        (change) => {
          const problem = problemOf(attempt, error);
          if (isNoted(change, problem)) return;
          if (error.claims === 'PAYMENT') review(change, problem);
          else note(change, problem);
        },
      );
      if (written && written.change.outboxEvents.length > 0) wakeRelay();
    }
    throw error;
  }
}

function problemOf(
  { provider, number }: Pick<PaymentAttempt, 'provider' | 'number'>,
  { claims, message }: ProviderFailure,
): Problem {
  return { code: 'ANSWER_UNREADABLE', message, about: `${provider}:answer:${claims}:${number}` };
}
