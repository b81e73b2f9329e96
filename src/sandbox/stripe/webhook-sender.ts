import { Agent, request, type IncomingMessage } from 'node:http';
import Stripe from 'stripe';
import type { EventRecord } from './account.js';
import type { PendingWork } from './pending-work.js';

export interface WebhookSenderOptions {
  readonly secret: string;
  /** Asked before every try. Only http: the receiver is on this machine. */
  readonly url: () => string;
  /** Between the event and its first delivery. */
  readonly delayMilliseconds: number;
  /** Before the second try; doubled for each one after. */
  readonly firstRetryMilliseconds: number;
  readonly log: (message: string) => void;
}

export interface WebhookCounts {
  /** HTTP requests sent, so every try counts. */
  sent: number;
  delivered: number;
  /** Given up after the last try. */
  abandoned: number;
}

const TRIES = 6;
const TIMEOUT_MILLISECONDS = 10_000;
const CONNECTIONS = 16;

/**
 * Delivers events as Stripe does: signed, each by itself, again when the receiver doesn't answer 2xx. Events of one
 * payment are tried in their order; a retry may come after what happened later, as with the real one.
 */
export class WebhookSender {
  readonly counts: WebhookCounts = { sent: 0, delivered: 0, abandoned: 0 };
  private readonly agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  private readonly lastOfSubject = new Map<string, Promise<void>>();
  private held: EventRecord[] | undefined;
  private stopped = false;

  constructor(
    private readonly options: WebhookSenderOptions,
    private readonly work: PendingWork,
  ) {}

  send(event: EventRecord): void {
    if (this.held) {
      this.held.push(event);
      return;
    }
    const finish = this.work.begin();
    const before = this.lastOfSubject.get(event.subject) ?? Promise.resolve();
    const delivered = before.then(() => this.firstTry(event)).finally(finish);
    this.lastOfSubject.set(event.subject, delivered);
    void delivered.then(() => {
      if (this.lastOfSubject.get(event.subject) === delivered) this.lastOfSubject.delete(event.subject);
    });
  }

  /** Keeps what happens from now on, until `resume`. */
  pause(): void {
    this.held ??= [];
  }

  resume(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const event of held) this.send(event);
  }

  stop(): void {
    this.stopped = true;
    this.agent.destroy();
  }

  private async firstTry(event: EventRecord): Promise<void> {
    const { delayMilliseconds } = this.options;
    if (delayMilliseconds > 0) {
      await new Promise<void>((resolve) => this.work.later(delayMilliseconds, resolve));
    }
    await this.deliver(event, 1);
  }

  /** Never rejects: what goes wrong is tried again, and in the end counted and logged. */
  private async deliver(event: EventRecord, attempt: number): Promise<void> {
    if (this.stopped) return;
    const problem = await this.post(event);
    if (problem === undefined) {
      this.counts.delivered += 1;
    } else if (attempt >= TRIES) {
      this.counts.abandoned += 1;
      this.options.log(`webhook ${event.type} ${event.id} given up after ${attempt} tries: ${problem}`);
    } else {
      const wait = this.options.firstRetryMilliseconds * 2 ** (attempt - 1);
      this.work.later(wait, () => this.again(event, attempt + 1));
    }
  }

  private again(event: EventRecord, attempt: number): void {
    const finish = this.work.begin();
    void this.deliver(event, attempt).finally(finish);
  }

  /** What went wrong, or undefined. */
  private post(event: EventRecord): Promise<string | undefined> {
    this.counts.sent += 1;
    const signature = Stripe.webhooks.generateTestHeaderString({
      payload: event.body,
      secret: this.options.secret,
    });
    return new Promise<string | undefined>((resolve) => {
      const outgoing = request(this.options.url(), {
        method: 'POST',
        agent: this.agent,
        timeout: TIMEOUT_MILLISECONDS,
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(event.body),
          'stripe-signature': signature,
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        },
      });
      outgoing.on('response', (response) => resolve(problemOf(response)));
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.on('error', (error) => resolve(error.message || error.name));
      outgoing.end(event.body);
    }).catch((error: unknown) => `not a URL to deliver to: ${String(error)}`);
  }
}

function problemOf(response: IncomingMessage): string | undefined {
  response.resume();
  const status = response.statusCode ?? 0;
  return status >= 200 && status < 300 ? undefined : `HTTP ${status}`;
}
