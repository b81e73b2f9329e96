import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

/** A merchant's own server, as docs/webhooks.md shows it: it takes a webhook only with its signature. */
export interface MerchantBackend {
  readonly url: string;
  /** Those that were genuine. */
  readonly taken: readonly TakenWebhook[];
  trust(secret: string): void;
  stop(): Promise<void>;
}

export interface TakenWebhook {
  readonly headers: Readonly<Record<string, string>>;
  readonly message: WebhookMessage;
}

export interface WebhookMessage {
  readonly type: string;
  readonly data: { readonly paymentIntentId?: string };
}

export async function startMerchantBackend(): Promise<MerchantBackend> {
  const taken: TakenWebhook[] = [];
  let webhook: Webhook | undefined;
  const answer = async (request: IncomingMessage): Promise<number> => {
    // Node gives one value for each of these headers.
    const headers = request.headers as Record<string, string>;
    const body = await text(request);
    try {
      if (!webhook) return 503;
      taken.push({ headers, message: webhook.verify(body, headers) as WebhookMessage });
      return 204;
    } catch (error) {
      if (error instanceof WebhookVerificationError) return 401;
      throw error;
    }
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (status) => response.writeHead(status).end(),
      (error: Error) => response.destroy(error),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    taken,
    trust: (secret) => void (webhook = new Webhook(secret)),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
