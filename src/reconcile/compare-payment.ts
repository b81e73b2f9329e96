import { isCurrency, toDecimal } from '../money.js';
import { parseAttemptReference, type AttemptStatus } from '../payments/payment-attempt.js';
import type { ListedDispute, ListedPayment } from '../providers/provider.js';
import type { Difference, DifferenceType } from './difference.js';
import type { OurAttempt, OurCapture } from './our-attempt.js';

const ENDED_WITHOUT_MONEY: readonly AttemptStatus[] = ['FAILED', 'CANCELLED'];

/**
 * Whether a payment in the provider's books has to be in ours. Others may use the same account, so it must carry our
 * mark or be known to us.
 */
export function isOurs(theirs: ListedPayment, ours: OurAttempt | undefined): boolean {
  return ours !== undefined || parseAttemptReference(theirs.attemptReference ?? '') !== undefined;
}

/**
 * In what a payment of the provider's differs from ours. Knows nothing but its arguments.
 * @param ours undefined: it carries our mark, and there is no such attempt.
 */
export function comparePayment(
  provider: string,
  theirs: ListedPayment,
  ours: OurAttempt | undefined,
): Difference[] {
  return findings(provider, theirs, ours).map(([type, description]) => ({
    type,
    provider,
    attemptReference: ours?.attemptReference ?? theirs.attemptReference ?? '',
    providerReference: theirs.captureReference,
    orderReference: ours?.orderReference ?? null,
    description,
    at: theirs.createdAt,
  }));
}

type Finding = readonly [type: DifferenceType, description: string];

function findings(provider: string, theirs: ListedPayment, ours: OurAttempt | undefined): Finding[] {
  const there = `${money(theirs.capturedAmount, theirs.currency)} there`;
  if (!ours) return [['MISSING_HERE', `${there}; here is no such attempt`]];
  const capture = ours.capturesOfOrder.find(
    (one) => one.provider === provider && one.providerReference === theirs.captureReference,
  );
  const twice = takenTwice(ours, asOurs(provider, theirs, ours), capture);
  const double: Finding[] = twice === null ? [] : [['DOUBLE', twice]];
  // Also where it came twice: once it is in our books, it goes back by itself.
  if (!capture) return [unknownMoney(there, theirs, ours), ...double];
  const amounts = compareAmounts(theirs, ours, capture);
  return [
    ...(amounts === null ? [] : [['AMOUNT', amounts] as const]),
    ...(ours.status === 'SUCCEEDED'
      ? []
      : [['STATUS', `${there}; here the attempt is ${ours.status}`] as const]),
    ...compareDisputes(theirs, capture),
    ...double,
  ];
}

function unknownMoney(there: string, theirs: ListedPayment, { status, currency }: OurAttempt): Finding {
  // Money of another currency can't be added to our totals, so its attempt succeeded without any.
  if (status === 'SUCCEEDED' && theirs.currency !== currency) {
    return ['AMOUNT', `${there}; here it is to be paid in ${currency}`];
  }
  const type = ENDED_WITHOUT_MONEY.includes(status) ? 'STATUS' : 'MISSING_HERE';
  return [type, `${there}; here the attempt is ${status}`];
}

/** A payment of theirs, as it would stand in our books. */
function asOurs(provider: string, theirs: ListedPayment, { attemptReference }: OurAttempt): OurCapture {
  return {
    attemptReference,
    provider,
    providerReference: theirs.captureReference,
    amount: theirs.capturedAmount,
    refundedAmount: theirs.refundedAmount,
    refundUnderWayAmount: 0,
  };
}

function compareAmounts(theirs: ListedPayment, ours: OurAttempt, capture: OurCapture): string | null {
  const { amount, refundedAmount, refundUnderWayAmount } = capture;
  const captured = theirs.currency === ours.currency && theirs.capturedAmount === amount;
  const refunded =
    theirs.refundedAmount >= refundedAmount && theirs.refundedAmount <= refundedAmount + refundUnderWayAmount;
  if (captured && refunded) return null;
  const there = sums(theirs.capturedAmount, theirs.refundedAmount, theirs.currency);
  return `${there} there; ${sums(amount, refundedAmount, ours.currency)} here`;
}

function compareDisputes({ disputes = [], currency }: ListedPayment, ours: OurCapture): Finding[] {
  const words = ({ status, amount }: ListedDispute) => `${status}, with ${money(amount, currency)} taken`;
  return disputes.flatMap((theirs): Finding[] => {
    const known = ours.disputes?.find(({ reference }) => reference === theirs.reference);
    const here = known && { ...known, status: STATUS_THERE[known.status] };
    if (here?.status === theirs.status && here.amount === theirs.amount) return [];
    const said = here ? words(here) : 'not known';
    return [['DISPUTE', `dispute ${theirs.reference} is ${words(theirs)} there; here it is ${said}`]];
  });
}

const STATUS_THERE = { OPEN: 'open', WON: 'won', LOST: 'lost' } as const;

/**
 * What has not been given back is more than any one capture brought: somebody paid twice for one order.
 * @returns how, in words; null when nobody did.
 */
function takenTwice(
  { capturesOfOrder, currency, isOfSubscription }: OurAttempt,
  theirs: OurCapture,
  known: OurCapture | undefined,
): string | null {
  const captures = known ? capturesOfOrder : [...capturesOfOrder, theirs];
  // Of an invoice the provider says itself what was too much, and that has been told.
  if (captures.length < 2 || isOfSubscription) return null;
  const kept = captures.reduce((sum, capture) => sum + keptOf(capture), 0);
  if (kept <= Math.max(...captures.map(({ amount }) => amount))) return null;
  const each = captures.map(
    ({ attemptReference, amount }) => `${money(amount, currency)} by ${attemptReference}`,
  );
  return `${each.join(', ')}; ${money(kept, currency)} is not given back`;
}

function keptOf({ amount, refundedAmount, refundUnderWayAmount }: OurCapture): number {
  return amount - refundedAmount - refundUnderWayAmount;
}

function sums(captured: number, refunded: number, currency: string): string {
  return refunded === 0
    ? money(captured, currency)
    : `${money(captured, currency)}, ${money(refunded, currency)} of it given back,`;
}

/** 1500, EUR → "15.00 EUR". */
export function money(amount: number, currency: string): string {
  return isCurrency(currency) ? `${toDecimal(amount, currency)} ${currency}` : `${amount} ${currency}`;
}
