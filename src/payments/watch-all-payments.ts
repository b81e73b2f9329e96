import { Repeater } from '@graphql-yoga/subscription';
import type { PaymentPubSub } from './payment-pub-sub.js';
import type { StatusChangedPayload } from './status-changed.js';

/**
 * Every payment's changes from now on. What is heard is taken over at once, whatever the watcher's pace: the pub/sub
 * would else fill up, and it throws in the middle of telling everybody. A watcher too slow for the buffer (some 1,000
 * changes behind) is ended with an error, and connects again. What the relay tells a second time is dropped.
 */
export function watchAllPayments(
  pubSub: PaymentPubSub,
  isWanted: (payload: StatusChangedPayload) => boolean,
): Repeater<StatusChangedPayload> {
  return new Repeater(async (push, stop) => {
    const live = pubSub.subscribe('paymentIntentsChanged');
    void stop.then(() => live.return());
    const isNews = newsOnly();
    for await (const payload of live) {
      if (!isNews(payload) || !isWanted(payload)) continue;
      try {
        void push(payload);
      } catch (error) {
        if (error instanceof Error && error.name === 'RepeaterOverflowError') throw new WatcherTooSlow();
        throw error;
      }
    }
  });
}

/** Payments whose last version is remembered; the relay tells again only what is recent. */
const REMEMBERED_PAYMENTS = 5_000;

function newsOnly(): (payload: StatusChangedPayload) => boolean {
  const seen = new Map<string, number>();
  return ({ paymentIntent: { id }, version }) => {
    if ((seen.get(id) ?? 0) >= version) return false;
    // Written anew, so that the map's order is that of the last change.
    seen.delete(id);
    seen.set(id, version);
    if (seen.size > REMEMBERED_PAYMENTS) seen.delete(seen.keys().next().value!);
    return true;
  };
}

class WatcherTooSlow extends Error {
  override readonly name = 'WatcherTooSlow';

  constructor() {
    super('More changes came than this connection could take. Connect again, and ask for what you missed.');
  }
}
