import { storedEvents } from './books.js';
import { versionsUpTo } from './churned-payment.js';
import type { OpenPayment } from './notifying-provider.js';
import type { RunningApp } from './running-app.js';
import { watch } from './subscriber.js';

/** The types of all notifications that came about a payment. */
export async function typesOf(app: RunningApp, payment: OpenPayment): Promise<string[]> {
  await app.stripe.settled();
  const events = await storedEvents(app);
  return events.filter(({ payload }) => payload.includes(payment.attemptReference)).map(({ type }) => type);
}

/** The statuses of a payment from its beginning, and each version once. */
export async function historyOf(
  app: RunningApp,
  { id, token }: OpenPayment,
  versions: number,
): Promise<string[]> {
  const watcher = watch(app, id, token, 0);
  await watcher.until((heard) => heard.length === versions);
  await watcher.close();
  expect(watcher.heard.map(({ version }) => version)).toEqual(versionsUpTo(versions));
  return watcher.heard.map(({ status }) => status);
}
