import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * What went over the wire while a provider was called. The bodies are as they were sent and received: whoever keeps
 * them must take out what is secret first.
 */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly request?: string;
  /** Absent when no answer came. */
  readonly status?: number;
  readonly answer?: string;
  readonly milliseconds: number;
  /** Why there was no answer: the code of the failure. */
  readonly error?: string;
}

/** The call of a provider that is being made, with what it has exchanged so far. */
interface CurrentCall {
  readonly exchanges: Exchange[];
  /** By `performance.now()`. */
  readonly endsAt: number;
}

const currentCall = new AsyncLocalStorage<CurrentCall>();

/**
 * Runs a call; `exchanges` fills up while it runs, and holds what there was once it is over.
 * @param endsAt by `performance.now()`: when nobody waits for it any more.
 */
export function watchExchanges<Answer>(
  exchanges: Exchange[],
  call: () => Promise<Answer>,
  endsAt = Infinity,
): Promise<Answer> {
  return currentCall.run({ exchanges, endsAt }, call);
}

/**
 * For whoever talks HTTP to a provider: how long the caller still waits. Nothing may be sent after that, for the call
 * has been told as over by then, and others may have followed. Whole milliseconds; 0 when time is up.
 */
export function millisecondsLeft(): number {
  const endsAt = currentCall.getStore()?.endsAt ?? Infinity;
  return Math.max(0, Math.ceil(endsAt - performance.now()));
}

/** For whoever talks HTTP to a provider: each exchange is noted for the provider log. Cheap where nobody watches. */
export function noteExchange(exchange: Exchange): void {
  currentCall.getStore()?.exchanges.push(exchange);
}
