import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import type { TellableEvent } from '../../outbox/relay.js';
import { PAYMENT_STATUS_CHANGED } from '../../outbox/topics.js';
import type { StatusChangedPayload } from '../../payments/status-changed.js';
import type { DisputeFacts, FailedRefundFacts } from './email-facts.js';
import type { Happening, Transition } from './what-is-mailed.js';

/** A change of a payment, with the money that it moved. */
export interface PaymentTransition {
  /** Of the outbox event: its topic, key and version. */
  readonly name: string;
  readonly payload: StatusChangedPayload;
  /** In minor units. */
  readonly received: number;
  readonly givenBack: number;
  /** What came before or by this change, did not fit, and is being given back automatically. */
  readonly goingBack: number;
  /** It should go back, and its provider can't do it: a person has to. */
  readonly byHand: boolean;
  readonly dispute: DisputeFacts | null;
  readonly failedRefund: FailedRefundFacts | null;
}

interface ReadRow {
  readonly key: string;
  readonly version: number;
  /** Of the version before. */
  readonly captured: number;
  readonly refunded: number;
  readonly going_back: number;
  readonly by_hand: boolean;
  readonly dispute: DisputeFacts | null;
  readonly failed_refund: FailedRefundFacts | null;
}

/** An automatic refund has the very moment of the change that wrote it. Disputes and refunds that failed are named by it. */
const READ = statement<ReadRow>(
  'read_payment_transitions',
  `SELECT wanted.key, wanted.version,
     coalesce((before.payload -> 'paymentIntent' ->> 'capturedAmount')::bigint, 0) AS captured,
     coalesce((before.payload -> 'paymentIntent' ->> 'refundedAmount')::bigint, 0) AS refunded,
     (SELECT coalesce(sum(r.amount), 0)::bigint FROM refund r WHERE r.intent_id = wanted.key
       AND r.origin = 'AUTOMATIC' AND r.created_at = wanted.at) AS going_back,
     EXISTS (SELECT FROM refund r WHERE r.intent_id = wanted.key AND r.origin = 'AUTOMATIC'
       AND r.created_at = wanted.at AND r.status = 'FAILED' AND r.settled_at = r.created_at) AS by_hand,
     (SELECT jsonb_build_object('amount', d.amount, 'currency', d.currency, 'reason', d.reason,
        'provider', d.provider, 'providerReference', d.provider_reference, 'respondBy', d.respond_by_at,
        'status', d.status, 'isRefundable', d.refundable)
      FROM dispute d WHERE d.intent_id = wanted.key AND d.provider = wanted.provider
        AND d.provider_reference = wanted.dispute) AS dispute,
     (SELECT jsonb_build_object('reference', r.reference, 'amount', r.amount, 'provider', r.provider,
        'failureCode', r.failure_code, 'failureMessage', r.failure_message)
      FROM refund r WHERE r.intent_id = wanted.key AND r.reference = wanted.refund) AS failed_refund
   FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
     AS wanted(key, version, at, provider, dispute, refund)
     LEFT JOIN outbox_event before ON before.topic = '${PAYMENT_STATUS_CHANGED}'
       AND before.key = wanted.key AND before.version = wanted.version - 1`,
);

export async function readTransitions(
  manager: EntityManager,
  events: readonly TellableEvent[],
): Promise<PaymentTransition[]> {
  const changes = events.filter(({ topic }) => topic === PAYMENT_STATUS_CHANGED);
  const rows = await readMoney(manager, changes);
  return changes.map((event) => {
    const payload = event.payload as StatusChangedPayload;
    const { capturedAmount, refundedAmount } = payload.paymentIntent;
    const row = rows.get(nameOf(event));
    return {
      name: nameOf(event),
      payload,
      received: capturedAmount - Number(row?.captured ?? 0),
      givenBack: refundedAmount - Number(row?.refunded ?? 0),
      goingBack: Number(row?.going_back ?? 0),
      byHand: row?.by_hand ?? false,
      dispute: row?.dispute ?? null,
      failedRefund: row?.failed_refund ?? null,
    };
  });
}

/** As the rules of what is mailed see it. */
export function asTransition(transition: PaymentTransition): Transition {
  const { payload, givenBack, goingBack } = transition;
  const { cause } = payload;
  const happened: Happening[] = [];
  if (givenBack > 0) happened.push('GIVEN_BACK');
  if (goingBack > 0) happened.push('GOING_BACK');
  if (cause?.kind === 'DISPUTE_OPENED') happened.push('DISPUTE_OPENED');
  if (cause?.kind === 'REFUND_FAILED') {
    happened.push('REFUND_FAILED');
    if (cause.wasAnnounced) happened.push('REFUND_RETURNED');
  }
  if (payload.noted !== undefined) happened.push('PROBLEM_NOTED');
  // Who is there sees that they were declined: only of the others a payment that is still open says so.
  const isDeclined = payload.noted === undefined && payload.paymentIntent.failureCode !== null;
  if (payload.status === 'PENDING' && isDeclined) happened.push('PAYER_NEEDED');
  return { from: payload.previousStatus, to: payload.status, happened };
}

/** Most changes come before any money does, and nothing is asked for them. */
async function readMoney(
  manager: EntityManager,
  changes: readonly TellableEvent[],
): Promise<ReadonlyMap<string, ReadRow>> {
  const withMoney = changes.filter(
    ({ payload }) => (payload as StatusChangedPayload).paymentIntent.capturedAmount > 0,
  );
  if (withMoney.length === 0) return new Map();
  const causes = withMoney.map(({ payload }) => (payload as StatusChangedPayload).cause);
  const rows = await run(manager, READ, [
    withMoney.map(({ key }) => key),
    withMoney.map(({ version }) => version),
    withMoney.map(({ payload }) => (payload as StatusChangedPayload).occurredAt),
    causes.map((cause) => (cause?.kind === 'DISPUTE_OPENED' ? cause.provider : null)),
    causes.map((cause) => (cause?.kind === 'DISPUTE_OPENED' ? cause.disputeReference : null)),
    causes.map((cause) => (cause?.kind === 'REFUND_FAILED' ? cause.refundReference : null)),
  ]);
  return new Map(rows.map((row) => [nameOf(row), row]));
}

function nameOf({ key, version }: Pick<TellableEvent, 'key' | 'version'>): string {
  return `${PAYMENT_STATUS_CHANGED}:${key}:${version}`;
}
