import type Stripe from 'stripe';
import { readPageUrl } from '../page-url.js';
import type { AttemptToInitiate, Initiated } from '../provider.js';
import { markInsideCheckout, markWith } from './attempt-mark.js';
import { checkoutLocale } from './checkout-locale.js';
import type { StripeClient } from './client.js';
import { toStripeAmount } from './currency.js';
import { failure } from './failures.js';
import { SAVED_TYPES } from './saved-methods.js';

/**
 * Everything sent here must follow from the attempt alone. Stripe refuses an idempotency key that comes back with other
 * parameters, so one value of the moment (the time, say) would make a repeated call fail instead of finding its first.
 */
export async function initiateEmbedded(
  client: StripeClient,
  attempt: AttemptToInitiate,
  publishableKey: string,
): Promise<Initiated> {
  const params: Stripe.PaymentIntentCreateParams = {
    ...stripeMoney(attempt),
    automatic_payment_methods: waysOf(attempt),
    ...(attempt.savesMethod && { allowed_payment_method_types: SAVED_TYPES }),
    description: attempt.description,
    metadata: markWith(attempt.reference),
    ...captureMethodOf(attempt),
    ...customerOf(attempt),
  };
  const paymentIntent = await client.call((stripe) => stripe.paymentIntents.create(params, onceFor(attempt)));
  if (paymentIntent.client_secret === null) throw failure('rejected', 'CLIENT_SECRET_MISSING');
  return {
    providerReference: paymentIntent.id,
    nextAction: {
      type: 'ConfirmWithStripe',
      clientSecret: paymentIntent.client_secret,
      publishableKey,
    },
  };
}

/** @see initiateEmbedded for the rule that its parameters keep. */
export async function initiateRedirect(client: StripeClient, attempt: AttemptToInitiate): Promise<Initiated> {
  if (attempt.returnUrl === undefined) throw failure('rejected', 'RETURN_URL_MISSING');
  const params = checkoutParams(attempt, attempt.returnUrl);
  const session = await client.call((stripe) => stripe.checkout.sessions.create(params, onceFor(attempt)));
  const url = readPageUrl(session.url, false);
  if (url === undefined) throw failure('rejected', 'URL_MISSING');
  return { providerReference: session.id, nextAction: { type: 'RedirectToUrl', url } };
}

function checkoutParams(attempt: AttemptToInitiate, returnUrl: string): Stripe.Checkout.SessionCreateParams {
  const { amount, currency } = stripeMoney(attempt);
  return {
    mode: 'payment',
    ui_mode: 'hosted_page',
    line_items: [
      {
        quantity: 1,
        price_data: { currency, unit_amount: amount, product_data: { name: attempt.description } },
      },
    ],
    // Otherwise Stripe may charge in the payer's own currency, and what arrives is not what the order says.
    adaptive_pricing: { enabled: false },
    client_reference_id: attempt.reference,
    metadata: markWith(attempt.reference),
    // A session doesn't hand its metadata on, and the PaymentIntent's notifications need the mark too.
    payment_intent_data: {
      metadata: markInsideCheckout(attempt.reference),
      description: attempt.description,
      ...captureMethodOf(attempt),
    },
    success_url: returnUrl,
    cancel_url: returnUrl,
    expires_at: sessionExpiry(attempt),
    locale: checkoutLocale(attempt.locale),
    ...(attempt.customerEmail !== undefined && { customer_email: attempt.customerEmail }),
  };
}

/** Stripe demands 30 minutes from the moment it makes the session; one more for clocks that differ. */
const SHORTEST_SESSION_MILLISECONDS = 31 * 60_000;

/** Stripe refuses a session that lives longer than 24 hours; the rest is for clocks that differ. */
const LONGEST_SESSION_MILLISECONDS = 23 * 3_600_000;

/**
 * Seconds since 1970. Our expiry and 31 minutes, so that Stripe accepts it for as long as our reservation lives, and a
 * repeated call says the same. Whoever ends the reservation expires the session by `cancel`; this is the safety net.
 * Left out (then it is 24 hours) for a reservation of a day or more.
 */
function sessionExpiry({ expiresAt, now = new Date() }: AttemptToInitiate): number | undefined {
  const expiry = expiresAt.getTime() + SHORTEST_SESSION_MILLISECONDS;
  return expiry - now.getTime() > LONGEST_SESSION_MILLISECONDS ? undefined : Math.floor(expiry / 1000);
}

/** Nothing for AUTOMATIC: it is what Stripe does unless told. */
function captureMethodOf({ captureMethod }: AttemptToInitiate): { capture_method?: 'manual' } {
  return captureMethod === 'MANUAL' ? { capture_method: 'manual' } : {};
}

/** What is confirmed here, with what the payer has saved, must not need a page to come back to. */
function waysOf({
  customerReference,
  savesMethod,
}: AttemptToInitiate): Stripe.PaymentIntentCreateParams.AutomaticPaymentMethods {
  const isConfirmedHere = customerReference !== undefined && !savesMethod;
  return isConfirmedHere ? { enabled: true, allow_redirects: 'never' } : { enabled: true };
}

/** A payer who is a customer may pay here with what they have left with Stripe. */
function customerOf({
  customerReference,
  savesMethod,
}: AttemptToInitiate): Pick<Stripe.PaymentIntentCreateParams, 'customer' | 'setup_future_usage'> {
  if (customerReference === undefined) return {};
  return { customer: customerReference, ...(savesMethod && { setup_future_usage: 'off_session' }) };
}

function stripeMoney({ amount, currency }: AttemptToInitiate): { amount: number; currency: string } {
  return { amount: stripeAmountOrRejection(amount, currency), currency: currency.toLowerCase() };
}

/** @throws {ProviderFailure} `rejected`, before anything is sent, for what Stripe can't count. */
export function stripeAmountOrRejection(amount: number, currency: AttemptToInitiate['currency']): number {
  try {
    return toStripeAmount(amount, currency);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw failure('rejected', 'AMOUNT_NOT_EXPRESSIBLE', { cause: error });
  }
}

function onceFor(attempt: AttemptToInitiate): Stripe.RequestOptions {
  return { idempotencyKey: `${attempt.idempotencyKey}/create` };
}
