import type { ListedNotification, ListedPayment } from '../provider.js';
import { listedPayment } from './charges.js';
import { everyItem, type StripeClient } from './client.js';
import { TYPES_TO_LIST, withoutClientSecrets } from './notifications.js';
import { fromStripeTime, stripeRange } from './time.js';

/** Stripe keeps events for 30 days, and lists the newest first: all are read before the oldest can be told. */
export async function* listNotifications(
  client: StripeClient,
  since: Date,
): AsyncGenerator<ListedNotification, void, undefined> {
  const newestFirst: ListedNotification[] = [];
  const events = everyItem(client, (stripe, page) =>
    stripe.events.list({ ...page, created: stripeRange(since), types: [...TYPES_TO_LIST] }),
  );
  for await (const event of events) {
    const body = Buffer.from(withoutClientSecrets(JSON.stringify(event)));
    newestFirst.push({ createdAt: fromStripeTime(event.created), body });
  }
  yield* newestFirst.reverse();
}

export async function* listPayments(
  client: StripeClient,
  since: Date,
  until: Date,
): AsyncGenerator<ListedPayment, void, undefined> {
  const charges = everyItem(client, (stripe, page) =>
    stripe.charges.list({ ...page, created: stripeRange(since, until) }),
  );
  for await (const charge of charges) {
    const payment = listedPayment(charge);
    if (payment) yield payment;
  }
}
