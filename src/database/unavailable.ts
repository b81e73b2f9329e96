import { isNativeError } from 'node:util/types';
import { QueryFailedError } from 'typeorm';

/**
 * SQLSTATEs that speak of the server and not of the statement: no connection, shutting down, no resources (classes), or
 * so busy that the time for a lock or for the statement was up.
 */
const SERVER_STATES = /^(08|53|57P|55P03|57014)/;

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
]);

/** Messages of pg that carry no code. */
const WITHOUT_CODE =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/;

/** Whether the database could not be reached or was too busy, as opposed to refusing what it was asked. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  // Not `instanceof`: Node’s own errors are of another realm where the code runs in one of its own, as in Jest.
  if (!isNativeError(cause)) return false;
  const { code, errors } = cause as Error & { code?: string; errors?: unknown };
  if (code !== undefined) return SOCKET_CODES.has(code) || SERVER_STATES.test(code);
  if (Array.isArray(errors)) return errors.some(isDatabaseUnavailable);
  return WITHOUT_CODE.test(cause.message);
}
