import { HeaderMap } from '@apollo/server';
import { GraphQLError } from 'graphql';
import { LimitError, type LimitErrorKind } from '../limits/limit-error.js';

const STATUS: Readonly<Record<LimitErrorKind, number>> = { RATE_LIMITED: 429, OVERLOADED: 503 };

/** The same refusal, with the status and the headers that HTTP has for it. Other errors are given back as they are. */
export function withHttpStatus(error: unknown): Error {
  if (!(error instanceof LimitError)) return error as Error;
  const headers = new HeaderMap(Object.entries(headersOf(error)));
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { http: { status: STATUS[error.kind], headers } },
  });
}

export function statusOf({ kind }: LimitError): number {
  return STATUS[kind];
}

export function headersOf({ headers, retryAfterSeconds }: LimitError): Readonly<Record<string, string>> {
  return { ...headers, 'retry-after': String(retryAfterSeconds) };
}
