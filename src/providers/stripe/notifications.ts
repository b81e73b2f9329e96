import type Stripe from 'stripe';
import { textAt, valueAt } from '../json-document.js';
import type {
  NotificationHeaders,
  ParsedNotification,
  ProviderEvent,
  UnreadableNotification,
} from '../provider.js';
import { refundedChargeEvents } from './charges.js';
import { disputeNotificationEvents } from './disputes.js';
import { CONCERN_TYPES, concernOf, idOf } from './concerns.js';
import { markOf } from './attempt-mark.js';
import { type StripeOwner, whyNotOurs } from './event-owner.js';
import { readEnvelope, shapedObject, type StripeEnvelope } from './event-shapes.js';
import { checkoutSessionEvent, failedCheckoutSessionEvent, paymentIntentEvent } from './outcomes.js';
import { refundNotificationEvents } from './refunds.js';
import { verifySignature } from './signature.js';

/** Verifies the raw bytes, then parses them, then says in our words what they mean. Runs for every webhook request. */
export function parseStripeNotification(
  rawBody: Buffer,
  headers: NotificationHeaders,
  receivedAt: Date,
  webhookSecrets: readonly string[],
  owner: StripeOwner,
): ParsedNotification {
  const signature = verifySignature(rawBody, headers, receivedAt, webhookSecrets);
  if (!signature.genuine) return { verdict: 'refused', reason: signature.reason, detail: signature.detail };
  return readStripeNotification(rawBody.toString('utf8'), owner);
}

/** Whoever reads a client secret can act as the payer. It also stands in the address of the payer's 3-D Secure page. */
export function withoutClientSecrets(body: string): string {
  return body
    .replace(/("client_secret"\s*:\s*)"[^"]*"/g, '$1"[removed]"')
    .replace(/_secret_\w+/g, '_secret_[removed]');
}

/**
 * Says in our words what the body means. It must have been verified, now or when it came. Whose it is comes first: what
 * another account, mode or application does is ignored before anything else of it is read.
 */
export function readStripeNotification(body: string, owner: StripeOwner): ParsedNotification {
  const event = readEnvelope(body);
  if (typeof event === 'string')
    return malformed(`the body is signed, but is not an event of Stripe: ${event}`);
  const foreign = whyNotOurs(event, owner);
  if (foreign !== undefined) return ignored(event, foreign);
  if (event.object === 'v2.core.event') return ignored(event, 'no thin event says anything of ours');
  if (!isUnderstood(event.type) && !CONCERN_TYPES.includes(event.type)) {
    return ignored(event, 'nothing of ours changes with this type');
  }
  const object = shapedObject(event.type, valueAt(event, 'data.object'));
  if (typeof object === 'string') return malformed(`${event.type} ${event.id}: ${object}`);
  return understand(event, object);
}

function understand(envelope: StripeEnvelope, object: Record<string, unknown>): ParsedNotification {
  const { id: eventId, type } = envelope;
  const event = { ...envelope, data: { ...(envelope.data as object), object } } as unknown as Stripe.Event;
  try {
    const concern = concernOf(event);
    if (concern) return { verdict: 'concerns', proof: 'SIGNED', eventId, type, ...concern };
    const events = eventsOf(event);
    if (events.length === 0) {
      return ignored(envelope, 'it is about no payment of ours, or lets go of money that was only held');
    }
    const markedAsOurs = events.some(({ attemptReference }) => attemptReference !== undefined);
    return { verdict: 'accepted', proof: 'SIGNED', eventId, type, events, markedAsOurs };
  } catch (error) {
    // A RangeError names an amount or a currency; a TypeError is a shape that a reader did not reckon with.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    return unreadable(envelope, object, error.message);
  }
}

/**
 * Money of ours that can't be read is kept, and we are alerted. What carries no mark of ours may be another application's,
 * whose money we need not understand: the payment that it names decides.
 */
function unreadable({ id: eventId, type }: StripeEnvelope, object: object, why: string): ParsedNotification {
  const mark = markOf(metadataOf(object));
  const speaksOfPayment = type.startsWith('payment_intent.') || type.startsWith('checkout.session.');
  const keep: UnreadableNotification = {
    ...{ proof: 'SIGNED', eventId, type },
    about: { ...paymentNamedBy(object), ...(mark !== undefined && { attemptReference: mark }) },
    claims: speaksOfPayment ? 'PAYMENT' : 'REFUND',
    mayBeOurs: mark !== undefined,
  };
  return { verdict: 'malformed', detail: `${type} ${eventId}: ${why}`, keep };
}

/** A PaymentIntent and a session name themselves; a charge, a refund and a dispute the PaymentIntent that they are of. */
function paymentNamedBy(object: object): Pick<ProviderEvent, 'providerReference' | 'captureReference'> {
  const named = textAt(object, 'object');
  const isAttempt = named === 'payment_intent' || named === 'checkout.session';
  return isAttempt
    ? { providerReference: textAt(object, 'id') }
    : { captureReference: idOf(valueAt(object, 'payment_intent') as string | { id: string } | null) };
}

function metadataOf(object: object): Stripe.Metadata | null {
  return 'metadata' in object ? (object.metadata as Stripe.Metadata | null) : null;
}

function ignored({ id: eventId, type }: StripeEnvelope, reason: string): ParsedNotification {
  return { verdict: 'ignored', proof: 'SIGNED', eventId, type, reason };
}

function malformed(detail: string): ParsedNotification {
  return { verdict: 'malformed', detail };
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
