import { z } from 'zod';
import { isPlainText } from '../json-document.js';
import { withoutByteOrderMark } from '../written-text.js';

/**
 * What we read of each kind of object, as Stripe promises it. A signature says who wrote a body, and not that it is well
 * formed: nothing is read before it has been held against one of these. What we don't read is not looked at.
 */
const word = z
  .string()
  .refine(isPlainText, 'must be a text of 1 to 255 characters, without control characters');
const text = z.string().transform(forPeople);
const code = z.string().regex(/^[A-Za-z]{3,8}$/, 'must be the code of a currency');
const amount = z.number();
/** Up to the year 9999, which is as far as the database and its drivers agree. */
const seconds = z.number().int().min(0).max(253_402_300_799);
const metadata = z.record(z.string(), z.string()).nullish();
/** An id, or the object itself where it is expanded. */
const reference = z.union([word, z.looseObject({ id: word })]).nullish();

const LONGEST_TEXT = 1_000;

/** The database takes no NUL and no half of a surrogate pair, and nobody reads more than a few lines. */
function forPeople(given: string): string {
  return given.slice(0, LONGEST_TEXT).replace(/[\p{Cc}\p{Cs}]/gu, ' ');
}

const chargeOfPayment = z
  .union([
    word,
    z.looseObject({
      id: word,
      payment_method_details: z
        .looseObject({ card: z.looseObject({ capture_before: seconds.nullish() }).nullish() })
        .nullish(),
    }),
  ])
  .nullish();

const paymentIntent = z.looseObject({
  id: word,
  object: z.literal('payment_intent').optional(),
  status: word,
  currency: code,
  amount_received: amount.nullish(),
  amount_capturable: amount.nullish(),
  capture_method: word.nullish(),
  cancellation_reason: word.nullish(),
  last_payment_error: z
    .looseObject({
      type: word,
      code: word.nullish(),
      decline_code: word.nullish(),
      message: text.nullish(),
    })
    .nullish(),
  latest_charge: chargeOfPayment,
  // Before API version 2022-11-15.
  charges: z.looseObject({ data: z.array(chargeOfPayment) }).nullish(),
  metadata,
});

const checkoutSession = z.looseObject({
  id: word,
  object: z.literal('checkout.session').optional(),
  status: word.nullish(),
  payment_status: word.nullish(),
  payment_intent: z.union([word, paymentIntent]).nullish(),
  amount_total: amount.nullish(),
  currency: code.nullish(),
  metadata,
});

const charge = z.looseObject({
  id: word,
  object: z.literal('charge').optional(),
  amount: amount.nullish(),
  amount_captured: amount.nullish(),
  amount_refunded: amount,
  currency: code,
  captured: z.boolean().nullish(),
  payment_intent: reference,
  metadata,
});

const refund = z.looseObject({
  id: word,
  object: z.literal('refund').optional(),
  amount,
  currency: code,
  status: word.nullish(),
  failure_reason: word.nullish(),
  payment_intent: reference,
  metadata,
});

const dispute = z.looseObject({
  id: word,
  object: z.literal('dispute').optional(),
  amount,
  currency: code,
  status: word,
  reason: word,
  payment_intent: reference,
  is_charge_refundable: z.boolean().nullish(),
  // Ids alone in some versions: their reader chooses those that it understands.
  balance_transactions: z.array(z.unknown()).nullish(),
  evidence_details: z.looseObject({ due_by: seconds.nullish() }).nullish(),
});

const setupIntent = z.looseObject({ id: word, customer: reference, payment_method: reference, metadata });
const paymentMethod = z.looseObject({ id: word, customer: reference });
const customer = z.looseObject({ id: word });
const subscription = z.looseObject({ id: word, metadata });
const invoice = z.looseObject({
  id: word,
  parent: z
    .looseObject({
      subscription_details: z.looseObject({ subscription: reference, metadata }).nullish(),
    })
    .nullish(),
  // Before API version 2025-03-31.
  subscription: reference,
  subscription_details: z.looseObject({ metadata }).nullish(),
});

/** Of a kind that has no shape of its own here. */
const anyObject = z.looseObject({ id: word, metadata });

/** By the beginning of the event's type: the first that fits counts. */
const SHAPES: readonly (readonly [string, z.ZodType<Record<string, unknown>>])[] = [
  ['payment_intent.', paymentIntent],
  ['checkout.session.', checkoutSession],
  ['charge.dispute.', dispute],
  ['charge.refund.', refund],
  ['charge.', charge],
  ['refund.', refund],
  ['setup_intent.', setupIntent],
  ['payment_method.', paymentMethod],
  ['customer.subscription.', subscription],
  ['customer.', customer],
  ['invoice.', invoice],
];

/** The object of an event of this type, with its texts made storable; or what is wrong with it, in words. */
export function shapedObject(type: string, object: unknown): Record<string, unknown> | string {
  const shape = SHAPES.find(([beginning]) => type.startsWith(beginning))?.[1] ?? anyObject;
  const shaped = shape.safeParse(object);
  return shaped.success ? shaped.data : faultOf(shaped.error);
}

const envelope = z.looseObject({
  object: z.enum(['event', 'v2.core.event']),
  id: word,
  type: word,
  // A text in the second API.
  created: z.union([seconds, word]).optional(),
  livemode: z.boolean().optional(),
  account: word.nullish(),
  context: word.nullish(),
  data: z.unknown().optional(),
});

export type StripeEnvelope = z.infer<typeof envelope>;

/** What every event says of itself, whatever it is about. A text says what is wrong with it. */
export function readEnvelope(body: string): StripeEnvelope | string {
  let json: unknown;
  try {
    // A byte order mark is signed like all else, and means nothing.
    json = JSON.parse(withoutByteOrderMark(body));
  } catch (error) {
    if (error instanceof SyntaxError) return 'it is not JSON';
    throw error;
  }
  const read = envelope.safeParse(json);
  return read.success ? read.data : faultOf(read.error);
}

/** The first fault by the name of its field. Names and values in it are a stranger's: they are cut short. */
function faultOf({ issues: [issue] }: z.ZodError): string {
  if (!issue) return 'it is not of the form that Stripe promises';
  const field = issue.path.map(String).join('.');
  return forPeople(`${field === '' ? 'the whole' : field}: ${issue.message}`).slice(0, 200);
}
