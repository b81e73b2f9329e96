import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { getOperationAST, GraphQLError, type GraphQLSchema } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { AccessError } from '../access/access-error.js';
import { authenticate, requireStillValid } from '../access/authenticate.js';
import { expiryOf, type Caller } from '../access/caller.js';
import type { RefusedLogIns } from '../audit/refused-log-ins.js';
import type { ReadClientAddress } from '../access/client-address.js';
import { carryMessages, closeSocket, type Connected } from './carry-messages.js';
import { documentChecker } from './check-document.js';
import { authorizationOf } from './connection-token.js';
import { LimitError } from '../limits/limit-error.js';
import type { SocketLimits } from '../limits/limits.js';
import type { Turnstile } from '../limits/turnstile.js';
import type { RateLimits } from '../limits/rate-limits.js';
import { OpenSockets } from '../limits/open-sockets.js';
import type { Context, ContextOfServer } from './context.js';
import type { AdmitOperation } from './admit-operation.js';
import { limitOperations } from './limit-operations.js';
import { publicError } from './public-error.js';

const MAX_MESSAGE_BYTES = 100 * 1_024;

/** The close code with which graphql-ws clients connect again; its own 4500 makes them give up. */
const TRY_AGAIN_LATER = 1013;
const GOING_AWAY = 1001;

/** `setTimeout` takes no more than this; a socket that lives longer is closed then, and connects again. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** Clients that don't answer that they were sent elsewhere are cut off after so long. */
const GOODBYE_MILLISECONDS = 2_000;

export interface GraphQLOverWebSocket {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly context: ContextOfServer;
  readonly clientAddress: ReadClientAddress;
  /** Whether pages of this origin may connect. */
  readonly isAllowedOrigin: (origin: string) => boolean;
  readonly limits: SocketLimits;
  readonly admit: AdmitOperation;
  readonly rateLimits: RateLimits;
  readonly refusedLogIns: RefusedLogIns;
  readonly turnstile: Turnstile;
  readonly log: Logger;
}

interface Connection extends Connected {
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
  {
    schema,
    introspection,
    context,
    clientAddress,
    isAllowedOrigin,
    limits,
    admit,
    rateLimits,
    refusedLogIns,
    turnstile,
    log,
  }: GraphQLOverWebSocket,
): () => Promise<void> {
  const sockets = new WebSocketServer({
    // Bound by hand: bound to the server, a port that is taken would be reported here too, with a stack.
    noServer: true,
    path: '/graphql',
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols,
    // Browsers always send their origin; what sends none is no browser, and carries no cookies that could be misused.
    verifyClient: ({ origin }: { origin?: string }) => !origin || isAllowedOrigin(origin),
  });
  const check = documentChecker(schema, introspection);
  const describe = (error: unknown) => publicError(error, log);
  const enter = (extra: Connection) => turnstile.enter(extra.clientAddress!);
  const protocol = makeServer<Record<string, unknown>, Connection>(
    limitOperations<Connection>(limits, enter, admit, {
      onConnect: async ({ connectionParams, extra }) => {
        const countBadToken = (reason: string) => {
          const address = clientAddress(extra.request);
          refusedLogIns.note(address, reason);
          return countBadTokenOf(rateLimits, address);
        };
        const caller = await callerOf(context, extra, connectionParams, countBadToken);
        if (!caller) return false;
        extra.caller = caller;
        // Now: of a socket that has been closed, nobody knows the address any more.
        extra.clientAddress = clientAddress(extra.request);
        closeWhenExpired(extra.socket, caller);
        closeWhenRevoked(extra.socket, caller, context);
        return true;
      },
      onSubscribe: async ({ extra }, _id, { query, operationName, variables }: SubscribePayload) => {
        const document = check(query);
        if (!('kind' in document)) return document;
        if (!getOperationAST(document, operationName)) return [operationUnclear()];
        // Each operation is judged by what its caller is now.
        const caller = await requireStillValid(context.authentication, extra.caller!);
        const contextValue: Context = { ...context, caller, clientAddress: extra.clientAddress! };
        return {
          schema,
          document,
          operationName,
          variableValues: variables,
          contextValue,
          // Without introspection, a mistyped name must not be answered with the right one.
          hideSuggestions: !introspection,
        };
      },
      onNext: (_context, _id, _payload, _args, result) =>
        result.errors && { ...result, errors: result.errors.map(describe) },
      onError: (_context, _id, _payload, errors) => errors.map(describe),
    }),
  );
  const open = new OpenSockets(limits.perAddress);
  server.on('upgrade', (request, socket, head) => {
    const address = clientAddress(request);
    if (!open.open(address)) return refuseUpgrade(socket);
    socket.once('close', () => open.close(address));
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      carryMessages<Connection>(protocol, { socket: webSocket, request }, { describe, log }),
    );
  });
  return () => sendElsewhere(sockets);
}

/** Before there is a WebSocket: it is an HTTP answer. */
function refuseUpgrade(socket: Duplex): void {
  socket.end(
    'HTTP/1.1 429 Too Many Requests\r\nretry-after: 10\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  );
}

/** Who connects. Null: nobody does, and the socket is closed with the reason. */
async function callerOf(
  { authentication, log }: ContextOfServer,
  { socket, request }: Connection,
  connectionParams: Readonly<Record<string, unknown>> | undefined,
  countBadToken: (reason: string) => Promise<boolean>,
): Promise<Caller | null> {
  try {
    return await authenticate(
      authentication,
      authorizationOf(connectionParams, request.headers.authorization),
    );
  } catch (error) {
    if (error instanceof AccessError && error.kind !== 'IDENTITY_UNAVAILABLE') {
      if (await countBadToken(error.message)) {
        log.info({ reason: error.message }, 'refused a WebSocket connection');
        closeSocket(socket, CloseCode.Forbidden, error.message);
      } else
        closeSocket(socket, CloseCode.TooManyInitialisationRequests, 'Too many tokens that are not good');
    } else {
      log.error({ err: error }, 'could not check the token of a WebSocket connection');
      closeSocket(socket, TRY_AGAIN_LATER, 'Try again later');
    }
    return null;
  }
}

/** @returns whether there were few enough. */
async function countBadTokenOf(limits: RateLimits, address: string): Promise<boolean> {
  try {
    await limits.take([{ limit: 'badTokensPerAddress', key: address }]);
    return true;
  } catch (error) {
    if (error instanceof LimitError) return false;
    throw error;
  }
}

function closeWhenExpired(socket: WebSocket, caller: Caller): void {
  const expiry = expiryOf(caller);
  if (!expiry) return;
  const milliseconds = Math.min(Math.max(0, expiry.getTime() - Date.now()), LONGEST_TIMER_MILLISECONDS);
  const timer = setTimeout(() => socket.close(CloseCode.Forbidden, 'The token has expired'), milliseconds);
  socket.once('close', () => clearTimeout(timer));
}

function closeWhenRevoked(socket: WebSocket, caller: Caller, { authentication }: ContextOfServer): void {
  // One that was closed meanwhile says so no more.
  if (caller.kind !== 'backend' || socket.readyState !== socket.OPEN) return;
  const end = () => socket.close(CloseCode.Forbidden, 'The API key has expired or was revoked');
  socket.once('close', authentication.apiKeys.onConnection(caller.keyHash, end));
}

function operationUnclear(): GraphQLError {
  return new GraphQLError('Say in operationName which operation of the document is meant.', {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE' },
  });
}

async function sendElsewhere(sockets: WebSocketServer): Promise<void> {
  const closed = new Promise<void>((resolve) => sockets.close(() => resolve()));
  for (const socket of sockets.clients) closeSocket(socket, GOING_AWAY, 'Going away');
  const cutOff = setTimeout(
    () => sockets.clients.forEach((socket) => socket.terminate()),
    GOODBYE_MILLISECONDS,
  );
  await closed;
  clearTimeout(cutOff);
}
