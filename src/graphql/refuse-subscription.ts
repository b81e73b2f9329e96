import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  parse,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { MAX_TOKENS } from './query-limits.js';
import { SUBSCRIPTION_RULE } from './subscription-rule.js';

/** A request over HTTP, as far as it could be read. */
export interface AskedOverHttp {
  readonly query?: unknown;
  readonly operationName?: unknown;
}

/**
 * Why a request over HTTP can't be answered there: it subscribes. Also where a subscription that isn't asked for has a
 * condition at its root, on which graphql-js's own rule would throw. Null: it is Apollo's to answer.
 */
export function refuseSubscription(
  schema: GraphQLSchema,
  { query, operationName }: AskedOverHttp,
): GraphQLError | null {
  // Most requests have no such word, and are parsed once, by Apollo.
  if (typeof query !== 'string' || !/\bsubscription\b/.test(query)) return null;
  const document = parsed(query);
  if (!document) return null;
  const name = typeof operationName === 'string' ? operationName : null;
  if (getOperationAST(document, name)?.operation === OperationTypeNode.SUBSCRIPTION) return overWebSocket();
  const [fault] = validate(schema, document, [SUBSCRIPTION_RULE]);
  return fault ?? null;
}

/** Null: Apollo says what is wrong with it. */
function parsed(query: string): DocumentNode | null {
  try {
    return parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (error instanceof GraphQLError) return null;
    throw error;
  }
}

function overWebSocket(): GraphQLError {
  return new GraphQLError(
    'Subscriptions are served over WebSocket: open one at this same address, with wss:// for https:// (ws:// for http://) and the subprotocol graphql-transport-ws, as the library graphql-ws does.',
    { extensions: { code: 'BAD_REQUEST' } },
  );
}
