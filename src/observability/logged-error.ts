import { pino } from 'pino';

/**
 * Errors that say by themselves what happened, by their names: a provider that does not answer, a request that can't be
 * met. Where in our code they were thrown helps nobody, and twenty lines of it for each try hide what would.
 */
const SPEAKING: ReadonlySet<string> = new Set([
  'ProviderFailure',
  'PaymentError',
  'OrderError',
  'CustomerError',
  'SubscriptionError',
]);

const MOST_CAUSES = 5;

/** What a log says of an error: what is expected briefly, everything else with its stack. */
export function loggedError(error: unknown): unknown {
  if (!isSpeaking(error)) return pino.stdSerializers.err(error as Error);
  const { name: type, message, provider, kind, code } = error;
  return { type, provider, kind, code, message, cause: causesOf(error) };
}

/** The same in one line, for a person at a terminal. */
export function loggedErrorInOneLine(error: unknown): unknown {
  if (!isSpeaking(error)) return loggedError(error);
  const { name, provider, kind, code, message } = error;
  const what = [name, provider, kind, code].filter((word) => word !== undefined).join(' ');
  const causes = causesOf(error);
  return oneLine(`${what}: ${message}${causes === undefined ? '' : ` (${causes})`}`);
}

interface SpeakingError extends Error {
  readonly kind: string;
  readonly provider?: string;
  readonly code?: string;
}

function isSpeaking(error: unknown): error is SpeakingError {
  return error instanceof Error && SPEAKING.has(error.name);
}

/** From the nearest to the first: "fetch failed: connect ECONNREFUSED 127.0.0.1:1". Undefined without any. */
function causesOf(error: Error): string | undefined {
  const causes: string[] = [];
  let { cause } = error;
  while (cause instanceof Error && causes.length < MOST_CAUSES) {
    const { message, name, code }: Error & { code?: string } = cause;
    causes.push(oneLine(message || code || name));
    cause = cause.cause;
  }
  return causes.length === 0 ? undefined : causes.join(': ');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
