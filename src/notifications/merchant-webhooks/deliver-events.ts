import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import { addJobs } from '../../jobs/add-jobs.js';
import type { TellableEvent } from '../../outbox/relay.js';
import { PAYMENT_STATUS_CHANGED } from '../../outbox/topics.js';
import type { StatusChangedPayload } from '../../payments/status-changed.js';
import { paymentMessage } from './message.js';
import { insertDeliveries, newDelivery } from './new-delivery.js';
import type { WebhookEndpoint } from './webhook-endpoint.js';

/** The job that says: there is something to deliver. What there is, the rows say. */
export const DELIVER_WEBHOOKS = 'deliver_webhooks';

type Receiver = Pick<WebhookEndpoint, 'id' | 'status' | 'messageTypes'>;

// Locked, so that none is deleted before the rows that name it are written.
const RECEIVERS = statement<Receiver>(
  'webhook_receivers',
  'SELECT id, status, message_types AS "messageTypes" FROM webhook_endpoint FOR KEY SHARE',
);

/** Nobody can change the number of an order. */
const NUMBERS = statement<{ id: string; number: string | null }>(
  'numbers_of_orders',
  'SELECT id, number FROM orders WHERE id = ANY($1)',
);

/** What an outbox event causes here: a delivery to each endpoint that wants to know. */
export async function deliverEvents(manager: EntityManager, events: readonly TellableEvent[]): Promise<void> {
  const steps = events.filter(({ topic }) => topic === PAYMENT_STATUS_CHANGED);
  if (steps.length === 0) return;
  const receivers = await run(manager, RECEIVERS, []);
  if (receivers.length === 0) return;
  const numbers = await numbersOf(manager, steps);
  const deliveries = steps.flatMap((event) => {
    const payload = payloadOf(event);
    const message = paymentMessage(payload, numbers.get(payload.paymentIntent.orderId) ?? null);
    return receivers
      .filter(({ messageTypes }) => messageTypes === null || messageTypes.includes(message.type))
      .map((receiver) => newDelivery(receiver, event.id, message));
  });
  await insertDeliveries(manager, deliveries);
  if (deliveries.some(({ status }) => status === 'PENDING')) {
    await addJobs(manager, [{ task: DELIVER_WEBHOOKS, payload: {} }]);
  }
}

async function numbersOf(
  manager: EntityManager,
  events: readonly TellableEvent[],
): Promise<ReadonlyMap<string, string | null>> {
  const orderIds = new Set(events.map((event) => payloadOf(event).paymentIntent.orderId));
  const rows = await run(manager, NUMBERS, [[...orderIds]]);
  return new Map(rows.map(({ id, number }) => [id, number]));
}

function payloadOf({ payload }: TellableEvent): StatusChangedPayload {
  return payload as StatusChangedPayload;
}
