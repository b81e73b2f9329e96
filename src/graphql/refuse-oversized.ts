import type { preHandlerAsyncHookHandler } from 'fastify';
import { parse, type GraphQLError, type GraphQLFormattedError } from 'graphql';
import { statusOfFault } from './http-status.js';
import { oversized } from './document-size.js';
import { MAX_TOKENS } from './query-limits.js';

/** Queries that were small enough are not parsed here again. */
const MAX_REMEMBERED_QUERIES = 500;

/**
 * Refuses documents that validation would take long for, before Apollo, which has no place for it: what it parses, it
 * validates.
 */
export function refuseOversized(
  shown: (error: GraphQLError) => GraphQLFormattedError,
): preHandlerAsyncHookHandler {
  const remembered = new Set<string>();
  return async (request, reply) => {
    const query = queryOf(request.body) ?? queryOf(request.query);
    if (query === undefined || remembered.has(query)) return;
    const error = oversizedQuery(query);
    if (error) return reply.code(statusOfFault(request.headers.accept)).send({ errors: [shown(error)] });
    if (remembered.size >= MAX_REMEMBERED_QUERIES) remembered.clear();
    remembered.add(query);
  };
}

function queryOf(source: unknown): string | undefined {
  const query = (source as { query?: unknown } | null | undefined)?.query;
  return typeof query === 'string' ? query : undefined;
}

function oversizedQuery(query: string): GraphQLError | null {
  try {
    return oversized(parse(query, { maxTokens: MAX_TOKENS }));
  } catch {
    // No GraphQL at all: Apollo says so.
    return null;
  }
}
