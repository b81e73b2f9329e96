import { applyProviderEvent } from '../payments/apply-provider-event.js';
import {
  bookCollected,
  confirmCollected,
  endCollected,
  followCollected,
  takeCollectedAmount,
} from '../payments/collected-payment.js';
import { attemptReference, isLive, type PaymentAttempt } from '../payments/payment-attempt.js';
import { addAttempt, changeAttempt, checkSoon, type PaymentChange } from '../payments/payment-change.js';
import { review } from '../payments/review.js';
import type { InvoicePayment, InvoiceStanding, SubscriptionInvoiceState } from '../providers/recurring.js';
import type { FollowingDependencies } from './subscription-dependencies.js';

/**
 * Brings the payment of an invoice's order to where its provider says that the invoice stands: the sum that is to come,
 * an attempt for each of its payments, their money, and what follows from all that. Applying it again changes nothing.
 * @returns what came of it, in a few words.
 */
export function applyInvoice(
  change: PaymentChange,
  seal: FollowingDependencies['seal'],
  provider: string,
  invoice: SubscriptionInvoiceState,
): string {
  takeCollectedAmount(change, invoice.amountToCollect);
  let isBooked = false;
  const said: string[] = [];
  for (const payment of invoice.payments) {
    const attempt = attemptOf(change, provider, payment);
    letPayerPay(change, seal, attempt, payment);
    const outcome = outcomeBeside(invoice.standing, payment);
    if (outcome?.kind === 'paid') isBooked = bookCollected(change, attempt, outcome) || isBooked;
    else if (outcome) {
      const event = { attemptReference: attemptReference(change.intent.reference, attempt.number), outcome };
      said.push(applyProviderEvent(change, event, provider));
    }
  }
  said.push(follow(change, invoice, isBooked));
  noteOverpaid(change, provider, invoice);
  return said.filter((text) => text !== 'nothing new').join('; ') || 'nothing new';
}

/** Once the invoice is over, a payment of it is over too, unless its money is on its way. */
function outcomeBeside({ kind }: InvoiceStanding, { outcome }: InvoicePayment): InvoicePayment['outcome'] {
  if (kind === 'open' || outcome === null || outcome.kind === 'paid') return outcome;
  // The end of the invoice is the end of all of its payments.
  if (kind !== 'paid') return null;
  return outcome.kind === 'processing'
    ? outcome
    : { kind: 'cancelled', reason: 'its invoice was paid otherwise' };
}

function follow(change: PaymentChange, { standing }: SubscriptionInvoiceState, isBooked: boolean): string {
  switch (standing.kind) {
    case 'paid':
      if (change.intent.paidAt === null) return confirmCollected(change);
      return isBooked ? followCollected(change) : 'nothing new';
    case 'open': {
      // A credit note may have brought the sum down to what has come.
      const { capturedAmount, amount, paidAt } = change.intent;
      const isAllThere = paidAt === null && capturedAmount > 0 && capturedAmount >= amount;
      return isBooked || isAllThere ? followCollected(change) : 'nothing new';
    }
    case 'failed':
      return endCollected(change, 'FAILED', standing);
    case 'cancelled':
      return endCollected(change, 'CANCELLED', { code: 'CANCELLED', message: standing.reason });
    default:
      return standing satisfies never;
  }
}

/** The provider may have made another payment of it, or somebody has attached one. */
function attemptOf(
  change: PaymentChange,
  provider: string,
  { paymentReference, amount }: InvoicePayment,
): PaymentAttempt {
  const known = change.attempts.find(
    (attempt) => attempt.provider === provider && attempt.providerReference === paymentReference,
  );
  if (known) {
    if (isLive(known) && known.amount !== amount) changeAttempt(change, known, { amount });
    return known;
  }
  const attempt = addAttempt(
    change,
    {
      ...{ provider, method: 'CARD', presentation: 'EMBEDDED', returnUrl: null, phoneNumber: null },
      ...{ country: null, operator: null, fallbackOf: null },
    },
    {},
  );
  changeAttempt(change, attempt, { providerReference: paymentReference, amount });
  // What was given back before we knew whose it was is asked for.
  checkSoon(change);
  return attempt;
}

/** With another card, say, before the provider tries again. */
function letPayerPay(
  change: PaymentChange,
  seal: FollowingDependencies['seal'],
  attempt: PaymentAttempt,
  { nextAction }: InvoicePayment,
): void {
  if (nextAction === null || !isLive(attempt) || attempt.sealedNextAction !== null) return;
  changeAttempt(change, attempt, { sealedNextAction: seal.seal(nextAction, attempt.id) });
}

/** It is no capture twice: the provider keeps it for the customer's next invoice. But somebody should know. */
function noteOverpaid(
  change: PaymentChange,
  provider: string,
  { invoiceReference, overpaidAmount }: SubscriptionInvoiceState,
): void {
  if (overpaidAmount === 0) return;
  const message = `${overpaidAmount} more than the invoice asks for; ${provider} keeps it as the customer’s credit.`;
  review(change, { code: 'OVERPAID', message, about: `${provider}:${invoiceReference}:${overpaidAmount}` });
}
