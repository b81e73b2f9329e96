import type { IncomingMessage } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import { CloseCode, MessageType, type Server } from 'graphql-ws';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';

/** A connection that doesn't answer a ping within it is gone. As long as graphql-ws waits. */
const KEEP_ALIVE_MILLISECONDS = 12_000;

/** What a close frame has room for. */
const MAX_REASON_BYTES = 123;

/** What belongs to a connection as long as it lasts. */
export interface Connected {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
}

export interface MessageCarrier {
  /** What a client may know of an error. */
  readonly describe: (error: unknown) => GraphQLFormattedError;
  readonly log: Logger;
}

/**
 * Carries graphql-ws's protocol over a socket of `ws`. graphql-ws has a carrier of its own, which ends the whole socket
 * with 4500 when an operation throws, and writes to the console what anybody may cause. Here what an operation throws is
 * its own error; only what breaks the protocol closes the socket, with the codes of graphql-ws.
 */
export function carryMessages<Extra extends Connected>(
  protocol: Server<Extra>,
  extra: Extra,
  { describe, log }: MessageCarrier,
): void {
  const { socket } = extra;
  const send = (text: string) =>
    new Promise<void>((resolve, reject) => {
      // What is said to a socket that closes is for nobody.
      if (socket.readyState !== socket.OPEN) return resolve();
      socket.send(text, (error) => (error && socket.readyState === socket.OPEN ? reject(error) : resolve()));
    });
  const failed = async (text: string, error: unknown) => {
    const { type, id } = readMessage(text);
    if (type === MessageType.Subscribe && id !== undefined) {
      return send(JSON.stringify({ id, type: MessageType.Error, payload: [describe(error)] }));
    }
    if (type !== undefined && OF_SERVERS.has(type)) {
      return closeSocket(socket, CloseCode.BadRequest, `Clients don’t send ${type}.`);
    }
    log.error({ err: error, type }, 'a message on a WebSocket failed for a reason of ours');
    closeSocket(socket, CloseCode.InternalServerError, 'Internal server error');
  };
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send,
      close: (code, reason) => closeSocket(socket, code, reason),
      onMessage: (handle) =>
        socket.on('message', (data) => {
          const text = (data as Buffer).toString();
          handle(text)
            .catch((error: unknown) => failed(text, error))
            .catch((error: unknown) => log.debug({ err: error }, 'a WebSocket could not be written to'));
        }),
    },
    extra,
  );
  // `ws` closes it with the code that fits: 1009 for too large a message, 1002 or 1007 for no WebSocket message at all.
  socket.on('error', (error) => log.debug({ err: error }, 'a WebSocket was closed because of what it sent'));
  const stopPinging = keepAlive(socket);
  socket.once('close', (code, reason) => {
    stopPinging();
    closed(code, String(reason)).catch((error: unknown) =>
      log.error({ err: error }, 'the operations of a WebSocket could not be ended'),
    );
  });
}

/** Messages of graphql-ws that only a server sends. */
const OF_SERVERS: ReadonlySet<string> = new Set([
  MessageType.ConnectionAck,
  MessageType.Next,
  MessageType.Error,
]);

/** Of a message that graphql-ws has read, so that it is one. */
function readMessage(text: string): { readonly type?: string; readonly id?: string } {
  return JSON.parse(text) as { type?: string; id?: string };
}

/** @param reason for people; cut where a close frame has no room for it. */
export function closeSocket(socket: WebSocket, code: number | undefined, reason = ''): void {
  const isShort = Buffer.byteLength(reason) <= MAX_REASON_BYTES;
  socket.close(code, isShort ? reason : `${reason.slice(0, 40)}…`);
}

/** @returns how to stop it. */
function keepAlive(socket: WebSocket): () => void {
  let isAlive = true;
  socket.on('pong', () => (isAlive = true));
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, KEEP_ALIVE_MILLISECONDS);
  return () => clearInterval(timer);
}
