import {
  bulkhead,
  BulkheadRejectedError,
  ExponentialBackoff,
  handleWhenResult,
  isBulkheadRejectedError,
  retry,
  type BulkheadPolicy,
  type RetryPolicy,
} from 'cockatiel';
import { CallUnderWay } from './call-under-way.js';
import { Circuit, isTrouble } from './circuit.js';
import { watchExchanges } from './current-call.js';
import type { CallSubject, Ending, ProviderOperation } from './provider-call.js';
import { ProviderFailure, type ProviderFailureKind } from './provider.js';
import type { CompleteResilienceOptions, ResilienceWatchers } from './resilience-options.js';
import { withinTime } from './time-limit.js';

/** These only ask, or, as `reserve`, make what harms nobody: without an answer, nothing has happened. */
const HARMLESS: ReadonlySet<ProviderOperation> = new Set<ProviderOperation>([
  'reserve',
  'verify',
  'attemptOfCapture',
  'listNotifications',
  'listPayments',
  'readAvailability',
  'createCustomer',
  'beginSetup',
  'listSavedMethods',
  'readSubscription',
  'findSubscription',
  'readInvoice',
  'listInvoices',
]);

/** An adapter that watches the time itself knows more of how it ended, and may say so first. */
const GRACE_MILLISECONDS = 50;

/** Of its time: what has waited longer for its turn might be begun, and then broken off before it is answered. */
const LONGEST_WAIT = 1 / 3;

/** Of a long list, more would fill the memory. */
const KEPT_EXCHANGES = 20;

const TOO_MANY_REQUESTS = 429;

/** The calls of one provider: whether at all, how many at once, how long, and how often. */
export class GuardedCalls {
  readonly #circuits: ReadonlyMap<ProviderOperation, Circuit>;
  readonly #turns: BulkheadPolicy;
  readonly #retry: RetryPolicy;

  constructor(
    private readonly provider: string,
    operations: readonly ProviderOperation[],
    private readonly options: CompleteResilienceOptions,
    private readonly watchers: ResilienceWatchers,
  ) {
    watchers.health?.add(provider, operations);
    this.#circuits = new Map(operations.map((operation) => [operation, this.#circuitOf(operation)]));
    this.#turns = bulkhead(options.runningCalls, options.waitingCalls);
    this.#retry = retry(handleWhenResult(mayBeRepeated), {
      maxAttempts: options.moreTries,
      // With decorrelated jitter.
      backoff: new ExponentialBackoff({ initialDelay: options.retryPauseMilliseconds }),
      // Whoever is pausing is held by the timer of its time limit.
    }).dangerouslyUnref();
  }

  /** @throws {ProviderFailure} the call's own, or CIRCUIT_OPEN, TOO_MANY_CALLS, TIMEOUT. */
  call<Answer>(
    operation: ProviderOperation,
    subject: CallSubject,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    const underWay = new CallUnderWay(this.provider, operation, subject);
    const oneTry = () => this.#try(underWay, ask);
    return this.#make(underWay, (isProbe) => {
      // The one call that tells whether the provider is back neither waits for others nor insists.
      const work = isProbe ? oneTry() : this.#turns.execute(() => this.#retry.execute(oneTry));
      const limit = this.options.timeLimitMilliseconds + GRACE_MILLISECONDS;
      return withinTime(limit, work, () => this.#tooLate(underWay));
    });
  }

  /** The reading of a list, as one call that lasts as long as the reader reads, and is never repeated. */
  callForList(operation: ProviderOperation, read: (underWay: CallUnderWay) => Promise<void>): Promise<void> {
    const underWay = new CallUnderWay(this.provider, operation, {});
    const work = () => {
      underWay.tries = 1;
      return endingOf(() => read(underWay));
    };
    return this.#make(underWay, (isProbe) => (isProbe ? work() : this.#turns.execute(work)));
  }

  /** One step of the reading of a list. @throws {ProviderFailure} */
  step<Answer>({ exchanges }: CallUnderWay, ask: () => Promise<Answer>): Promise<Answer> {
    const limit = this.options.timeLimitMilliseconds;
    exchanges.splice(0, exchanges.length - KEPT_EXCHANGES);
    const work = watchExchanges(exchanges, ask, performance.now() + limit);
    return withinTime(limit + GRACE_MILLISECONDS, work, () => {
      throw this.#timeout('unavailable');
    });
  }

  async #make<Answer>(
    underWay: CallUnderWay,
    work: (isProbe: boolean) => Promise<Ending<Answer>>,
  ): Promise<Answer> {
    let ending: Ending<Answer> | undefined;
    try {
      ending = await this.#letThrough(underWay.operation, work);
    } finally {
      this.#report(underWay, ending);
    }
    if (ending.failure) throw ending.failure;
    return ending.answer;
  }

  async #letThrough<Answer>(
    operation: ProviderOperation,
    work: (isProbe: boolean) => Promise<Ending<Answer>>,
  ): Promise<Ending<Answer>> {
    const circuit = this.#circuits.get(operation);
    if (!circuit) throw new Error(`${this.provider} has no ${operation}`);
    try {
      const ending = await circuit.run(async (isProbe) => {
        const ended = await work(isProbe);
        this.#noteHealth(operation, ended);
        return ended;
      });
      return ending ?? { failure: this.#circuitOpen() };
    } catch (error) {
      if (!isBulkheadRejectedError(error)) throw error;
      return { failure: this.#tooManyCalls(error) };
    }
  }

  async #try<Answer>(underWay: CallUnderWay, ask: () => Promise<Answer>): Promise<Ending<Answer>> {
    const limit = this.options.timeLimitMilliseconds;
    // Told as over while it paused: now it must not begin.
    if (underWay.isOver) return { failure: this.#timeout('unavailable') };
    if (underWay.tries === 0 && performance.now() > underWay.endsAt(limit * LONGEST_WAIT)) {
      throw this.#noTurn();
    }
    underWay.tries += 1;
    underWay.isTrying = true;
    const { exchanges } = underWay;
    const endsAt = underWay.endsAt(limit);
    const ending = await endingOf(() => watchExchanges(exchanges, ask, endsAt));
    underWay.isTrying = false;
    const { failure } = ending;
    if (!failure || failure.kind !== 'unavailable' || failure.isAnswer) return ending;
    // Whoever said that there were too many calls isn't given more.
    const isTooBusy = exchanges.at(-1)?.status === TOO_MANY_REQUESTS;
    return { failure, mayBeRepeated: !isTooBusy && performance.now() < endsAt };
  }

  #tooLate(underWay: CallUnderWay): Ending<never> {
    underWay.isOver = true;
    // It is still waiting for others, which says nothing of the provider.
    if (underWay.tries === 0) throw this.#noTurn();
    // Between two tries: all that were made are known to have done nothing.
    const isHarmless = HARMLESS.has(underWay.operation) || !underWay.isTrying;
    return { failure: this.#timeout(isHarmless ? 'unavailable' : 'outcomeUnknown') };
  }

  #noTurn(): BulkheadRejectedError {
    return new BulkheadRejectedError(this.options.runningCalls, this.options.waitingCalls);
  }

  #noteHealth(operation: ProviderOperation, ending: Ending<unknown>): void {
    const { health } = this.watchers;
    if (isTrouble(ending)) health?.noteFailure(this.provider, operation, ending.failure!.code);
    else health?.noteAnswer(this.provider, operation);
  }

  #report(underWay: CallUnderWay, ending: Ending<unknown> | undefined): void {
    const { onCall, log } = this.watchers;
    if (!onCall) return;
    try {
      onCall(underWay.ended(ending));
    } catch (error) {
      const { provider, operation } = underWay;
      log.error({ err: error, provider, operation }, 'a call of a provider could not be reported');
    }
  }

  #circuitOf(operation: ProviderOperation): Circuit {
    return new Circuit(this.options, (status, nextTryAt) =>
      this.watchers.health?.noteCircuit(this.provider, operation, status, nextTryAt),
    );
  }

  #timeout(kind: ProviderFailureKind): ProviderFailure {
    const { timeLimitMilliseconds } = this.options;
    return this.#failure(kind, 'TIMEOUT', `did not answer in ${timeLimitMilliseconds} ms.`);
  }

  #circuitOpen(): ProviderFailure {
    const what = 'failed several times in a row, and is left alone for a moment.';
    return this.#failure('unavailable', 'CIRCUIT_OPEN', what);
  }

  #tooManyCalls(cause: Error): ProviderFailure {
    const what = 'is being called too often at the moment.';
    return this.#failure('unavailable', 'TOO_MANY_CALLS', what, { cause });
  }

  #failure(kind: ProviderFailureKind, code: string, what: string, options?: ErrorOptions): ProviderFailure {
    return new ProviderFailure(this.provider, kind, code, `${this.provider} ${what}`, options);
  }
}

async function endingOf<Answer>(ask: () => Promise<Answer>): Promise<Ending<Answer>> {
  try {
    return { answer: await ask() };
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    return { failure: error };
  }
}

function mayBeRepeated(ending: unknown): boolean {
  return (ending as { readonly mayBeRepeated?: boolean }).mayBeRepeated === true;
}
