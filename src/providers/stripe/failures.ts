import Stripe from 'stripe';
import { ProviderFailure, type MissingThing, type ProviderFailureKind } from '../provider.js';
import { surelyNeverSent } from './tries.js';

/** The name under which attempts and notifications of this adapter are stored. */
export const STRIPE = 'stripe';

/** Our own words for the caller. Stripe's stay in `cause`: they may name keys, other objects and account settings. */
const MESSAGES: Record<ProviderFailureKind, string> = {
  declined: 'The card was declined.',
  rejected: 'The card provider refused the request.',
  unavailable: 'The card provider cannot be reached. Nothing was charged; please try again.',
  outcomeUnknown: 'The card provider did not answer, so it is not known yet whether anything happened.',
};

/** Those that are about the amount. */
const MESSAGES_BY_CODE: Record<string, string> = {
  amount_too_small: 'The amount is smaller than the card provider takes.',
  amount_too_large: 'The amount is larger than the card provider takes.',
  AMOUNT_NOT_EXPRESSIBLE: 'The card provider can’t take exactly this amount.',
};

/**
 * What an error of the SDK means for the money.
 * @param oneMayHaveArrived whether any try of the same call may have arrived at Stripe without an answer reaching us.
 */
export function toProviderFailure(error: unknown, oneMayHaveArrived: boolean): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  const code = codeOf(error);
  const kind = kindOf(error);
  // The idempotency key makes the last answer speak for all tries, but these answers are given before the key is looked at.
  if (oneMayHaveArrived && (kind === 'unavailable' || isRefusedAtTheDoor(error))) {
    return failure('outcomeUnknown', code, { cause: error });
  }
  // Stripe looks for the idempotency key before it validates, and would have repeated the first result.
  const coversEarlierCalls = error instanceof Stripe.errors.StripeInvalidRequestError;
  return failure(kind, code, { cause: error, coversEarlierCalls, missing: missingFrom(error) });
}

export function failure(
  kind: ProviderFailureKind,
  code: string,
  options?: ErrorOptions & { readonly coversEarlierCalls?: boolean; readonly missing?: MissingThing },
): ProviderFailure {
  const isAboutAmount = Object.hasOwn(MESSAGES_BY_CODE, code);
  const message = MESSAGES_BY_CODE[code] ?? MESSAGES[kind];
  return new ProviderFailure(STRIPE, kind, code, message, { ...options, isAboutAmount });
}

/** Stripe has looked at the request and will not do it: the object is in another state, or the request makes no sense. */
export function isRefusedByStripe(error: unknown): boolean {
  return (
    error instanceof ProviderFailure &&
    error.kind === 'rejected' &&
    error.cause instanceof Stripe.errors.StripeInvalidRequestError &&
    error.cause.statusCode === 400
  );
}

export function isUnknownToStripe(error: unknown): boolean {
  return (
    error instanceof ProviderFailure &&
    error.cause instanceof Stripe.errors.StripeInvalidRequestError &&
    error.cause.statusCode === 404
  );
}

const MISSING_BY_PARAMETER: Readonly<Record<string, MissingThing>> = {
  customer: 'customer',
  payment_method: 'savedMethod',
  default_payment_method: 'savedMethod',
};

/** What a key of the other mode does not see is not missing: the configuration is wrong, and nothing follows from it. */
function missingFrom(error: unknown): MissingThing | undefined {
  if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) return undefined;
  const { code, param, message, statusCode } = error;
  // Of what was detached or used up, Stripe says no code.
  const named = MISSING_BY_PARAMETER[param ?? ''];
  if (named === 'savedMethod' && param === 'payment_method' && code === undefined) return named;
  if (code !== 'resource_missing' || /similar object exists in (live|test) mode/.test(message))
    return undefined;
  return named ?? (statusCode === 404 ? 'object' : undefined);
}

function kindOf(error: unknown): ProviderFailureKind {
  const { errors } = Stripe;
  if (error instanceof errors.StripeCardError) return 'declined';
  if (error instanceof errors.StripeInvalidRequestError) return 'rejected';
  if (error instanceof errors.StripeIdempotencyError) return 'rejected';
  if (isRefusedAtTheDoor(error)) return 'rejected';
  if (error instanceof errors.StripeRateLimitError) return 'unavailable';
  if (error instanceof errors.StripeConnectionError && surelyNeverSent(error.detail)) return 'unavailable';
  // Timeouts, resets, 409, 5xx, answers that are no JSON, and whatever we have never seen.
  return 'outcomeUnknown';
}

function isRefusedAtTheDoor(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeAuthenticationError ||
    error instanceof Stripe.errors.StripePermissionError
  );
}

/** The most telling code there is: the issuer's reason, Stripe's code, the network's code, the kind of error. */
function codeOf(error: unknown): string {
  if (!(error instanceof Stripe.errors.StripeError)) return error instanceof Error ? error.name : 'UNKNOWN';
  return error.decline_code || error.code || networkCodeOf(error.detail) || error.rawType || error.type;
}

function networkCodeOf(detail: unknown): string | undefined {
  if (typeof detail !== 'object' || detail === null || !('code' in detail)) return undefined;
  return typeof detail.code === 'string' ? detail.code : undefined;
}
