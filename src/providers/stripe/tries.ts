import { AsyncLocalStorage } from 'node:async_hooks';
import type Stripe from 'stripe';
import { millisecondsLeft } from '../current-call.js';
import { noted } from './noted-exchange.js';

/**
 * The SDK repeats a failed request by itself, and then reports only the last try. When the first try timed out and the
 * second met a refused connection, the report says "refused", though the first may have charged. So every try is
 * watched where it meets the network, and a call remembers whether any of them may have arrived.
 */
interface Tries {
  oneMayHaveArrived: boolean;
}

export type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;

const triesOfThisCall = new AsyncLocalStorage<Tries>();

/** Runs one call of the SDK; `tries` tells, once it has failed, what its tries have in common. */
export async function watchTries<Answer>(
  call: () => Promise<Answer>,
  onFailure: (error: unknown, tries: Readonly<Tries>) => Error,
): Promise<Answer> {
  const tries: Tries = { oneMayHaveArrived: false };
  try {
    return await triesOfThisCall.run(tries, call);
  } catch (error) {
    throw onFailure(error, tries);
  }
}

/** An HTTP client for the SDK that notes what came of each try, and begins none when nobody waits for it any more. */
export function watchedHttpClient(client: HttpClient): HttpClient {
  return {
    getClientName: () => client.getClientName(),
    makeRequest: async (...request) => {
      const tries = triesOfThisCall.getStore();
      const inTime = within(millisecondsLeft(), request);
      try {
        const response = await noted(inTime, () => client.makeRequest(...inTime));
        if (tries && !isDecision(response.getStatusCode())) tries.oneMayHaveArrived = true;
        return response;
      } catch (error) {
        if (tries && !surelyNeverSent(error)) tries.oneMayHaveArrived = true;
        throw error;
      }
    },
  };
}

type Request = Parameters<HttpClient['makeRequest']>;

/** The same request, that waits no longer than its caller does. @throws when nobody waits any more */
function within(milliseconds: number, [...request]: Request): Request {
  if (milliseconds === 0) throw new CallIsOver();
  request[7] = Math.min(request[7], milliseconds);
  return request;
}

class CallIsOver extends Error {
  override readonly name = 'CallIsOver';
  readonly code = 'TIMEOUT';

  constructor() {
    super('The call took so long that nobody waits for it any more.');
  }
}

/** 409 is a call with the same key that is still under way, so it may yet succeed. */
function isDecision(status: number): boolean {
  return status < 500 && status !== 409;
}

/**
 * Whether a network error proves that no byte of the request left. Only the system call can prove it: the same code
 * (EHOSTUNREACH, ETIMEDOUT) comes from `connect`, before sending, and from `read`, after. With several addresses,
 * Node reports one error that holds one for each.
 */
export function surelyNeverSent(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('errors' in error && Array.isArray(error.errors)) {
    return error.errors.length > 0 && error.errors.every(surelyNeverSent);
  }
  return 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo');
}
