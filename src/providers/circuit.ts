import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  DelegateBackoff,
  handleWhenResult,
  isBrokenCircuitError,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import { doublingPause } from '../doubling-pause.js';
import type { Ending } from './provider-call.js';

/** OPEN: nobody is let through. HALF_OPEN: one call is under way that decides which it becomes. */
export type CircuitStatus = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface CircuitOptions {
  /** So many failures in a row open it. */
  readonly failuresToOpen: number;
  /** How long nobody is let through at first. Each time that it is still failing then, twice as long. */
  readonly pauseMilliseconds: number;
  readonly longestPauseMilliseconds: number;
}

/** @param nextTryAt when a circuit that is OPEN lets one call through. */
export type CircuitListener = (status: CircuitStatus, nextTryAt?: Date) => void;

/**
 * Stops asking who does not answer. It counts failures in a row rather than their share, so that it works where there
 * are few calls. Whoever answers is well, whatever the answer says: a declined card closes it too.
 */
export class Circuit {
  readonly #breaker: CircuitBreakerPolicy;
  #nextTryAt: Date | undefined;

  constructor(options: CircuitOptions, onChange: CircuitListener) {
    this.#breaker = circuitBreaker(handleWhenResult(isTrouble), {
      breaker: new ConsecutiveBreaker(options.failuresToOpen),
      halfOpenAfter: new DelegateBackoff(({ attempt }: { attempt: number }) => this.#pause(options, attempt)),
    });
    this.#breaker.onStateChange((state) => {
      const status = statusOf(state);
      onChange(status, status === 'OPEN' ? this.#nextTryAt : undefined);
    });
  }

  /**
   * What is thrown counts as nothing: not as a failure, and not as an answer. Thrown by the one call that was let
   * through, it closes the circuit, but the next failure opens it again.
   * @param call is told whether it is the one that is let through after a pause.
   * @returns undefined when it isn't let through.
   */
  async run<Answer>(
    call: (isProbe: boolean) => Promise<Ending<Answer>>,
  ): Promise<Ending<Answer> | undefined> {
    const { state } = this.#breaker;
    // The breaker would let it wait for the one that was let through.
    if (state === CircuitState.HalfOpen) return undefined;
    try {
      return await this.#breaker.execute(() => call(state === CircuitState.Open));
    } catch (error) {
      if (isBrokenCircuitError(error)) return undefined;
      throw error;
    }
  }

  #pause({ pauseMilliseconds, longestPauseMilliseconds }: CircuitOptions, timesOpened: number): number {
    const pause = doublingPause(timesOpened, pauseMilliseconds, longestPauseMilliseconds);
    this.#nextTryAt = new Date(Date.now() + pause);
    return pause;
  }
}

/** Whether the provider did not answer as it should. */
export function isTrouble(ending: unknown): boolean {
  return (ending as Ending<unknown>).failure?.isAnswer === false;
}

function statusOf(state: CircuitState): CircuitStatus {
  if (state === CircuitState.Closed) return 'CLOSED';
  return state === CircuitState.HalfOpen ? 'HALF_OPEN' : 'OPEN';
}
