import type { LimitError, LimitErrorKind } from './limit-error.js';

const STATUS: Readonly<Record<LimitErrorKind, number>> = { RATE_LIMITED: 429, OVERLOADED: 503 };

export function statusOf({ kind }: LimitError): number {
  return STATUS[kind];
}

export function headersOf({ headers, retryAfterSeconds }: LimitError): Readonly<Record<string, string>> {
  return { ...headers, 'retry-after': String(retryAfterSeconds) };
}
