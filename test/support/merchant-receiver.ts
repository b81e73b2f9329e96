import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface ReceivedMessage {
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  readonly receivedAt: Date;
}

/** How a request is answered: with this status, or in some way of one's own. */
export type Answer = number | ((response: ServerResponse) => void);

/** A merchant's backend that takes webhooks over real HTTP, and verifies them with the library. */
export interface MerchantReceiver {
  readonly url: string;
  readonly received: readonly ReceivedMessage[];
  /** From now on; at first it answers 200. */
  answer(answer: Answer): void;
  stop(): Promise<void>;
}

/** It says nothing, and keeps the connection open. */
export const NEVER: Answer = () => undefined;

export async function startMerchantReceiver(): Promise<MerchantReceiver> {
  const received: ReceivedMessage[] = [];
  let answer: Answer = 200;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        text: Buffer.concat(chunks).toString('utf8'),
        headers: request.headers,
        receivedAt: new Date(),
      });
      if (typeof answer === 'number') response.writeHead(answer).end();
      else answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    received,
    answer: (next) => void (answer = next),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What a receiver does first. @throws when the message is not genuine. */
export function verified({ text, headers }: ReceivedMessage, secret: string): any {
  return new Webhook(secret).verify(text, headers as Record<string, string>);
}

/** The id that a receiver knows a message by. */
export function idOf({ headers }: ReceivedMessage): string {
  return String(headers['webhook-id']);
}
