import type Stripe from 'stripe';
import { ProviderFailure, type InitiatedAttempt, type ProviderEvent } from '../provider.js';
import { markOf } from './attempt-mark.js';
import type { StripeClient } from './client.js';
import { disputeEvents } from './disputes.js';
import { isRefusedByStripe, isUnknownToStripe } from './failures.js';
import { stripeAmountOrRejection } from './initiate.js';
import { checkoutSessionEvent, paymentIntentEvent } from './outcomes.js';
import { chargeEvent, isCharge } from './charges.js';
import { refundEvents } from './refunds.js';

/** How an attempt stands at Stripe, and the PaymentIntent (with its charge) that it is about, once there is one. */
interface Standing {
  readonly event: ProviderEvent;
  readonly paymentIntent?: Stripe.PaymentIntent;
}

export async function verify(
  client: StripeClient,
  attempt: InitiatedAttempt,
): Promise<readonly ProviderEvent[]> {
  const { event, paymentIntent } = await readStanding(client, attempt);
  if (isCharge(attempt.providerReference)) {
    const given = await refundEvents(client, attempt.providerReference, undefined);
    return [event, ...given.map((one) => ({ ...one, attemptReference: attempt.reference }))];
  }
  if (paymentIntent?.status !== 'succeeded') return [event];
  const { id } = paymentIntent;
  const charge = chargeOf(paymentIntent);
  const [refunds, disputes] = await Promise.all([
    // Asked for even when the charge says that nothing is refunded: it says so again once a refund has failed.
    refundEvents(client, id, charge),
    charge?.disputed ? disputeEvents(client, id) : [],
  ]);
  const ours = { attemptReference: attempt.reference };
  return [event, ...[...refunds, ...disputes].map((one) => ({ ...one, ...ours }))];
}

/**
 * Without an idempotency key of ours, on purpose: to cancel twice is harmless, but a key would make Stripe repeat its
 * first answer for a day. A payer who was just paying makes it refuse; once their card is declined, it would accept.
 */
export async function cancel(client: StripeClient, attempt: InitiatedAttempt): Promise<ProviderEvent> {
  try {
    return await cancelThere(client, attempt);
  } catch (error) {
    if (!(error instanceof ProviderFailure && error.missing === 'object')) throw error;
    // By this account it can't be paid. Money that comes all the same is late money.
    return {
      attemptReference: attempt.reference,
      outcome: { kind: 'cancelled', reason: 'Stripe has no such payment' },
    };
  }
}

async function cancelThere(client: StripeClient, attempt: InitiatedAttempt): Promise<ProviderEvent> {
  const { providerReference } = attempt;
  const ended = isCheckoutSession(providerReference)
    ? await unlessRefused(() => expireSession(client, providerReference))
    : await unlessRefused(() => cancelPaymentIntent(client, providerReference));
  if (ended) return ended;
  const { event, paymentIntent } = await readStanding(client, attempt);
  // The session of money that is held is complete, and can't expire any more.
  if (!isCheckoutSession(providerReference) || paymentIntent?.status !== 'requires_capture') return event;
  await unlessRefused(() => cancelPaymentIntent(client, paymentIntent.id));
  return (await readStanding(client, attempt)).event;
}

/**
 * A PaymentIntent can be captured once, so whoever repeats it is refused, and told how it stands. Without a key of ours,
 * as in `cancel`: with one, Stripe would repeat a 500 of its own for a day.
 */
export async function capture(
  client: StripeClient,
  attempt: InitiatedAttempt,
  amount: number,
): Promise<ProviderEvent> {
  const params = { amount_to_capture: stripeAmountOrRejection(amount, attempt.currency) };
  const before = isCheckoutSession(attempt.providerReference)
    ? await readStanding(client, attempt)
    : undefined;
  if (before && !before.paymentIntent) return before.event;
  const id = before?.paymentIntent?.id ?? attempt.providerReference;
  try {
    const paymentIntent = await client.call((stripe) => stripe.paymentIntents.capture(id, params));
    if (!before) return paymentIntentEvent(paymentIntent);
  } catch (error) {
    if (!isRefusedByStripe(error)) throw error;
    const { event } = await readStanding(client, attempt);
    // Still held: it is not the state that Stripe objects to, but what was asked for.
    if (event.outcome.kind === 'authorized') throw error;
    return event;
  }
  return (await readStanding(client, attempt)).event;
}

/** Our mark is on the PaymentIntent, whoever made it. One that Stripe doesn't know for our key is not ours. */
export async function attemptOfPaymentIntent(client: StripeClient, id: string): Promise<string | null> {
  try {
    const { metadata } = await client.call((stripe) => stripe.paymentIntents.retrieve(id));
    return markOf(metadata) ?? null;
  } catch (error) {
    if (isUnknownToStripe(error)) return null;
    throw error;
  }
}

export function isCheckoutSession(providerReference: string): boolean {
  return providerReference.startsWith('cs_');
}

async function readStanding(
  client: StripeClient,
  { providerReference }: InitiatedAttempt,
): Promise<Standing> {
  if (isCharge(providerReference)) {
    const charge = await client.call((stripe) => stripe.charges.retrieve(providerReference));
    return { event: chargeEvent(charge) };
  }
  if (isCheckoutSession(providerReference)) {
    const expand = ['payment_intent.latest_charge'];
    const session = await client.call((stripe) =>
      stripe.checkout.sessions.retrieve(providerReference, { expand }),
    );
    const { payment_intent: paymentIntent } = session;
    const event = checkoutSessionEvent(session);
    return typeof paymentIntent === 'object' && paymentIntent ? { event, paymentIntent } : { event };
  }
  const expand = ['latest_charge'];
  const paymentIntent = await client.call((stripe) =>
    stripe.paymentIntents.retrieve(providerReference, { expand }),
  );
  return { event: paymentIntentEvent(paymentIntent), paymentIntent };
}

async function expireSession(client: StripeClient, id: string): Promise<ProviderEvent> {
  return checkoutSessionEvent(await client.call((stripe) => stripe.checkout.sessions.expire(id)));
}

async function cancelPaymentIntent(client: StripeClient, id: string): Promise<ProviderEvent> {
  return paymentIntentEvent(await client.call((stripe) => stripe.paymentIntents.cancel(id)));
}

async function unlessRefused(ask: () => Promise<ProviderEvent>): Promise<ProviderEvent | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!isRefusedByStripe(error)) throw error;
    return undefined;
  }
}

function chargeOf({ latest_charge: charge }: Stripe.PaymentIntent): Stripe.Charge | undefined {
  return typeof charge === 'object' ? (charge ?? undefined) : undefined;
}
