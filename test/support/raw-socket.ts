import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: any;
}

/** A WebSocket on which a test writes graphql-ws's messages itself, also those that no client of it would write. */
export interface RawSocket {
  readonly messages: readonly Message[];
  /** How the server closed it; null while it is open. */
  readonly closed: { readonly code: number; readonly reason: string } | null;
  send(message: unknown): void;
  sendText(text: string): void;
  /** Waits until these messages are satisfying, or fails when the socket is closed before. */
  until(satisfied: (messages: readonly Message[]) => boolean): Promise<void>;
  /** Waits until an operation has ended; gives what was said of it. */
  ended(id: string): Promise<readonly Message[]>;
  untilClosed(): Promise<{ readonly code: number; readonly reason: string }>;
  close(): Promise<void>;
}

const WAIT_MILLISECONDS = 10_000;

export async function openRawSocket(url: string, headers: Record<string, string> = {}): Promise<RawSocket> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
  const messages: Message[] = [];
  const waiting = new Set<() => void>();
  let closed: { code: number; reason: string } | null = null;
  socket.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString()) as Message);
    waiting.forEach((look) => look());
  });
  socket.on('close', (code, reason) => {
    closed = { code, reason: reason.toString() };
    waiting.forEach((look) => look());
  });
  await once(socket, 'open');
  const wait = (isThere: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        waiting.delete(look);
        settle();
      };
      const fail = (why: string) =>
        end(() => reject(new Error(`${why}; the last message was ${JSON.stringify(messages.at(-1))}`)));
      const timer = setTimeout(() => fail('waited in vain'), WAIT_MILLISECONDS);
      const look = () => {
        if (isThere()) return end(resolve);
        if (closed) fail(`closed with ${closed.code} ${closed.reason}`);
      };
      waiting.add(look);
      look();
    });
  const of = (id: string) => messages.filter((message) => message.id === id);
  return {
    messages,
    get closed() {
      return closed;
    },
    send: (message) => socket.send(JSON.stringify(message)),
    sendText: (text) => socket.send(text),
    until: (satisfied) => wait(() => satisfied(messages)),
    async ended(id) {
      await wait(() => of(id).some(({ type }) => type === 'error' || type === 'complete'));
      return of(id);
    },
    async untilClosed() {
      await wait(() => closed !== null);
      return closed!;
    },
    async close() {
      if (closed) return;
      socket.close();
      await wait(() => closed !== null);
    },
  };
}

/** A raw socket that the server has acknowledged. */
export async function connectRawSocket(
  url: string,
  connectionParams?: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<RawSocket> {
  const socket = await openRawSocket(url, headers);
  socket.send({ type: 'connection_init', ...(connectionParams && { payload: connectionParams }) });
  await socket.until((messages) => messages.some(({ type }) => type === 'connection_ack'));
  return socket;
}
