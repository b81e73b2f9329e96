import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import { fromRow } from '../../database/rows.js';
import type { Task } from '../../jobs/job-runner.js';
import type { Order } from '../../orders/order.js';
import { foreseeSoldOut } from '../../orders/sold-out.js';
import type { PaymentIntent } from '../../payments/payment-intent.js';
import { factsOf, insertEmails, type QueueSettings } from './queue-emails.js';
import { readMailedOrders } from './read-orders.js';
import { MAY_BE_REMINDED, REMIND_OF_PAYMENT } from './schedule-reminders.js';
import { v7 as uuidv7 } from 'uuid';

/** Of one order there is one reminder, ever. */
const TRANSITION = 'reminder';

/** Reminders can be switched off while jobs wait for their time. */
export function remindOfPaymentTask(manager: EntityManager, settings: QueueSettings): Task {
  return {
    name: REMIND_OF_PAYMENT,
    run: async (payload) => {
      if (settings.reminderAfterMilliseconds === 0) return;
      await remindOfPayment(manager, (payload as { intentId: string }).intentId, settings);
    },
  };
}

interface UnfinishedRow {
  readonly intent: Record<string, unknown>;
  readonly order: Record<string, unknown>;
  readonly holds: boolean;
}

/**
 * Nobody is reminded of a payment that may be under way, of which something was heard that a person has to look at, that failed (they have been told), that was cancelled, or that
 * a newer one has followed: that one has a job of its own.
 */
const UNFINISHED = statement<UnfinishedRow>(
  'unfinished_payment',
  `SELECT to_jsonb(i) AS intent, to_jsonb(o) AS order, o.reserved_until IS NOT NULL AS holds
   FROM payment_intent i JOIN orders o ON o.id = i.order_id
   WHERE i.id = $1 AND i.status IN ('PENDING', 'EXPIRED') AND o.status = 'OPEN' AND ${MAY_BE_REMINDED}
     AND i.noted_problems = '{}'
     AND NOT EXISTS (SELECT FROM payment_intent other WHERE other.order_id = o.id AND other.id <> i.id
       AND (other.created_at > i.created_at OR other.status NOT IN ('EXPIRED', 'FAILED', 'CANCELLED')))`,
);

/** Reminds of a payment if it is still unfinished, and if what was ordered can still be had. */
async function remindOfPayment(
  manager: EntityManager,
  intentId: string,
  settings: QueueSettings,
): Promise<void> {
  const [row] = await run(manager, UNFINISHED, [intentId]);
  if (!row) return;
  const intent = fromRow<PaymentIntent>(row.intent);
  const soldOut = row.holds ? null : await foreseeSoldOut(manager, fromRow<Order>(row.order));
  if (soldOut !== null) return;
  const order = (await readMailedOrders(manager, [intent.orderId])).get(intent.orderId)!;
  await manager.transaction((transaction) =>
    insertEmails(
      transaction,
      [
        {
          id: uuidv7(),
          order_id: order.id,
          intent_id: intent.id,
          template: 'PAYMENT_REMINDER',
          transition: TRANSITION,
          recipient: order.facts.customer.email!,
          locale: order.locale,
          data: factsOf(order, intent, intent.createdAt.toISOString()),
        },
      ],
      settings,
    ),
  );
}
