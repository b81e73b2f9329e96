/** Stripe's published test cards (docs.stripe.com/testing): what happens when somebody pays with one. */
export interface TestCard {
  readonly number: string;
  /** The payment method that stands for the card in the API. */
  readonly paymentMethod: string;
  readonly brand: string;
  readonly label: string;
  /** Whether the bank asks the payer first (3-D Secure). */
  readonly authentication: boolean;
  readonly result: CardResult;
  /** Cards whose refunds don't simply succeed. */
  readonly refund?: 'FAILS_LATER' | 'PENDING_AT_FIRST';
  /** Whether its bank asks for payments without the payer, too; it does, when left out and it asks at all. */
  readonly offSession?: 'ASKS_UNLESS_SET_UP' | 'NEVER_ASKS';
  /** It can be saved, although it then never pays. */
  readonly savedThoughDeclined?: true;
}

export type Decline = Extract<CardResult, { kind: 'declines' }>;

export type CardResult =
  | { readonly kind: 'succeeds' }
  /** Decided later, by `settle`: how a bank debit behaves. */
  | { readonly kind: 'processes' }
  | {
      readonly kind: 'declines';
      readonly code: string;
      readonly declineCode?: string;
      readonly message: string;
    };

const SUCCEEDS: CardResult = { kind: 'succeeds' };

function declines(code: string, declineCode: string | undefined, message: string): CardResult {
  return { kind: 'declines', code, message, ...(declineCode !== undefined && { declineCode }) };
}

const DECLINED = 'Your card was declined.';
const INSUFFICIENT = declines('card_declined', 'insufficient_funds', 'Your card has insufficient funds.');

function card(
  number: string,
  paymentMethod: string,
  label: string,
  result: CardResult,
  more: Partial<TestCard> = {},
): TestCard {
  return { number, paymentMethod, brand: 'visa', label, authentication: false, result, ...more };
}

const ASKS = { authentication: true };

export const TEST_CARDS: readonly TestCard[] = [
  card('4242424242424242', 'pm_card_visa', 'Succeeds', SUCCEEDS),
  card('4000056655665556', 'pm_card_visa_debit', 'Succeeds (debit)', SUCCEEDS),
  card('5555555555554444', 'pm_card_mastercard', 'Succeeds (Mastercard)', SUCCEEDS, { brand: 'mastercard' }),
  card('378282246310005', 'pm_card_amex', 'Succeeds (American Express)', SUCCEEDS, { brand: 'amex' }),
  card(
    '4000002500003155',
    'pm_card_authenticationRequiredOnSetup',
    'Asks for 3-D Secure; once set up, not without the payer',
    SUCCEEDS,
    { ...ASKS, offSession: 'ASKS_UNLESS_SET_UP' },
  ),
  card(
    '4000003800000446',
    'pm_card_authenticationRequiredSetupForOffSession',
    'Asks for 3-D Secure; never without the payer',
    SUCCEEDS,
    { ...ASKS, offSession: 'NEVER_ASKS' },
  ),
  card('4000002760003184', 'pm_card_authenticationRequired', 'Always asks for 3-D Secure', SUCCEEDS, ASKS),
  card('4000000000003220', 'pm_card_threeDSecure2Required', 'Asks for 3-D Secure 2', SUCCEEDS, ASKS),
  card('4000000000003055', 'pm_card_threeDSecureOptional', 'Supports 3-D Secure, needs none', SUCCEEDS),
  card(
    '4000008260003178',
    'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
    '3-D Secure, then insufficient funds',
    INSUFFICIENT,
    ASKS,
  ),
  card(
    '4000008400001629',
    'pm_card_threeDSecureRequiredChargeDeclined',
    '3-D Secure, then declined',
    declines('card_declined', 'generic_decline', DECLINED),
    ASKS,
  ),
  card(
    '4000000000000002',
    'pm_card_visa_chargeDeclined',
    'Declined',
    declines('card_declined', 'generic_decline', DECLINED),
  ),
  card(
    '4000000000009995',
    'pm_card_visa_chargeDeclinedInsufficientFunds',
    'Insufficient funds',
    INSUFFICIENT,
  ),
  card(
    '4000000000009987',
    'pm_card_visa_chargeDeclinedLostCard',
    'Lost card',
    declines('card_declined', 'lost_card', DECLINED),
  ),
  card(
    '4000000000009979',
    'pm_card_visa_chargeDeclinedStolenCard',
    'Stolen card',
    declines('card_declined', 'stolen_card', DECLINED),
  ),
  card(
    '4000000000000069',
    'pm_card_chargeDeclinedExpiredCard',
    'Expired card',
    declines('expired_card', undefined, 'Your card has expired.'),
  ),
  card(
    '4000000000000127',
    'pm_card_chargeDeclinedIncorrectCvc',
    'Wrong CVC',
    declines('incorrect_cvc', undefined, "Your card's security code is incorrect."),
  ),
  card(
    '4000000000000119',
    'pm_card_chargeDeclinedProcessingError',
    'Processing error',
    declines('processing_error', undefined, 'An error occurred while processing your card. Try again soon.'),
  ),
  card(
    '4000000000000341',
    'pm_card_chargeCustomerFail',
    'Can be saved, and is always declined',
    declines('card_declined', 'generic_decline', DECLINED),
    { savedThoughDeclined: true },
  ),
  card('4000000000005126', 'pm_card_refundFail', 'Succeeds; a refund fails later', SUCCEEDS, {
    refund: 'FAILS_LATER',
  }),
  card('4000000000007726', 'pm_card_pendingRefund', 'Succeeds; a refund is pending at first', SUCCEEDS, {
    refund: 'PENDING_AT_FIRST',
  }),
  card('000123456789', 'pm_usBankAccount_processing', 'Bank debit: stays in processing until settled', {
    kind: 'processes',
  }),
  card(
    'DE89370400440532013000',
    'pm_sepaDebit_processing',
    'SEPA debit: stays in processing until settled',
    { kind: 'processes' },
    { brand: 'sepa_debit' },
  ),
];

const CARDS: ReadonlyMap<string, TestCard> = new Map([
  ...TEST_CARDS.map((known) => [known.number, known] as const),
  ...TEST_CARDS.map((known) => [known.paymentMethod, known] as const),
  ...TEST_CARDS.filter(({ paymentMethod }) => paymentMethod === 'pm_card_visa_chargeDeclined').map(
    (known) => ['pm_card_chargeDeclined', known] as const,
  ),
]);

/** By number, with or without spaces, or by payment method. */
export function findTestCard(numberOrPaymentMethod: string): TestCard | undefined {
  return CARDS.get(numberOrPaymentMethod.replaceAll(' ', ''));
}
