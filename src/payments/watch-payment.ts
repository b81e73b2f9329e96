import { Repeater } from '@graphql-yoga/subscription';
import type { EntityManager } from 'typeorm';
import { PAYMENT_STATUS_CHANGED } from '../outbox/topics.js';
import type { PaymentPubSub } from './payment-pub-sub.js';
import type { PaymentIntent } from './payment-intent.js';
import type { StatusChangedPayload } from './status-changed.js';

export interface PaymentToWatch {
  readonly intent: PaymentIntent;
  readonly orderReference: string;
}

export interface Watching {
  readonly manager: EntityManager;
  readonly pubSub: PaymentPubSub;
  /** Asked before each change is handed over; throws when the watcher may not see it any more. */
  readonly checkAccess: () => Promise<void>;
}

/**
 * One payment, live and without gaps: first its present state, or, for a watcher who says what they saw last, every
 * change since; then each change in order, none twice.
 *
 * The order of steps is what makes it whole: listening begins before the state is read, so nothing falls between; what
 * was heard and read twice is dropped by its version; and a version that was skipped on the way (told by another node,
 * or lost with it) is read from the outbox, which keeps them all.
 * @param load reads the payment; called after listening has begun. @throws what `load` throws.
 */
export function watchPayment(
  { manager, pubSub, checkAccess }: Watching,
  intentId: string,
  load: () => Promise<PaymentToWatch>,
  sinceVersion: number | null,
): Repeater<StatusChangedPayload> {
  return new Repeater(async (push, stop) => {
    const live = pubSub.subscribe('paymentStatusChanged', intentId);
    void stop.then(() => live.return());
    // Listening begins with the first call of next().
    let next = live.next();
    let seen = sinceVersion ?? 0;
    const hand = async (payload: StatusChangedPayload): Promise<void> => {
      await checkAccess();
      seen = payload.version;
      void push(payload);
    };

    const present = await load();
    // A version that this payment has not reached is another payment's: of this one nothing was seen.
    if (sinceVersion === null || sinceVersion > present.intent.version) {
      await hand(await presentState(manager, present));
    } else for (const missed of await changesSince(manager, intentId, seen)) await hand(missed);

    for (let heard = await next; !heard.done; heard = await next) {
      next = live.next();
      const change = heard.value;
      if (change.version <= seen) continue;
      if (change.version === seen + 1) await hand(change);
      else for (const missed of await changesSince(manager, intentId, seen)) await hand(missed);
    }
  });
}

async function presentState(
  manager: EntityManager,
  { intent, orderReference }: PaymentToWatch,
): Promise<StatusChangedPayload> {
  return {
    previousStatus: null,
    status: intent.status,
    version: intent.version,
    occurredAt: await changedAt(manager, intent),
    orderReference,
    paymentIntent: intent,
  };
}

/** When the payment came to its present version, as the event of it says, in ISO 8601. */
async function changedAt(manager: EntityManager, { id, version, createdAt }: PaymentIntent): Promise<string> {
  const [event]: { occurredAt: string }[] = await manager.query(
    `SELECT payload ->> 'occurredAt' AS "occurredAt" FROM outbox_event WHERE topic = $1 AND key = $2 AND version = $3`,
    [PAYMENT_STATUS_CHANGED, id, version],
  );
  return event?.occurredAt ?? createdAt.toISOString();
}

async function changesSince(
  manager: EntityManager,
  intentId: string,
  version: number,
): Promise<StatusChangedPayload[]> {
  const rows: { payload: StatusChangedPayload }[] = await manager.query(
    'SELECT payload FROM outbox_event WHERE topic = $1 AND key = $2 AND version > $3 ORDER BY version',
    [PAYMENT_STATUS_CHANGED, intentId, version],
  );
  return rows.map(({ payload }) => payload);
}
