import type Stripe from 'stripe';
import type { StripeAccount } from './account.js';
import { paymentIntentIdOf } from './charges.js';
import { chargeOf, isHoldLetGo } from './refunds.js';

/** Money that moved at Stripe, for tests that compare books. */
export interface MovementSummary {
  /** The PaymentIntent that took the money, or the charge where there is none. */
  readonly payment: string;
  readonly kind: 'CAPTURE' | 'REFUND' | 'CHARGEBACK' | 'CHARGEBACK_REVERSAL';
  /** In Stripe's units of the charge's currency, never negative. */
  readonly amount: number;
  /** Of the payment, the refund, or the balance transaction of the dispute. */
  readonly reference: string;
}

/** What was captured, what was given back and stayed so, and each transaction of each dispute. */
export function movementsOf(account: StripeAccount): MovementSummary[] {
  return [...capturesOf(account), ...refundsOf(account), ...chargebacksOf(account)];
}

function capturesOf(account: StripeAccount): MovementSummary[] {
  return [...account.charges.values()]
    .filter(({ status, amount_captured: amount }) => status === 'succeeded' && amount > 0)
    .map((charge) => {
      const payment = paymentIntentIdOf(charge);
      return { payment, kind: 'CAPTURE', amount: charge.amount_captured, reference: payment };
    });
}

function refundsOf(account: StripeAccount): MovementSummary[] {
  return [...account.refunds.values()]
    .filter((refund) => refund.status === 'succeeded' && !isHoldLetGo(refund))
    .map((refund) => ({
      payment: paymentIntentIdOf(chargeOf(account, refund)),
      kind: 'REFUND',
      amount: refund.amount,
      reference: refund.id,
    }));
}

function chargebacksOf(account: StripeAccount): MovementSummary[] {
  return [...account.disputes.values()].flatMap((dispute) => {
    const payment = paymentIntentIdOf(chargeOf(account, dispute));
    return dispute.balance_transactions.map((transaction) => ({
      payment,
      kind: transaction.amount < 0 ? ('CHARGEBACK' as const) : ('CHARGEBACK_REVERSAL' as const),
      amount: Math.abs(inChargesCurrency(transaction)),
      reference: transaction.id,
    }));
  });
}

function inChargesCurrency({ amount, exchange_rate: rate }: Stripe.BalanceTransaction): number {
  return Math.round(amount / (rate ?? 1));
}
