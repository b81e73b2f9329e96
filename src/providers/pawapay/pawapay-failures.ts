import { textAt } from '../json-document.js';
import { ProviderFailure, type ProviderFailureKind } from '../provider.js';
import type { PawaPayAccount } from './pawapay-options.js';

interface Meaning {
  /** When it is the answer to a call; in a status there is but `failed`. */
  readonly kind: ProviderFailureKind;
  readonly message: string;
}

const declined = (message: string): Meaning => ({ kind: 'declined', message });
const rejected = (message: string): Meaning => ({ kind: 'rejected', message });
const unavailable = (message: string): Meaning => ({ kind: 'unavailable', message });

/**
 * What pawaPay's codes mean. `declined` is what the payer can mend, with another number or wallet or later; `rejected` is
 * what only we can. After `unavailable` nothing has happened and, as pawaPay takes an id but once, nothing can any more
 * with this one: the same call is harmless, and another provider may be asked.
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  PAYMENT_NOT_APPROVED: declined('The payer did not approve the payment.'),
  INSUFFICIENT_BALANCE: declined('There is not enough money in the payer’s wallet.'),
  PAYMENT_IN_PROGRESS: declined('Another payment of the payer’s is in progress and must end first.'),
  PAYER_NOT_FOUND: declined('This phone number has no wallet with this operator.'),
  PAYER_LIMIT_REACHED: declined('The payer’s wallet has reached its limit.'),
  WALLET_LIMIT_REACHED: declined('The wallet has reached its limit.'),
  INVALID_PHONE_NUMBER: declined('This phone number can’t pay with mobile money here.'),
  RECIPIENT_NOT_FOUND: rejected('The wallet that the money should go to does not exist.'),
  RECIPIENT_LIMIT_REACHED: rejected('The wallet that the money should go to has reached its limit.'),
  MANUALLY_CANCELLED: rejected('It was cancelled by hand at pawaPay.'),
  PAWAPAY_WALLET_OUT_OF_FUNDS: rejected('Our account at pawaPay does not hold enough money.'),
  UNSPECIFIED_FAILURE: rejected('The operator gave no reason.'),
  UNKNOWN_ERROR: rejected('The reason is not known.'),
  AMOUNT_OUT_OF_BOUNDS: rejected('The amount is below or above what the operator takes.'),
  INVALID_AMOUNT: rejected('The operator does not take such an amount.'),
  INVALID_CURRENCY: rejected('The operator does not take this currency.'),
  INVALID_PROVIDER: rejected('pawaPay does not take payments from this operator.'),
  PROVIDER_TEMPORARILY_UNAVAILABLE: unavailable('The operator takes no payments at the moment.'),
  NO_AUTHENTICATION: rejected('pawaPay was not told our token.'),
  AUTHENTICATION_ERROR: rejected('pawaPay does not take our token.'),
  AUTHORISATION_ERROR: rejected('Our token may not do this at pawaPay.'),
  HTTP_SIGNATURE_ERROR: rejected('Our pawaPay account takes signed requests only.'),
  DEPOSITS_NOT_ALLOWED: rejected('Our pawaPay account may not take payments here.'),
  REFUNDS_NOT_ALLOWED: rejected('Our pawaPay account may not give money back here.'),
  DEPOSIT_ALREADY_REFUNDED: rejected('All of this payment was given back already.'),
  AMOUNT_TOO_LARGE: rejected('This is more than is left of the payment.'),
  REFUND_IN_PROGRESS: unavailable('Another refund of this payment is in progress and must end first.'),
  NOT_FOUND: rejected('pawaPay does not know this payment.'),
  INVALID_STATE: rejected('This payment is not one that can be given back.'),
};

/** Each operator has its own limits and decimals, which are known only once the payer’s operator is. */
const ABOUT_AMOUNT: ReadonlySet<string> = new Set([
  'AMOUNT_OUT_OF_BOUNDS',
  'AMOUNT_NOT_WHOLE',
  'INVALID_AMOUNT',
]);

/** In two forms, because pawaPay's own documentation shows refunds in both. */
export function failureCodeIn(json: unknown): string | undefined {
  const code = textAt(json, 'failureReason.failureCode') ?? textAt(json, 'rejectionReason.rejectionCode');
  // The code is shown to callers, so it must be one.
  return code !== undefined && /^\w{1,80}$/.test(code) ? code : undefined;
}

/** Undefined for a code that we have never seen. */
export function meaningOfCode(code: string | undefined): Meaning | undefined {
  // `hasOwn`, because a code of "constructor" must not find what every object inherits.
  return code !== undefined && Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
}

/** How a payment or a refund failed, in plain words. pawaPay's own are left out: they are not meant for payers. */
export function reasonOfFailure(json: unknown): { readonly code: string; readonly message: string } {
  const code = failureCodeIn(json) ?? 'UNSPECIFIED_FAILURE';
  return { code, message: meaningOfCode(code)?.message ?? 'It failed for a reason that we don’t know.' };
}

/**
 * What REJECTED means. It doesn't cover earlier calls with the same id: whether pawaPay looks for those before it finds
 * fault with the request isn't documented, so only the status of the id itself tells.
 */
export function failureOfRejection(account: PawaPayAccount, json: unknown): ProviderFailure {
  const { code, message } = reasonOfFailure(json);
  return failure(account, meaningOfCode(code)?.kind ?? 'rejected', code, message, { isAnswer: true });
}

/** What the end of a payment without money means for whoever wanted to begin it: it is that very one, so nothing earlier is left open. */
export function failureOfEndedDeposit(account: PawaPayAccount, json: unknown): ProviderFailure {
  const { code, message } = reasonOfFailure(json);
  const kind = meaningOfCode(code)?.kind === 'declined' ? 'declined' : 'rejected';
  return failure(account, kind, code, message, { coversEarlierCalls: true });
}

export function failure(
  { name, displayName }: PawaPayAccount,
  kind: ProviderFailureKind,
  code: string,
  message: string,
  options: ConstructorParameters<typeof ProviderFailure>[4] = {},
): ProviderFailure {
  const isAboutAmount = ABOUT_AMOUNT.has(code);
  return new ProviderFailure(name, kind, code, `${displayName}: ${message}`, { isAboutAmount, ...options });
}
