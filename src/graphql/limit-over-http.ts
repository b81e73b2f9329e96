import { HeaderMap } from '@apollo/server';
import { GraphQLError } from 'graphql';
import { LimitError } from '../limits/limit-error.js';
import { headersOf, statusOf } from '../limits/limit-over-http.js';

/** The same refusal, with the status and the headers that HTTP has for it. Other errors are given back as they are. */
export function withHttpStatus(error: unknown): Error {
  if (!(error instanceof LimitError)) return error as Error;
  const headers = new HeaderMap(Object.entries(headersOf(error)));
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { http: { status: statusOf(error), headers } },
  });
}
