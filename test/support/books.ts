import { WebhookEvent } from '../../src/webhooks/webhook-event.js';
import type { RunningApp } from './running-app.js';
import { eventually } from './eventually.js';

/** A payment as it stands in the tables, for what the API doesn't show. */
export interface Books {
  readonly status: string;
  readonly version: number;
  readonly failureCode: string | null;
  readonly captured: number;
  readonly refunded: number;
  readonly orderStatus: string;
  readonly movements: readonly { readonly kind: string; readonly amount: number }[];
  readonly attempts: readonly {
    readonly status: string;
    readonly provider: string;
    readonly failureCode: string | null;
  }[];
  readonly reserved: number;
  readonly stock: number;
}

/** @param reference `TXN-…` of a payment whose order has one product of the catalogue. */
export async function booksOf(app: Pick<RunningApp, 'dataSource'>, reference: string): Promise<Books> {
  const [books] = await app.dataSource.query<Books[]>(
    `SELECT i.status, i.version, i.failure_code AS "failureCode",
       i.captured_amount AS captured, i.refunded_amount AS refunded, o.status AS "orderStatus",
       coalesce((SELECT jsonb_agg(jsonb_build_object('kind', kind, 'amount', amount) ORDER BY id)
         FROM movement WHERE intent_id = i.id), '[]') AS movements,
       (SELECT jsonb_agg(jsonb_build_object(
           'status', status, 'provider', provider, 'failureCode', failure_code) ORDER BY number)
         FROM payment_attempt WHERE intent_id = i.id) AS attempts,
       p.reserved, p.stock
     FROM payment_intent i JOIN orders o ON o.id = i.order_id
       JOIN order_line l ON l.order_id = o.id JOIN product p ON p.id = l.product_id
     WHERE i.reference = $1`,
    [reference],
  );
  if (!books) throw new Error(`there is no payment ${reference}`);
  expectSumsToAgree(books);
  return books;
}

/** Waits until the payment is there. */
export function untilStatus(
  app: Pick<RunningApp, 'dataSource'>,
  reference: string,
  status: string,
): Promise<Books> {
  return eventually(async () => {
    const books = await booksOf(app, reference);
    if (books.status !== status) throw new Error(`${reference} is ${JSON.stringify(books)}, not ${status}`);
    return books;
  });
}

/** Everything of one event id, or everything there is. */
export function storedEvents(app: Pick<RunningApp, 'dataSource'>, eventId?: string): Promise<WebhookEvent[]> {
  return app.dataSource.manager.findBy(WebhookEvent, eventId ? { eventId } : {});
}

/** Waits until the event's row is like this. */
export function untilEvent(
  app: Pick<RunningApp, 'dataSource'>,
  eventId: string,
  status: WebhookEvent['status'],
): Promise<WebhookEvent> {
  return eventually(async () => {
    const [event] = await storedEvents(app, eventId);
    if (event?.status !== status) throw new Error(`${eventId} is ${JSON.stringify(event)}, not ${status}`);
    return event;
  });
}

/** What must always hold: an intent's totals are the sums of its movements. */
function expectSumsToAgree({ captured, refunded, movements }: Books): void {
  const sum = (kind: string) =>
    movements.filter((movement) => movement.kind === kind).reduce((total, { amount }) => total + amount, 0);
  if (sum('CAPTURE') !== captured || sum('REFUND') - sum('REFUND_REVERSAL') !== refunded) {
    throw new Error(`${captured} and ${refunded} are not the sums of ${JSON.stringify(movements)}`);
  }
}
