import { Repeater } from '@graphql-yoga/subscription';
import type { PaymentPubSub } from './payment-pub-sub.js';
import type { StatusChangedPayload } from './status-changed.js';

/**
 * Every payment's changes from now on. What is heard is taken over at once, whatever the watcher's pace: the pub/sub
 * would else fill up, and it throws in the middle of telling everybody. A watcher too slow for the buffer (some 1,000
 * changes behind) is ended with an error, and connects again.
 */
export function watchAllPayments(
  pubSub: PaymentPubSub,
  isWanted: (payload: StatusChangedPayload) => boolean,
): Repeater<StatusChangedPayload> {
  return new Repeater(async (push, stop) => {
    const live = pubSub.subscribe('paymentIntentsChanged');
    void stop.then(() => live.return());
    for await (const payload of live) {
      if (!isWanted(payload)) continue;
      try {
        void push(payload);
      } catch (error) {
        if (error instanceof Error && error.name === 'RepeaterOverflowError') throw new WatcherTooSlow();
        throw error;
      }
    }
  });
}

export class WatcherTooSlow extends Error {
  override readonly name = 'WatcherTooSlow';

  constructor() {
    super('More changes came than this connection could take. Connect again, and ask for what you missed.');
  }
}
