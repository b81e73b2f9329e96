import type Stripe from 'stripe';

/** The `error` of an answer, as Stripe writes it. */
export interface ErrorBody {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  readonly code?: string;
  readonly decline_code?: string;
  readonly message: string;
  readonly param?: string;
  readonly charge?: string;
  readonly payment_intent?: Stripe.PaymentIntent;
  readonly setup_intent?: Stripe.SetupIntent;
  readonly payment_method?: Stripe.PaymentMethod;
}

/** Thrown by the double's operations; becomes an HTTP answer. */
export class StripeDoubleError extends Error {
  override readonly name = 'StripeDoubleError';

  /** @param executed whether it is the outcome of the work itself, which the idempotency key then remembers. */
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
    readonly executed: boolean,
  ) {
    super(body.message);
  }
}

/** The request makes no sense; nothing was done, and nothing is remembered. */
export function invalidRequest(
  message: string,
  detail: { code?: string; param?: string } = {},
): StripeDoubleError {
  return new StripeDoubleError(400, { type: 'invalid_request_error', message, ...detail }, false);
}

export function resourceMissing(kind: string, id: string): StripeDoubleError {
  const body: ErrorBody = {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${kind}: '${id}'`,
    param: 'id',
  };
  return new StripeDoubleError(404, body, false);
}

/** The request made sense, but not in the state that the object is in. */
export function unexpectedState(message: string, paymentIntent?: Stripe.PaymentIntent): StripeDoubleError {
  const body: ErrorBody = {
    type: 'invalid_request_error',
    message,
    ...(paymentIntent && { code: 'payment_intent_unexpected_state', payment_intent: paymentIntent }),
  };
  return new StripeDoubleError(400, body, true);
}

export function cardError(paymentIntent: Stripe.PaymentIntent): StripeDoubleError {
  const error = paymentIntent.last_payment_error;
  const body: ErrorBody = {
    type: 'card_error',
    code: error?.code ?? 'card_declined',
    message: error?.message ?? 'Your card was declined.',
    ...(error?.decline_code !== undefined && { decline_code: error.decline_code }),
    ...(error?.charge !== undefined && { charge: error.charge }),
    ...(error?.payment_method && { payment_method: error.payment_method }),
    payment_intent: paymentIntent,
  };
  return new StripeDoubleError(402, body, true);
}
