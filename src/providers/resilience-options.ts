import type { Logger } from 'pino';
import type { CircuitOptions } from './circuit.js';
import type { ProvidersHealth } from './health.js';
import type { ProviderCall } from './provider-call.js';

/** What a provider's calls may take, and when they are no longer made. What is left out is as `DEFAULTS` has it. */
export interface ResilienceOptions extends Partial<CircuitOptions> {
  /** For the whole call: waiting for its turn, every try, and the pauses between them. Of a list, for each page. */
  readonly timeLimitMilliseconds?: number;
  /** After the first, of what is sure to have done nothing. */
  readonly moreTries?: number;
  /** About so long before the second try, and twice as long before the third. */
  readonly retryPauseMilliseconds?: number;
  /** At the same time, over all operations. */
  readonly runningCalls?: number;
  /** Those that wait for one of them to end. */
  readonly waitingCalls?: number;
}

/** Who is told of the calls. */
export interface ResilienceWatchers {
  readonly health?: ProvidersHealth;
  /** Told of each call once, when it ends. What it throws is logged, and hurts no call. */
  readonly onCall?: (call: ProviderCall) => void;
  readonly log: Pick<Logger, 'error'>;
}

export type CompleteResilienceOptions = Required<ResilienceOptions>;

export const DEFAULTS: CompleteResilienceOptions = {
  // Longer than one try of any adapter, and as long as a payer waits in front of a page that does nothing.
  timeLimitMilliseconds: 15_000,
  moreTries: 2,
  // Both pauses together stay below 300 ms, so that a refused connection is told while the payer still looks.
  retryPauseMilliseconds: 100,
  failuresToOpen: 5,
  pauseMilliseconds: 5_000,
  longestPauseMilliseconds: 60_000,
  // A provider that takes a second for each call can still begin 64 payments a second.
  runningCalls: 64,
  waitingCalls: 64,
};
