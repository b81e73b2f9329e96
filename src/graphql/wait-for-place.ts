import type { onRequestAsyncHookHandler } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import type { ReadClientAddress } from '../access/client-address.js';
import { LimitError } from '../limits/limit-error.js';
import { headersOf, statusOf } from '../limits/limit-over-http.js';
import type { Turnstile } from '../limits/turnstile.js';

/** Before anything of a request is read: to refuse one must cost less than to serve it. */
export function waitForPlace(
  turnstile: Turnstile,
  clientAddress: ReadClientAddress,
  shown: (error: LimitError) => GraphQLFormattedError,
): onRequestAsyncHookHandler {
  return async (request, reply) => {
    try {
      const place = await turnstile.enter(clientAddress(request.raw));
      // Of a client that has gone meanwhile, too.
      if (reply.raw.closed) place.leave();
      else reply.raw.once('close', () => place.leave());
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      return reply
        .code(statusOf(error))
        .headers(headersOf(error))
        .send({ errors: [shown(error)] });
    }
  };
}
