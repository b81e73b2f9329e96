import type { IncomingMessage } from 'node:http';
import { LimitError } from '../limits/limit-error.js';
import type { RateLimits } from '../limits/rate-limits.js';

/** Counts a request that proves nothing. @returns why it is answered with 429; null while there were few. */
export type CountRefusal = (request: IncomingMessage) => Promise<LimitError | null>;

/** Signed notifications are not counted, wherever they come from: a provider is never sent away. */
export function countRefusals(
  limits: RateLimits,
  clientAddress: (request: IncomingMessage) => string,
): CountRefusal {
  return async (request) => {
    try {
      await limits.take([{ limit: 'refusedWebhooksPerAddress', key: clientAddress(request) }]);
      return null;
    } catch (error) {
      if (error instanceof LimitError) return error;
      throw error;
    }
  };
}
