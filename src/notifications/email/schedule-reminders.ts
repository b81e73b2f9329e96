import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import { addJobs } from '../../jobs/add-jobs.js';
import type { PaymentTransition } from './read-transitions.js';

export const REMIND_OF_PAYMENT = 'remind_of_payment';

/**
 * Whom we may remind: a shop may forbid it for one order, by its metadata. What a provider collects again and again it
 * tries again by itself, and its payer was told when it failed.
 */
export const MAY_BE_REMINDED = `o.customer ->> 'email' IS NOT NULL AND o.recurring_subscription_id IS NULL
  AND (o.metadata -> 'reminders') IS DISTINCT FROM 'false'`;

const ORDERS_TO_REMIND = statement<{ id: string }>(
  'orders_to_remind',
  `SELECT o.id FROM orders o WHERE o.id = ANY($1) AND ${MAY_BE_REMINDED}`,
);

/** For each payment that was opened just now: should it be left unfinished, a job will find it so. */
export async function scheduleReminders(
  manager: EntityManager,
  afterMilliseconds: number,
  transitions: readonly PaymentTransition[],
): Promise<void> {
  const opened = transitions
    .map(({ payload }) => payload)
    .filter(({ previousStatus }) => previousStatus === null);
  if (afterMilliseconds === 0 || opened.length === 0) return;
  const orderIds = [...new Set(opened.map(({ paymentIntent }) => paymentIntent.orderId))];
  const withAddress = new Set((await run(manager, ORDERS_TO_REMIND, [orderIds])).map(({ id }) => id));
  const jobs = opened
    .filter(({ paymentIntent }) => withAddress.has(paymentIntent.orderId))
    .map(({ paymentIntent, occurredAt }) => ({
      task: REMIND_OF_PAYMENT,
      payload: { intentId: paymentIntent.id },
      key: `reminder:${paymentIntent.id}`,
      runAt: new Date(Date.parse(occurredAt) + afterMilliseconds),
    }));
  await addJobs(manager, jobs);
}
