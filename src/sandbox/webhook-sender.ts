/** One notification, which keeps its id and its body however often it is sent. */
export interface WebhookMessage {
  readonly id: string;
  /** Asked at each try: the receiver may have moved. */
  readonly url: () => string;
  readonly body: string;
}

export interface WebhookSenderOptions {
  /** Made at each try, so that a signature carries the time of that try. */
  readonly headers: (message: WebhookMessage) => Readonly<Record<string, string>>;
  /** Before the first try. */
  readonly delayMilliseconds?: number;
  /** Before the second try; it doubles with each one after. */
  readonly firstRetryMilliseconds?: number;
  readonly tries?: number;
  readonly timeoutMilliseconds?: number;
  readonly concurrency?: number;
  readonly log?: (line: string) => void;
}

export interface WebhookCounts {
  /** Tries, however they ended. */
  readonly sent: number;
  /** Answered with 2xx. */
  readonly delivered: number;
  /** Refused or unanswered at the last try. */
  readonly givenUp: number;
}

interface Delivery {
  readonly message: WebhookMessage;
  readonly triesBefore: number;
}

/**
 * Sends notifications as providers do: several at a time, in no promised order, again with growing pauses until they
 * are answered with 2xx. Nothing of it outlives `stop()`.
 */
export class WebhookSender {
  readonly #headers: WebhookSenderOptions['headers'];
  readonly #delayMilliseconds: number;
  readonly #firstRetryMilliseconds: number;
  readonly #tries: number;
  readonly #timeoutMilliseconds: number;
  readonly #concurrency: number;
  readonly #log: (line: string) => void;

  #queue: Delivery[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #underWay = new Map<AbortController, Promise<void>>();
  #whenSettled: (() => void)[] = [];
  #paused = false;
  #stopped = false;
  #counts = { sent: 0, delivered: 0, givenUp: 0 };

  constructor(options: WebhookSenderOptions) {
    this.#headers = options.headers;
    this.#delayMilliseconds = options.delayMilliseconds ?? 0;
    this.#firstRetryMilliseconds = options.firstRetryMilliseconds ?? 500;
    this.#tries = options.tries ?? 6;
    this.#timeoutMilliseconds = options.timeoutMilliseconds ?? 10_000;
    this.#concurrency = options.concurrency ?? 32;
    this.#log = options.log ?? (() => undefined);
  }

  get counts(): WebhookCounts {
    return { ...this.#counts };
  }

  send(message: WebhookMessage): void {
    this.#enqueueAfter(this.#delayMilliseconds, { message, triesBefore: 0 });
  }

  /** Holds back what has not been sent yet. */
  pause(): void {
    this.#paused = true;
    this.#tellIfSettled();
  }

  resume(): void {
    this.#paused = false;
    this.#startWhatMayStart();
  }

  /** When nothing is waiting for its time, under way or to be retried. What a pause holds back is not waited for. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenSettled.push(resolve);
      this.#tellIfSettled();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue = [];
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const underWay = [...this.#underWay];
    for (const [controller] of underWay) controller.abort();
    await Promise.all(underWay.map(([, delivery]) => delivery));
    this.#tellIfSettled();
  }

  #enqueueAfter(milliseconds: number, delivery: Delivery): void {
    if (this.#stopped) return;
    if (milliseconds === 0) return this.#enqueue(delivery);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#enqueue(delivery);
    }, milliseconds);
    this.#timers.add(timer);
  }

  #enqueue(delivery: Delivery): void {
    this.#queue.push(delivery);
    this.#startWhatMayStart();
  }

  #startWhatMayStart(): void {
    while (!this.#paused && this.#underWay.size < this.#concurrency) {
      const delivery = this.#queue.shift();
      if (!delivery) break;
      const controller = new AbortController();
      this.#underWay.set(controller, this.#deliver(delivery, controller));
    }
    this.#tellIfSettled();
  }

  async #deliver(delivery: Delivery, controller: AbortController): Promise<void> {
    this.#counts.sent += 1;
    const problem = await this.#post(delivery.message, controller);
    this.#underWay.delete(controller);
    if (problem === undefined) this.#counts.delivered += 1;
    else this.#retryOrGiveUp(delivery, problem);
    this.#startWhatMayStart();
  }

  /** What went wrong, or undefined. */
  async #post(message: WebhookMessage, controller: AbortController): Promise<string | undefined> {
    const timeout = setTimeout(() => controller.abort(), this.#timeoutMilliseconds);
    try {
      const response = await fetch(message.url(), {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...this.#headers(message) },
        body: message.body,
        redirect: 'manual',
        signal: controller.signal,
      });
      await response.arrayBuffer();
      return response.ok ? undefined : `answered with ${response.status}`;
    } catch (error) {
      return `not answered: ${String((error as { cause?: unknown }).cause ?? error)}`;
    } finally {
      clearTimeout(timeout);
    }
  }

  #retryOrGiveUp({ message, triesBefore }: Delivery, problem: string): void {
    if (this.#stopped) return;
    const tries = triesBefore + 1;
    if (tries >= this.#tries) {
      this.#counts.givenUp += 1;
      this.#log(`webhook ${message.id} ${problem}; given up after ${tries} tries`);
      return;
    }
    const pauseMilliseconds = this.#firstRetryMilliseconds * 2 ** triesBefore;
    this.#log(`webhook ${message.id} ${problem}; next try in ${pauseMilliseconds} ms`);
    this.#enqueueAfter(pauseMilliseconds, { message, triesBefore: tries });
  }

  #tellIfSettled(): void {
    const held = this.#paused || this.#queue.length === 0;
    if (!held || this.#timers.size > 0 || this.#underWay.size > 0) return;
    for (const resolve of this.#whenSettled.splice(0)) resolve();
  }
}
