import type { ProviderEvent, ProviderOutcome } from '../providers/provider.js';
import type { PaymentChange } from './payment-change.js';
import { review } from './review.js';

/** Notes, once, that the database refuses what a provider says: it is never believed, and a person hears of it. */
export function noteRefusal(
  change: PaymentChange,
  { outcome, providerReference }: ProviderEvent,
  provider: string,
  constraint: string,
): string {
  const subject = subjectOf(outcome) ?? providerReference ?? outcome.kind;
  const noted = review(change, {
    code: 'REFUSED_BY_BOOKS',
    message: `${provider} says ${inWords(outcome)} (${subject}), and ${WHY[constraint] ?? 'the books can’t hold that'}.`,
    about: `${provider}:${subject}`,
  });
  return `${noted} [${constraint}]`;
}

const WHY: Readonly<Record<string, string>> = {
  movement_once: 'that money is in the books of another payment',
  refund_provider_reference_once: 'that refund is in the books of another payment',
  dispute_provider_reference_once: 'that dispute is in the books of another payment',
  payment_attempt_provider_reference_once: 'that is another payment’s attempt',
};

/** The provider's id of what moved. */
function subjectOf(outcome: ProviderOutcome): string | undefined {
  switch (outcome.kind) {
    case 'paid':
      return outcome.movementReference;
    case 'refund':
      return outcome.providerRefundReference;
    case 'dispute':
      return outcome.providerDisputeReference;
    default:
      return undefined;
  }
}

function inWords(outcome: ProviderOutcome): string {
  return 'amount' in outcome ? `${outcome.kind}, ${outcome.amount} ${outcome.currency}` : outcome.kind;
}
