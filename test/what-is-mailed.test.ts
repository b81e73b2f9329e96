import { mailsFor, type Happening } from '../src/notifications/email/what-is-mailed.js';
import type { PaymentStatus } from '../src/payments/transitions.js';

/** From, to, what happened, what the customer is told, what the merchant is told. */
type Row = readonly [PaymentStatus | null, PaymentStatus, readonly Happening[], string | null, string | null];

const ROWS: readonly Row[] = [
  [null, 'PENDING', [], null, null],
  ['PENDING', 'PROCESSING', [], null, null],
  ['PENDING', 'UNKNOWN', [], null, null],
  ['PENDING', 'AUTHORIZED', [], null, null],
  ['PENDING', 'PAID', [], 'ORDER_CONFIRMED', null],
  ['PROCESSING', 'PAID', [], 'ORDER_CONFIRMED', null],
  ['UNKNOWN', 'PAID', [], 'ORDER_CONFIRMED', null],
  ['AUTHORIZED', 'PAID', [], 'ORDER_CONFIRMED', null],
  ['REVIEW', 'PAID', [], 'ORDER_CONFIRMED', null],
  ['FAILED', 'PAID', [], 'PAID_LATE', 'UNEXPECTED_MONEY'],
  ['CANCELLED', 'PAID', [], 'PAID_LATE', 'UNEXPECTED_MONEY'],
  ['EXPIRED', 'PAID', [], 'PAID_LATE', 'UNEXPECTED_MONEY'],
  ['PENDING', 'FAILED', [], 'PAYMENT_FAILED', null],
  ['PROCESSING', 'FAILED', [], 'PAYMENT_FAILED', null],
  ['UNKNOWN', 'FAILED', [], 'PAYMENT_FAILED', null],
  ['AUTHORIZED', 'FAILED', [], 'PAYMENT_FAILED', null],
  ['PENDING', 'CANCELLED', [], null, null],
  ['PENDING', 'EXPIRED', [], null, null],
  ['PENDING', 'REVIEW', [], 'PAYMENT_UNDER_REVIEW', 'REVIEW_NEEDED'],
  ['AUTHORIZED', 'REVIEW', [], 'PAYMENT_UNDER_REVIEW', 'REVIEW_NEEDED'],
  ['EXPIRED', 'REVIEW', [], 'PAYMENT_UNDER_REVIEW', 'REVIEW_NEEDED'],
  ['EXPIRED', 'REVIEW', ['GOING_BACK'], 'PAYMENT_GIVEN_BACK', 'UNEXPECTED_MONEY'],
  ['PAID', 'PAID', ['GOING_BACK'], 'PAYMENT_GIVEN_BACK', 'UNEXPECTED_MONEY'],
  ['PAID', 'PAID', ['GIVEN_BACK'], 'REFUND_MADE', null],
  ['REVIEW', 'REFUNDED', ['GIVEN_BACK'], 'REFUND_MADE', null],
  ['REVIEW', 'CANCELLED', [], null, null],
  ['PAID', 'PARTIALLY_REFUNDED', ['GIVEN_BACK'], 'REFUND_MADE', null],
  ['PARTIALLY_REFUNDED', 'PARTIALLY_REFUNDED', ['GIVEN_BACK'], 'REFUND_MADE', null],
  ['PARTIALLY_REFUNDED', 'REFUNDED', ['GIVEN_BACK'], 'REFUND_MADE', null],
  ['DISPUTED', 'DISPUTED', ['GIVEN_BACK'], 'REFUND_MADE', null],
  // A refund that had succeeded failed after all.
  ['REFUNDED', 'PAID', [], null, null],
  ['PARTIALLY_REFUNDED', 'PAID', [], null, null],
  ['PAID', 'PAID', ['PROBLEM_NOTED'], null, 'REVIEW_NEEDED'],
  ['DISPUTED', 'DISPUTED', ['PROBLEM_NOTED'], null, 'REVIEW_NEEDED'],
  ['REVIEW', 'REVIEW', ['PROBLEM_NOTED'], null, 'REVIEW_NEEDED'],
  ['PAID', 'PAID', ['GOING_BACK', 'PROBLEM_NOTED'], 'PAYMENT_GIVEN_BACK', 'UNEXPECTED_MONEY'],
  ['PAID', 'DISPUTED', ['DISPUTE_OPENED'], null, 'DISPUTE_OPENED'],
  ['DISPUTED', 'DISPUTED', ['DISPUTE_OPENED'], null, 'DISPUTE_OPENED'],
  ['DISPUTED', 'DISPUTED', [], null, null],
  ['DISPUTED', 'PAID', [], null, null],
  ['DISPUTED', 'REFUNDED', [], null, null],
];

test.each(ROWS)(
  '%s to %s with %j: the customer gets %s, the merchant %s',
  (from, to, happened, customer, merchant) => {
    const mails = mailsFor({ from, to, happened });
    const told = (whom: 'CUSTOMER' | 'MERCHANT') =>
      mails.filter(({ to }) => to === whom).map(({ template }) => template);
    expect(told('CUSTOMER')).toEqual(customer === null ? [] : [customer]);
    expect(told('MERCHANT')).toEqual(merchant === null ? [] : [merchant]);
  },
);
