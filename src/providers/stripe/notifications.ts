import type Stripe from 'stripe';
import type { NotificationHeaders, ParsedNotification, ProviderEvent } from '../provider.js';
import { refundedChargeEvents } from './charges.js';
import { disputeNotificationEvents } from './disputes.js';
import { CONCERN_TYPES, concernOf } from './concerns.js';
import { checkoutSessionEvent, failedCheckoutSessionEvent, paymentIntentEvent } from './outcomes.js';
import { refundNotificationEvents } from './refunds.js';
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

/** Whoever reads a client secret can act as the payer. It also stands in the address of the payer's 3-D Secure page. */
export function withoutClientSecrets(body: string): string {
  return body
    .replace(/("client_secret"\s*:\s*)"[^"]*"/g, '$1"[removed]"')
    .replace(/_secret_\w+/g, '_secret_[removed]');
}

/** Says in our words what the body means. It must have been verified, now or when it came. */
export function readStripeNotification(body: string): ParsedNotification {
  const event = parseEvent(body);
  if (!event) return { verdict: 'malformed', detail: 'the body is signed, but is not an event of Stripe' };
  return understand(event);
}

function understand(event: Stripe.Event): ParsedNotification {
  const { id: eventId, type } = event;
  const concern = concernOf(event);
  if (concern) return { verdict: 'concerns', proof: 'SIGNED', eventId, type, ...concern };
  try {
    const events = eventsOf(event);
    if (events.length === 0)
      return { verdict: 'ignored', proof: 'SIGNED', eventId, type, reason: reasonToIgnore(type) };
    const markedAsOurs = events.some(({ attemptReference }) => attemptReference !== undefined);
    return { verdict: 'accepted', proof: 'SIGNED', eventId, type, events, markedAsOurs };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { verdict: 'malformed', detail: `${type} ${eventId}: ${error.message}` };
  }
}

type ObjectOf<Type> = Extract<Stripe.Event, { type: Type }>['data']['object'];

type Readers = {
  readonly [Type in Stripe.Event.Type]?: (
    object: ObjectOf<Type>,
    event: Stripe.Event,
  ) => readonly ProviderEvent[];
};

const aboutPaymentIntent = (object: Stripe.PaymentIntent) => [paymentIntentEvent(object)];
const aboutSession = (object: Stripe.Checkout.Session) => [checkoutSessionEvent(object)];
const aboutDispute = (object: Stripe.Dispute, event: Stripe.Event) =>
  disputeNotificationEvents(object, event);

/** What is understood, and how it is read. The endpoint at Stripe must be told to send these. */
const READERS = {
  'payment_intent.created': aboutPaymentIntent,
  'payment_intent.requires_action': aboutPaymentIntent,
  'payment_intent.processing': aboutPaymentIntent,
  'payment_intent.amount_capturable_updated': aboutPaymentIntent,
  'payment_intent.succeeded': aboutPaymentIntent,
  'payment_intent.payment_failed': aboutPaymentIntent,
  'payment_intent.canceled': aboutPaymentIntent,
  'checkout.session.completed': aboutSession,
  'checkout.session.async_payment_succeeded': aboutSession,
  'checkout.session.async_payment_failed': (object) => [failedCheckoutSessionEvent(object)],
  'checkout.session.expired': aboutSession,
  'charge.refunded': refundedChargeEvents,
  'charge.refund.updated': refundNotificationEvents,
  'refund.created': refundNotificationEvents,
  'refund.updated': refundNotificationEvents,
  'refund.failed': refundNotificationEvents,
  'charge.dispute.created': aboutDispute,
  'charge.dispute.updated': aboutDispute,
  'charge.dispute.closed': aboutDispute,
  'charge.dispute.funds_withdrawn': (object, event) => disputeNotificationEvents(object, event, 'withdrawn'),
  'charge.dispute.funds_reinstated': (object, event) =>
    disputeNotificationEvents(object, event, 'reinstated'),
} satisfies Readers;

/** Stripe lists by 20 types at most. Of a new PaymentIntent, all was said in the answer to `initiate`. */
export const TYPES_TO_LIST: readonly (readonly string[])[] = [
  Object.keys(READERS).filter((type) => type !== 'payment_intent.created'),
  CONCERN_TYPES,
];

function eventsOf(event: Stripe.Event): readonly ProviderEvent[] {
  if (!isUnderstood(event.type)) return [];
  // The type says which object it is, which TypeScript can't follow through the table.
  const read = READERS[event.type] as (object: unknown, event: Stripe.Event) => readonly ProviderEvent[];
  return read(event.data.object, event);
}

function isUnderstood(type: string): type is keyof typeof READERS {
  return Object.hasOwn(READERS, type);
}

function reasonToIgnore(type: string): string {
  return isUnderstood(type)
    ? 'it is about no payment of ours, or lets go of money that was only held'
    : 'nothing of ours changes with this type';
}

/** An event as Stripe promises it: an envelope with an id and a type around an object with an id. */
function parseEvent(body: string): Stripe.Event | undefined {
  let event: unknown;
  try {
    // A byte order mark is signed like all else, and means nothing.
    event = JSON.parse(body.replace(/^\ufeff/, ''));
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
