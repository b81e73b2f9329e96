import type Stripe from 'stripe';
import type { NotificationHeaders, ParsedNotification, ProviderEvent } from '../provider.js';
import {
  checkoutSessionEvent,
  failedCheckoutSessionEvent,
  paymentIntentEvent,
  refundedChargeEvents,
} from './outcomes.js';
import { verifySignature } from './signature.js';

/** Verifies the raw bytes, then parses them, then says in our words what they mean. Runs for every webhook request. */
export function parseStripeNotification(
  rawBody: Buffer,
  headers: NotificationHeaders,
  receivedAt: Date,
  webhookSecrets: readonly string[],
): ParsedNotification {
  const body = rawBody.toString('utf8');
  const signature = verifySignature(body, headers, receivedAt, webhookSecrets);
  if (!signature.genuine) return { verdict: 'refused', reason: signature.reason, detail: signature.detail };
  return readStripeNotification(body);
}

/** Whoever reads a client secret can act as the payer. */
export function withoutClientSecrets(body: string): string {
  return body.replace(/("client_secret"\s*:\s*)"[^"]*"/g, '$1"[removed]"');
}

/** Says in our words what the body means. It must have been verified, now or when it came. */
export function readStripeNotification(body: string): ParsedNotification {
  const event = parseEvent(body);
  if (!event) return { verdict: 'malformed', detail: 'the body is signed, but is not an event of Stripe' };
  return understand(event);
}

function understand(event: Stripe.Event): ParsedNotification {
  const { id: eventId, type } = event;
  try {
    const events = eventsOf(event);
    if (events.length === 0) return { verdict: 'ignored', eventId, type, reason: reasonToIgnore(type) };
    const markedAsOurs = events.some(({ attemptReference }) => attemptReference !== undefined);
    return { verdict: 'accepted', eventId, type, events, markedAsOurs };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { verdict: 'malformed', detail: `${type} ${eventId}: ${error.message}` };
  }
}

function eventsOf(event: Stripe.Event): readonly ProviderEvent[] {
  switch (event.type) {
    case 'payment_intent.created':
    case 'payment_intent.requires_action':
    case 'payment_intent.processing':
    case 'payment_intent.succeeded':
    case 'payment_intent.payment_failed':
    case 'payment_intent.canceled':
      return [paymentIntentEvent(event.data.object)];
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
    case 'checkout.session.expired':
      return [checkoutSessionEvent(event.data.object)];
    case 'checkout.session.async_payment_failed':
      return [failedCheckoutSessionEvent(event.data.object)];
    case 'charge.refunded':
      return refundedChargeEvents(event.data.object);
    default:
      return [];
  }
}

function reasonToIgnore(type: string): string {
  return type === 'charge.refunded'
    ? 'a charge without a PaymentIntent is not ours'
    : 'nothing of ours changes with this type';
}

/** An event as Stripe promises it: an envelope with an id and a type around an object with an id. */
function parseEvent(body: string): Stripe.Event | undefined {
  let event: unknown;
  try {
    event = JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return isEvent(event) ? event : undefined;
}

function isEvent(event: unknown): event is Stripe.Event {
  return (
    isObject(event) &&
    event['object'] === 'event' &&
    isText(event['id']) &&
    isText(event['type']) &&
    isObject(event['data']) &&
    isObject(event['data']['object']) &&
    isText(event['data']['object']['id'])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
