import { AccessError } from '../access/access-error.js';
import { isStaffOrBackend, type Caller } from '../access/caller.js';
import { hasRole } from '../access/operator-roles.js';
import type { Order } from '../orders/order.js';
import { OrderError } from '../orders/order-error.js';
import { PaymentError } from './payment-error.js';

/**
 * What may be done to an order by whoever may see it. Paying it (and changing how it is paid) is not in the table: that
 * may everybody who sees it, for the amount is the order's. Decision 8 has the reasons.
 */
export type OrderRight =
  /** Changing its lines or its booking. */
  | 'CHANGE'
  /** Ending a payment of it that has brought no money; of one that is AUTHORIZED, letting go of the hold. */
  | 'END_PAYMENT'
  /** Cancelling it, and ending its open payment with it. */
  | 'CANCEL';

/**
 * Who acts: the payer with the order's token, the merchant by a backend or an operator, or an operator of the merchant's in
 * the role of support, who may end what nobody has paid.
 */
export type Party = 'PAYER' | 'SUPPORT' | 'MERCHANT';

type Role = 'PAYER_OF_OWN_ORDER' | 'PAYER_OF_MERCHANTS_ORDER' | 'SUPPORT' | 'MERCHANT';

/** What an order's money is doing, or one payment's. NONE: none is moving, held or under review. */
export type MoneyState = 'NONE' | 'PROCESSING' | 'AUTHORIZED' | 'REVIEW';

type Verdict =
  | 'YES'
  /** As long as the total stays what it is. */
  | 'SAME_TOTAL'
  /** Nobody may, before the money is decided about. */
  | 'NOT_NOW'
  | 'MERCHANT_ONLY';

const RIGHTS: Readonly<Record<OrderRight, Readonly<Record<Role, Readonly<Record<MoneyState, Verdict>>>>>> = {
  CHANGE: {
    PAYER_OF_OWN_ORDER: { NONE: 'YES', PROCESSING: 'NOT_NOW', AUTHORIZED: 'NOT_NOW', REVIEW: 'NOT_NOW' },
    PAYER_OF_MERCHANTS_ORDER: always('MERCHANT_ONLY'),
    SUPPORT: always('MERCHANT_ONLY'),
    // A provider collects what it was told: once the payer has acted, no amount changes there.
    MERCHANT: { NONE: 'YES', PROCESSING: 'SAME_TOTAL', AUTHORIZED: 'SAME_TOTAL', REVIEW: 'NOT_NOW' },
  },
  END_PAYMENT: {
    PAYER_OF_OWN_ORDER: endsPayment('MERCHANT_ONLY'),
    PAYER_OF_MERCHANTS_ORDER: endsPayment('MERCHANT_ONLY'),
    SUPPORT: endsPayment('MERCHANT_ONLY'),
    // Also when the service was rendered already, which only the merchant knows.
    MERCHANT: endsPayment('YES'),
  },
  CANCEL: {
    PAYER_OF_OWN_ORDER: endsPayment('MERCHANT_ONLY'),
    PAYER_OF_MERCHANTS_ORDER: always('MERCHANT_ONLY'),
    SUPPORT: endsPayment('MERCHANT_ONLY'),
    MERCHANT: endsPayment('YES'),
  },
};

function always(verdict: Verdict): Record<MoneyState, Verdict> {
  return { NONE: verdict, PROCESSING: verdict, AUTHORIZED: verdict, REVIEW: verdict };
}

/** @param held of a payment whose money is held. */
function endsPayment(held: Verdict): Record<MoneyState, Verdict> {
  return { NONE: 'YES', PROCESSING: 'NOT_NOW', AUTHORIZED: held, REVIEW: 'NOT_NOW' };
}

export function partyOf(caller: Caller): Party {
  if (caller.kind === 'operator' && !hasRole(caller.role, 'operator')) return 'SUPPORT';
  return isStaffOrBackend(caller) ? 'MERCHANT' : 'PAYER';
}

/** @param statuses of payments and their attempts; any but those that a `MoneyState` names count as none. */
export function moneyStateOf(statuses: readonly string[]): MoneyState {
  const worst = (['REVIEW', 'AUTHORIZED', 'PROCESSING'] as const).find((state) => statuses.includes(state));
  return worst ?? 'NONE';
}

/** Whether the party may end a payment that stands so. */
export function mayEndPayment(party: Party, order: WrittenOrder, money: MoneyState): boolean {
  return verdictOn('END_PAYMENT', party, order, money) === 'YES';
}

/**
 * Refuses a payment's end that only the merchant may decide on. That nobody can end it now says `PAYMENT_NOT_CANCELLABLE`
 * of the payment itself.
 * @throws {AccessError} FORBIDDEN
 */
export function refuseEndOfHold(party: Party, order: WrittenOrder, money: MoneyState): void {
  if (verdictOn('END_PAYMENT', party, order, money) === 'MERCHANT_ONLY')
    throw merchantOnly('END_PAYMENT', money);
}

/** @throws {AccessError} FORBIDDEN @throws {PaymentError} PAYMENT_NOT_CANCELLABLE, naming what the money is doing. */
export function requireCancellable(party: Party, order: WrittenOrder, money: MoneyState): void {
  switch (verdictOn('CANCEL', party, order, money)) {
    case 'YES':
    case 'SAME_TOTAL':
      return;
    case 'MERCHANT_ONLY':
      throw merchantOnly('CANCEL', money);
    case 'NOT_NOW':
      throw new PaymentError(
        'PAYMENT_NOT_CANCELLABLE',
        `This order’s payment is ${money}: ${WHY_NOT_NOW[money]}. The order can’t be cancelled before.`,
      );
  }
}

/**
 * @returns whether its total may change.
 * @throws {AccessError} FORBIDDEN @throws {OrderError} ORDER_NOT_CHANGEABLE, naming what the money is doing.
 */
export function requireChangeable(
  party: Party,
  order: WrittenOrder,
  money: MoneyState,
): { readonly mayChangeTotal: boolean } {
  const verdict = verdictOn('CHANGE', party, order, money);
  switch (verdict) {
    case 'YES':
    case 'SAME_TOTAL':
      return { mayChangeTotal: verdict === 'YES' };
    case 'MERCHANT_ONLY':
      throw merchantOnly('CHANGE', money);
    case 'NOT_NOW':
      throw notChangeable(money, 'The order can’t be changed before');
  }
}

/** For a change of the total where `requireChangeable` allows none. */
export function totalNotChangeable(money: MoneyState): OrderError {
  return notChangeable(money, 'Beside it the order may change, and its total may not');
}

type WrittenOrder = Pick<Order, 'writtenBy'>;

function verdictOn(right: OrderRight, party: Party, { writtenBy }: WrittenOrder, money: MoneyState): Verdict {
  if (party !== 'PAYER') return RIGHTS[right][party][money];
  const role = writtenBy === 'PAYER' ? 'PAYER_OF_OWN_ORDER' : 'PAYER_OF_MERCHANTS_ORDER';
  return RIGHTS[right][role][money];
}

const WHY_NOT_NOW: Readonly<Record<MoneyState, string>> = {
  NONE: 'nothing was paid',
  PROCESSING: 'the payer has paid, and the provider has not decided',
  AUTHORIZED: 'its money is held for what was ordered',
  REVIEW: 'an operator decides about its money first (settlePaymentReview)',
};

function notChangeable(money: MoneyState, consequence: string): OrderError {
  return new OrderError(
    'ORDER_NOT_CHANGEABLE',
    `This order’s payment is ${money}: ${WHY_NOT_NOW[money]}. ${consequence}.`,
  );
}

const MERCHANTS_RIGHT: Readonly<Record<OrderRight, string>> = {
  CHANGE: 'The merchant wrote this order: only a backend or the role operator may change it. It can be paid.',
  END_PAYMENT:
    'This payment is AUTHORIZED: only a backend or the role operator may let go of money that is held.',
  CANCEL: 'The merchant wrote this order: only a backend, or the roles support and operator, may cancel it.',
};

function merchantOnly(right: OrderRight, money: MoneyState): AccessError {
  const isHold = right === 'CANCEL' && money === 'AUTHORIZED';
  return new AccessError('FORBIDDEN', MERCHANTS_RIGHT[isHold ? 'END_PAYMENT' : right]);
}
