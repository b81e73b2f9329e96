import { setMaxListeners } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type Misbehaviour, MisbehavingSender } from './misbehaviour.js';
import type { PendingWork } from './pending-work.js';

/** One notification, which keeps its id and its body however often it is sent. */
export interface WebhookMessage {
  readonly id: string;
  /** What it is about: the first tries of one subject keep their order. */
  readonly subject: string;
  readonly body: string;
  /** Where it goes instead of where all others go. */
  readonly url?: string | undefined;
  /** JSON unless told; null: none at all. */
  readonly contentType?: string | null | undefined;
}

export interface WebhookSenderOptions {
  /** Asked at each try: the receiver may have moved. */
  readonly url: () => string;
  /** Made at each try, so that a signature carries the time of that try. */
  readonly headers: (message: WebhookMessage) => Readonly<Record<string, string>>;
  /** Before the first try. */
  readonly delayMilliseconds?: number | undefined;
  /** Before the second try; it doubles with each one after. */
  readonly firstRetryMilliseconds?: number | undefined;
  /** Which statuses end it. Any 2xx unless told. */
  readonly isTaken?: (status: number) => boolean;
  readonly logRetry?: (line: string) => void;
  readonly logGivenUp: (line: string) => void;
}

export interface WebhookCounts {
  /** Tries, however they ended. */
  readonly sent: number;
  /** Answered as they had to be. */
  readonly delivered: number;
  /** Refused or unanswered at the last try. */
  readonly givenUp: number;
}

interface Delivery {
  readonly message: WebhookMessage;
  readonly triesBefore: number;
}

const FIRST_RETRY_MILLISECONDS = 500;
const TRIES = 6;
const TIMEOUT_MILLISECONDS = 10_000;
const CONNECTIONS = { keepAlive: true, maxSockets: 32 };

/**
 * Sends notifications as providers do: signed, and again with growing pauses until they are answered with 2xx. Those
 * about one subject are tried in their order; a retry may come after what happened later, as with the real ones. Told to
 * `misbehave`, it loses, repeats and reorders them too.
 */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #work: PendingWork;
  readonly #plain = new http.Agent(CONNECTIONS);
  readonly #encrypted = new https.Agent(CONNECTIONS);
  readonly #stopping = new AbortController();
  readonly #lastOfSubject = new Map<string, Promise<void>>();
  #held: Delivery[] | undefined;
  #misbehaving = new MisbehavingSender();
  #counts = { sent: 0, delivered: 0, givenUp: 0 };

  constructor(options: WebhookSenderOptions, work: PendingWork) {
    this.#options = options;
    this.#work = work;
    // Each request under way listens.
    setMaxListeners(0, this.#stopping.signal);
  }

  get counts(): WebhookCounts {
    return { ...this.#counts };
  }

  send(message: WebhookMessage): void {
    for (let copies = this.#misbehaving.copies(); copies > 0; copies -= 1) {
      this.#begin({ message, triesBefore: 0 });
    }
  }

  /** For what is sent from now on; with nothing in it, all is well again. @throws {RangeError} for what makes no sense. */
  misbehave(misbehaviour: Misbehaviour): void {
    this.#misbehaving = new MisbehavingSender(misbehaviour);
  }

  /** Holds back what would be sent from now on, until `resume`. */
  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const delivery of held) this.#begin(delivery);
  }

  stop(): void {
    this.#stopping.abort();
    this.#plain.destroy();
    this.#encrypted.destroy();
  }

  #begin(delivery: Delivery): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#held) {
      this.#held.push(delivery);
      return;
    }
    const finish = this.#work.begin();
    const done = delivery.triesBefore === 0 ? this.#firstTry(delivery) : this.#deliver(delivery);
    void done.finally(finish);
  }

  #firstTry(delivery: Delivery): Promise<void> {
    const delayMilliseconds = (this.#options.delayMilliseconds ?? 0) + this.#misbehaving.delayMilliseconds();
    const due = () => this.#wait(delayMilliseconds).then(() => this.#deliver(delivery));
    return this.#misbehaving.reorders ? due() : this.#inTurn(delivery.message, due);
  }

  /** When those of the same subject before it have had theirs. */
  async #inTurn({ subject }: WebhookMessage, due: () => Promise<void>): Promise<void> {
    const tried = (this.#lastOfSubject.get(subject) ?? Promise.resolve()).then(due);
    this.#lastOfSubject.set(subject, tried);
    await tried;
    if (this.#lastOfSubject.get(subject) === tried) this.#lastOfSubject.delete(subject);
  }

  async #wait(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await new Promise<void>((resolve) => this.#work.later(milliseconds, resolve));
  }

  /** Never rejects: what goes wrong is tried again, and in the end counted and logged. */
  async #deliver(delivery: Delivery): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#counts.sent += 1;
    const problem = await this.#post(delivery.message);
    if (problem === undefined) this.#counts.delivered += 1;
    else this.#retryOrGiveUp(delivery, problem);
  }

  #retryOrGiveUp({ message, triesBefore }: Delivery, problem: string): void {
    if (this.#stopping.signal.aborted) return;
    const { firstRetryMilliseconds = FIRST_RETRY_MILLISECONDS, logRetry, logGivenUp } = this.#options;
    const tries = triesBefore + 1;
    if (tries >= TRIES) {
      this.#counts.givenUp += 1;
      logGivenUp(`webhook ${message.id} ${problem}; given up after ${tries} tries`);
      return;
    }
    const pauseMilliseconds = firstRetryMilliseconds * 2 ** triesBefore;
    logRetry?.(`webhook ${message.id} ${problem}; next try in ${pauseMilliseconds} ms`);
    this.#work.later(pauseMilliseconds, () => this.#begin({ message, triesBefore: tries }));
  }

  /** What went wrong, or undefined. */
  #post(message: WebhookMessage): Promise<string | undefined> {
    return new Promise<string | undefined>((resolve) => {
      const url = new URL(message.url ?? this.#options.url());
      const encrypted = url.protocol === 'https:';
      const outgoing = (encrypted ? https : http).request(url, {
        method: 'POST',
        agent: encrypted ? this.#encrypted : this.#plain,
        timeout: TIMEOUT_MILLISECONDS,
        signal: this.#stopping.signal,
        headers: {
          ...(message.contentType !== null && {
            'content-type': message.contentType ?? 'application/json; charset=utf-8',
          }),
          'content-length': Buffer.byteLength(message.body),
          ...this.#options.headers(message),
        },
      });
      outgoing.on('response', (response) => resolve(this.#problemOf(response)));
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.on('error', (error) => resolve(`not answered: ${error.message || error.name}`));
      outgoing.end(message.body);
    }).catch((error: unknown) => `not sent: ${String(error)}`);
  }

  #problemOf(response: http.IncomingMessage): string | undefined {
    response.resume();
    const status = response.statusCode ?? 0;
    const { isTaken = isSuccess } = this.#options;
    return isTaken(status) ? undefined : `answered with ${status}`;
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
