import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  getOperationAST,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLSchema,
} from 'graphql';
import { CloseCode, type SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { AccessError } from '../access/access-error.js';
import { authenticate } from '../access/authenticate.js';
import { expiryOf, type Caller } from '../access/caller.js';
import type { ReadClientAddress } from '../access/client-address.js';
import type { SocketLimits } from '../limits/limits.js';
import { OpenSockets } from '../limits/open-sockets.js';
import type { Context, ContextOfServer } from './context.js';
import { requireAffordable } from './admit-operation.js';
import { oversized } from './document-size.js';
import { limitOperations } from './limit-operations.js';
import { publicError } from './public-error.js';
import { MAX_TOKENS, QUERY_LIMITS } from './query-limits.js';

const MAX_MESSAGE_BYTES = 100 * 1_024;

/** The close code with which graphql-ws clients connect again; its own 4500 makes them give up. */
const TRY_AGAIN_LATER = 1013;

/** `setTimeout` takes no more than this; a socket that lives longer is closed then, and connects again. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** Checked documents are remembered, for every watcher of a shop sends the same one. */
const MAX_REMEMBERED_DOCUMENTS = 500;

export interface GraphQLOverWebSocket {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly context: ContextOfServer;
  readonly clientAddress: ReadClientAddress;
  /** Whether pages of this origin may connect. */
  readonly isAllowedOrigin: (origin: string) => boolean;
  readonly limits: SocketLimits;
  readonly log: Logger;
}

interface Connection extends Record<PropertyKey, unknown> {
  caller?: Caller;
  clientAddress?: string;
}

/**
 * GraphQL over WebSocket (graphql-ws), on `/graphql` beside HTTP and under the same rules: the same tokens, limits and
 * errors. A connection whose token isn't good, or has run out, is closed with 4403; a client that connects again with a
 * new token says to `sinceVersion` what it saw last, and misses nothing.
 * @returns how to end it: watchers are told to connect elsewhere.
 */
export function serveSubscriptions(
  server: Server,
  { schema, introspection, context, clientAddress, isAllowedOrigin, limits, log }: GraphQLOverWebSocket,
): () => Promise<void> {
  const sockets = new WebSocketServer({
    // Bound by hand: bound to the server, a port that is taken would be reported here too, with a stack.
    noServer: true,
    path: '/graphql',
    maxPayload: MAX_MESSAGE_BYTES,
    // Browsers always send their origin; what sends none is no browser, and carries no cookies that could be misused.
    verifyClient: ({ origin }: { origin?: string }) => !origin || isAllowedOrigin(origin),
  });
  const open = new OpenSockets(limits.perAddress);
  server.on('upgrade', (request, socket, head) => {
    const address = clientAddress(request);
    if (!open.open(address)) return refuseUpgrade(socket);
    socket.once('close', () => open.close(address));
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      sockets.emit('connection', webSocket, request),
    );
  });
  const check = documentChecker(schema, introspection);
  const subscriptions = useServer<Record<string, unknown>, Connection>(
    limitOperations<Connection>(limits, (operation) => void requireAffordable(schema, operation), {
      onConnect: async ({ connectionParams, extra }) => {
        const caller = await callerOf(context, connectionParams);
        if (caller === 'UNKNOWN') extra.socket.close(TRY_AGAIN_LATER, 'Try again later');
        if (!caller || caller === 'UNKNOWN') return false;
        extra.caller = caller;
        // Now: of a socket that has been closed, nobody knows the address any more.
        extra.clientAddress = clientAddress(extra.request);
        closeWhenExpired(extra.socket, caller);
        return true;
      },
      onSubscribe: ({ extra }, _id, payload) => {
        const document = check(payload.query);
        if (Array.isArray(document)) return document;
        if (!getOperationAST(document, payload.operationName)) return [operationUnclear()];
        const contextValue = {
          ...context,
          caller: extra.caller!,
          clientAddress: extra.clientAddress!,
        };
        return {
          ...executionArgs(schema, document, payload, contextValue),
          // Without introspection, a mistyped name must not be answered with the right one.
          hideSuggestions: !introspection,
        };
      },
      onNext: (_context, _id, _payload, _args, result) =>
        result.errors && { ...result, errors: result.errors.map((error) => publicError(error, log)) },
      onError: (_context, _id, _payload, errors) => errors.map((error) => publicError(error, log)),
    }),
    sockets,
  );
  return async () => {
    await subscriptions.dispose();
  };
}

/** Before there is a WebSocket: it is an HTTP answer. */
function refuseUpgrade(socket: Duplex): void {
  socket.end(
    'HTTP/1.1 429 Too Many Requests\r\nretry-after: 10\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  );
}

async function callerOf(
  { authentication, log }: ContextOfServer,
  connectionParams: Readonly<Record<string, unknown>> | undefined,
): Promise<Caller | 'UNKNOWN' | null> {
  const authorization = connectionParams?.authorization ?? connectionParams?.Authorization;
  if (authorization !== undefined && typeof authorization !== 'string') return null;
  try {
    return await authenticate(authentication, authorization);
  } catch (error) {
    if (error instanceof AccessError) {
      log.info({ reason: error.message }, 'refused a WebSocket connection');
      return null;
    }
    log.error({ err: error }, 'could not check the token of a WebSocket connection');
    return 'UNKNOWN';
  }
}

function closeWhenExpired(socket: WebSocket, caller: Caller): void {
  const expiry = expiryOf(caller);
  if (!expiry) return;
  const milliseconds = Math.min(Math.max(0, expiry.getTime() - Date.now()), LONGEST_TIMER_MILLISECONDS);
  const timer = setTimeout(() => socket.close(CloseCode.Forbidden, 'The token has expired'), milliseconds);
  socket.once('close', () => clearTimeout(timer));
}

function executionArgs(
  schema: GraphQLSchema,
  document: DocumentNode,
  { operationName, variables }: SubscribePayload,
  contextValue: Context,
): ExecutionArgs {
  return { schema, document, operationName, variableValues: variables, contextValue };
}

/** Parses and validates with the same limits as HTTP does; what was found good is remembered. */
function documentChecker(
  schema: GraphQLSchema,
  introspection: boolean,
): (query: string) => DocumentNode | GraphQLError[] {
  const rules = [...specifiedRules, ...QUERY_LIMITS];
  if (!introspection) rules.push(NoSchemaIntrospectionCustomRule);
  const remembered = new Map<string, DocumentNode>();
  return (query) => {
    const known = remembered.get(query);
    if (known) return known;
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: MAX_TOKENS });
    } catch (error) {
      if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_PARSE_FAILED')];
      throw error;
    }
    const tooLarge = oversized(document);
    if (tooLarge) return [tooLarge];
    const faults = validate(schema, document, rules, { hideSuggestions: !introspection });
    if (faults.length > 0) return [...faults];
    if (remembered.size >= MAX_REMEMBERED_DOCUMENTS) remembered.clear();
    remembered.set(query, document);
    return document;
  };
}

function operationUnclear(): GraphQLError {
  return new GraphQLError('Say in operationName which operation of the document is meant.', {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE' },
  });
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    source: error.source,
    positions: error.positions,
    extensions: { code },
  });
}
