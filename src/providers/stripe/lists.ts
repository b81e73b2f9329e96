import type { ListedNotification, ListedPayment } from '../provider.js';
import { listedPayment } from './charges.js';
import { everyItem, type StripeClient } from './client.js';
import { listedDisputes } from './disputes.js';
import { TYPES_TO_LIST, withoutClientSecrets } from './notifications.js';
import { fromStripeTime, stripeRange } from './time.js';

/** Stripe keeps events for 30 days, and lists the newest first: all are read before the oldest can be told. */
export async function* listNotifications(
  client: StripeClient,
  since: Date,
): AsyncGenerator<ListedNotification, void, undefined> {
  const listed: ListedNotification[] = [];
  for (const types of TYPES_TO_LIST) {
    const events = everyItem(client, (stripe, page) =>
      stripe.events.list({ ...page, created: stripeRange(since), types: [...types] }),
    );
    const newestFirst: ListedNotification[] = [];
    for await (const event of events) {
      const body = Buffer.from(withoutClientSecrets(JSON.stringify(event)));
      newestFirst.push({ createdAt: fromStripeTime(event.created), body });
    }
    listed.push(...newestFirst.reverse());
  }
  yield* listed.sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime());
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
    if (!payment) continue;
    const isDisputed = charge.disputed && charge.payment_intent !== null;
    yield isDisputed
      ? { ...payment, disputes: await listedDisputes(client, payment.captureReference) }
      : payment;
  }
}
