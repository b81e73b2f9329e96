import { cancelPayment } from '../payment-calls.js';
import { dataOf } from '../running-app.js';
import { capturePayment } from '../staff-calls.js';
import { cancelSubscription } from '../subscriptions.js';
import { decide, type Decision } from './misfits.js';
import { ask, type Scene } from './scene.js';

/** What nobody has decided by the evening is decided then, when all providers behave again. */
type Office = Pick<Scene, 'app' | 'tally'>;

/** What is still held is taken or let go. @returns how many there were. */
export async function decideAboutHeld({ app }: Office): Promise<number> {
  const held = await standing({ app }, 'AUTHORIZED');
  for (const [position, payment] of held.entries()) {
    dataOf(
      await (position % 2 === 0 ? capturePayment(app, payment) : cancelPayment(app, payment.id, app.apiKey)),
    );
  }
  return held.length;
}

/** Subscriptions whose first invoice nobody paid in full end. @returns how many there were. */
export async function endUnpaidSubscriptions(office: Office): Promise<number> {
  const unpaid: { id: string }[] = await office.app.dataSource.query(
    `SELECT reference AS id FROM recurring_subscription
     WHERE status = 'INCOMPLETE' AND provider_reference IS NOT NULL`,
  );
  for (const { id } of unpaid) {
    await ask(office, 'cancelRecurringSubscription', () => cancelSubscription(office.app, id, false));
  }
  return unpaid.length;
}

/**
 * Operators decide about everything that is under review: as they please, or what is possible where that isn't.
 * @returns how many there were.
 */
export async function decideAboutReviews(office: Office): Promise<number> {
  const reviews = await standing(office, 'REVIEW');
  const wishes: readonly Decision[] = ['ACCEPT', 'REFUND', 'CLOSE'];
  for (const [position, payment] of reviews.entries()) {
    const answer = await decide(office, payment, wishes[position % wishes.length]!);
    if (answer.errors) await decide(office, payment, 'CLOSE');
  }
  return reviews.length;
}

function standing({ app }: Pick<Office, 'app'>, status: string): Promise<{ id: string }[]> {
  return app.dataSource.query(
    `SELECT reference AS id FROM payment_intent WHERE status = $1 ORDER BY reference`,
    [status],
  );
}
