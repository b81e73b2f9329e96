import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedWebhook {
  readonly rawBody: Buffer;
  readonly headers: IncomingHttpHeaders;
  readonly receivedAt: Date;
}

export interface WebhookReceiver {
  readonly url: URL;
  readonly received: readonly ReceivedWebhook[];
  /** The next requests are answered so, or never; after them with 200 again. */
  answerNext(...answers: (number | 'NEVER')[]): void;
  stop(): Promise<void>;
}

/** Our side of a webhook, with nothing behind it: keeps what arrives. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const answers: (number | 'NEVER')[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ rawBody: Buffer.concat(chunks), headers: request.headers, receivedAt: new Date() });
      const answer = answers.shift() ?? 200;
      if (answer !== 'NEVER') response.writeHead(answer).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/webhooks`),
    received,
    answerNext: (...next) => void answers.push(...next),
    stop,
  };
}
