import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { newMessageId } from '../../references.js';
import { run, statement } from '../../database/statement.js';
import type { Message } from './message.js';
import type { WebhookEndpoint } from './webhook-endpoint.js';

export interface NewDelivery {
  readonly id: string;
  /** `msg_…`, the same at every try. */
  readonly messageId: string;
  readonly endpointId: string;
  readonly outboxEventId: number | null;
  readonly type: string;
  readonly payload: string;
  readonly status: 'PENDING' | 'FAILED';
}

/** To a disabled endpoint nothing is sent, and what it misses is kept to be replayed. */
export function newDelivery(
  endpoint: Pick<WebhookEndpoint, 'id' | 'status'>,
  outboxEventId: number | null,
  { type, text }: Message,
): NewDelivery {
  return {
    id: uuidv7(),
    messageId: newMessageId(),
    endpointId: endpoint.id,
    outboxEventId,
    type,
    payload: text,
    status: endpoint.status === 'ENABLED' ? 'PENDING' : 'FAILED',
  };
}

const INSERT = statement(
  'insert_webhook_deliveries',
  `INSERT INTO webhook_delivery (id, message_id, endpoint_id, outbox_event_id, type, payload, status, next_try_at)
   SELECT id, "messageId", "endpointId", "outboxEventId", type, payload, status,
     CASE WHEN status = 'PENDING' THEN now() END
   FROM jsonb_to_recordset($1) AS delivery(
     id uuid, "messageId" text, "endpointId" uuid, "outboxEventId" bigint, type text, payload text, status text)
   ON CONFLICT ON CONSTRAINT webhook_delivery_once DO NOTHING`,
);

/** One that is there already, of the same event to the same endpoint, stays as it is. */
export async function insertDeliveries(
  manager: EntityManager,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  if (deliveries.length > 0) await run(manager, INSERT, [JSON.stringify(deliveries)]);
}
