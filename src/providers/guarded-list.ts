import type { CallUnderWay } from './call-under-way.js';
import type { GuardedCalls } from './guarded-calls.js';
import type { ProviderOperation } from './provider-call.js';

/**
 * Reads a provider's list as one call of it: it begins when its reader does, and ends when they leave. Each step has the
 * time that a call has.
 */
export async function* guardedList<Item>(
  calls: GuardedCalls,
  operation: 'listNotifications' | 'listPayments',
  open: () => AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  const { underWay, end, call } = await begin(calls, operation);
  let isLeft = true;
  const iterator = open()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await calls.step(underWay, () => iterator.next());
      if (step.done) break;
      yield step.value;
    }
    isLeft = false;
  } catch (error) {
    isLeft = false;
    end.reject(error);
  } finally {
    end.resolve();
    if (isLeft) await iterator.return?.();
    // Throws what the reading ended with.
    await call;
  }
}

interface End {
  resolve(): void;
  reject(error: unknown): void;
}

/** Waits until it is let through. @throws {ProviderFailure} when it isn't. */
async function begin(
  calls: GuardedCalls,
  operation: ProviderOperation,
): Promise<{ underWay: CallUnderWay; end: End; call: Promise<void> }> {
  let end!: End;
  const reading = new Promise<void>((resolve, reject) => (end = { resolve, reject }));
  let call!: Promise<void>;
  const underWay = await new Promise<CallUnderWay>((resolve, reject) => {
    call = calls.callForList(operation, (begun) => {
      resolve(begun);
      return reading;
    });
    call.catch(reject);
  });
  return { underWay, end, call };
}
