import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { HttpExchange } from '../http-exchange.js';
import type { WebhookMessage } from '../webhook-sender.js';

/** What the merchant's server asks: a path with its query, and a body. */
export interface AskedOfBank {
  readonly path: string;
  readonly body: string;
}

/**
 * How a bank says what the default contract says. All is translated where it comes in and goes out, so that the bank
 * behind it stays the same.
 */
export interface BankDialect {
  /** The key that a request came with. */
  readonly keyOf: (headers: IncomingHttpHeaders) => string | undefined;
  /** What is asked in the bank's words, in the contract's. What the bank doesn't know, it leaves as it is. */
  readonly understand: (method: string, asked: AskedOfBank) => AskedOfBank;
  /** What the contract answers, in the bank's words. */
  readonly answer: (answer: unknown) => unknown;
  /** What the contract notifies of, in the bank's words. */
  readonly notification: (notification: unknown) => unknown;
  /** A notification in the bank's words, which is JSON, as it is sent. */
  readonly encode: (json: string) => Pick<WebhookMessage, 'body' | 'contentType'>;
  /** The headers that prove a notification. @param timestamp Unix seconds */
  readonly sign: (message: WebhookMessage, secret: string, timestamp: number) => Record<string, string>;
}

/** The default contract's own. */
export const CONTRACT_DIALECT: BankDialect = {
  keyOf: ({ authorization }) => /^Bearer (.*)$/.exec(authorization ?? '')?.[1],
  understand: (_method, asked) => asked,
  answer: (answer) => answer,
  notification: (notification) => notification,
  encode: (json) => ({ body: json }),
  sign: ({ id, body }, secret, timestamp) => {
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    return { 'x-bank-event-id': id, 'x-signature': `t=${timestamp},v1=${signature}` };
  },
};

export function understand(dialect: BankDialect, exchange: HttpExchange): HttpExchange {
  const { method, url } = exchange;
  const asked = dialect.understand(method, { path: url.pathname + url.search, body: exchange.body });
  return { ...exchange, url: new URL(asked.path, url), body: asked.body };
}
