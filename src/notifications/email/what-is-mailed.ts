import type { PaymentStatus } from '../../payments/transitions.js';
import type { EmailTemplate } from './email-template.js';

/** A change of a payment, as far as it decides who is written to. */
export interface Transition {
  readonly from: PaymentStatus | null;
  readonly to: PaymentStatus;
  readonly happened: readonly Happening[];
}

/** What else a change brought. A status alone does not tell it: a second refund leaves it as it is. */
export type Happening =
  /** Money went back to the payer. */
  | 'GIVEN_BACK'
  /** Money came that does not fit, and is being given back by itself: decision 5. */
  | 'GOING_BACK'
  /** A dispute was heard of for the first time, or is open again. */
  | 'DISPUTE_OPENED'
  /** Nothing of it went back to the payer, or it came back from them. */
  | 'REFUND_FAILED'
  /** Of a refund that failed the customer had been told that it goes back to them. */
  | 'REFUND_RETURNED'
  /** Something is wrong, and the payment stays as it is: PAID money is not put under review. */
  | 'PROBLEM_NOTED'
  /** What a payer has saved could not be charged while they were away. */
  | 'PAYER_NEEDED';

export interface Mail {
  readonly to: 'CUSTOMER' | 'MERCHANT';
  readonly template: EmailTemplate;
}

/** A transition has to fit everything that a rule says. */
export interface MailRule {
  readonly from?: readonly PaymentStatus[];
  /** The status that it came to; one that it stayed in is none. */
  readonly to?: PaymentStatus;
  readonly happened?: Happening;
  readonly unless?: Happening;
  readonly customer?: EmailTemplate;
  readonly merchant?: EmailTemplate;
}

/** Who is written to, and what. Every rule that fits counts. */
const MAIL_RULES: readonly MailRule[] = [
  {
    from: ['PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED', 'REVIEW'],
    to: 'PAID',
    customer: 'ORDER_CONFIRMED',
  },
  {
    from: ['FAILED', 'CANCELLED', 'EXPIRED'],
    to: 'PAID',
    customer: 'PAID_LATE',
    merchant: 'UNEXPECTED_MONEY',
  },
  { to: 'FAILED', customer: 'PAYMENT_FAILED' },
  { happened: 'GIVEN_BACK', customer: 'REFUND_MADE' },
  { happened: 'GOING_BACK', customer: 'PAYMENT_GIVEN_BACK', merchant: 'UNEXPECTED_MONEY' },
  { to: 'REVIEW', unless: 'GOING_BACK', customer: 'PAYMENT_UNDER_REVIEW', merchant: 'REVIEW_NEEDED' },
  { happened: 'PROBLEM_NOTED', unless: 'GOING_BACK', merchant: 'REVIEW_NEEDED' },
  { happened: 'DISPUTE_OPENED', merchant: 'DISPUTE_OPENED' },
  { happened: 'REFUND_FAILED', merchant: 'REFUND_ACTION_NEEDED' },
  { happened: 'REFUND_RETURNED', customer: 'REFUND_FAILED' },
  { happened: 'PAYER_NEEDED', customer: 'PAYER_NEEDED' },
];

export function mailsFor(transition: Transition): Mail[] {
  return MAIL_RULES.filter((rule) => fits(rule, transition)).flatMap(({ customer, merchant }) => [
    ...(customer ? [{ to: 'CUSTOMER' as const, template: customer }] : []),
    ...(merchant ? [{ to: 'MERCHANT' as const, template: merchant }] : []),
  ]);
}

function fits(rule: MailRule, { from, to, happened }: Transition): boolean {
  if (rule.from && (from === null || !rule.from.includes(from))) return false;
  if (rule.to && (to !== rule.to || from === to)) return false;
  if (rule.unless && happened.includes(rule.unless)) return false;
  return rule.happened === undefined || happened.includes(rule.happened);
}
