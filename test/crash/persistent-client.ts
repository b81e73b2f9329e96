import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.js';
import type { KillableServer } from '../support/killable-server.js';
import type { GraphQLAnswer } from '../support/running-app.js';
import { WATCH_PAYMENT } from '../support/subscriber.js';

const PAUSE_MILLISECONDS = 25;
const PATIENCE_MILLISECONDS = 30_000;

/**
 * As a good frontend or backend does: repeats the very same request until it is answered, and as long as the answer says
 * that repeating can help. @throws when the answer is another error.
 */
export async function ask(
  { url }: Pick<KillableServer, 'url'>,
  query: string,
  variables: object,
  token: string,
): Promise<any> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const answer = await tryOnce(`${url}/graphql`, JSON.stringify({ query, variables }), token);
    if (answer && !answer.errors) return Object.values(answer.data)[0];
    const mayHelp = answer === null || answer.errors!.every(({ extensions }) => extensions.retryable);
    if (!mayHelp || Date.now() > deadline) throw new Error(`${query} was answered ${JSON.stringify(answer)}`);
    await sleep(PAUSE_MILLISECONDS);
  }
}

/** @returns null when the server died before it answered, or is not there. */
async function tryOnce(url: string, body: string, token: string): Promise<GraphQLAnswer | null> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  try {
    const response = await fetch(url, { method: 'POST', headers, body });
    return (await response.json()) as GraphQLAnswer;
  } catch {
    return null;
  }
}

export interface Change {
  readonly version: number;
  readonly status: string;
}

/** Watches a payment for as long as it takes: whenever it is cut off, it comes back and says what it heard last. */
export class PersistentWatcher {
  readonly heard: Change[] = [];
  readonly #open: () => Client;
  readonly #id: string;
  readonly #done: Promise<void>;
  #client: Client | undefined;
  #closed = false;
  #lastFault: unknown;

  constructor({ webSocketUrl }: Pick<KillableServer, 'webSocketUrl'>, id: string, token: string) {
    this.#id = id;
    this.#open = () =>
      createClient({
        url: webSocketUrl,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: { authorization: `Bearer ${token}` },
      });
    this.#done = this.#watch();
  }

  /** Waits until it was told, at last, one of these statuses. */
  async until(...statuses: string[]): Promise<void> {
    await eventually(
      () => {
        const now = this.heard.at(-1)?.status;
        if (now === undefined || !statuses.includes(now)) {
          throw new Error(`heard ${JSON.stringify(this.heard)}, not ${statuses.join(' or ')}`, {
            cause: this.#lastFault,
          });
        }
      },
      undefined,
      PATIENCE_MILLISECONDS,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.dispose();
    await this.#done;
  }

  async #watch(): Promise<void> {
    while (!this.#closed) {
      this.#client = this.#open();
      const sinceVersion = this.heard.at(-1)?.version ?? 0;
      const request = { query: WATCH_PAYMENT, variables: { id: this.#id, sinceVersion } };
      try {
        for await (const { data } of this.#client.iterate<{ paymentStatusChanged: Change }>(request)) {
          if (!data) continue;
          const { version, status } = data.paymentStatusChanged;
          this.heard.push({ version, status });
        }
      } catch (error) {
        // Cut off, or the server is not there: it comes back.
        this.#lastFault = error;
      }
      await this.#client.dispose();
      if (!this.#closed) await sleep(PAUSE_MILLISECONDS);
    }
  }
}
