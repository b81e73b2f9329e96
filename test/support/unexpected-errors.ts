import { isNativeError } from 'node:util/types';
import { pino, type Logger } from 'pino';
import { AccessError } from '../../src/access/access-error.js';
import { CustomerError } from '../../src/customers/customer-error.js';
import { OrderError } from '../../src/orders/order-error.js';
import { MoneyNotKnownYet } from '../../src/payments/money-not-known-yet.js';
import { NotProvenYet } from '../../src/payments/not-proven-yet.js';
import { PaymentError } from '../../src/payments/payment-error.js';
import { ProviderFailure } from '../../src/providers/provider.js';
import { SubscriptionError } from '../../src/subscriptions/subscription-error.js';

/** What `leak-failing-environment.js` reads: it runs outside of the realm of the tests, so it finds it by this name. */
interface Registry {
  /** Logged by a server under test, and not yet held against a test. */
  readonly errors: string[];
  /** What the test that runs, or its whole file, provokes on purpose. */
  readonly expected: RegExp[];
}

const registry: Registry = ((
  globalThis as { quittanceUnexpectedErrors?: Registry }
).quittanceUnexpectedErrors ??= { errors: [], expected: [] });

/** Errors that Quittance throws on purpose: a caller or a provider is at fault, and the code handles it. */
const OURS = [
  AccessError,
  CustomerError,
  MoneyNotKnownYet,
  NotProvenYet,
  OrderError,
  PaymentError,
  ProviderFailure,
  SubscriptionError,
];

/**
 * A logger for a server under test. A warning or an error that it logs with an error which nobody throws on purpose
 * fails the test that runs, and prints that error.
 */
export function failingLog(): Logger {
  const level = process.env.TEST_LOG_LEVEL;
  return pino(
    {
      level: level ?? 'warn',
      hooks: {
        logMethod(parameters, method, severity) {
          if (severity >= pino.levels.values.warn!) note(parameters);
          method.apply(this, parameters);
        },
      },
    },
    level ? process.stdout : { write: () => undefined },
  );
}

/**
 * Of the test that calls this, or of its whole file when it is called outside of a test: errors that match are provoked
 * on purpose. An error is matched with its log message, its name and its own message: `log message: name: message`.
 */
export function expectErrors(...patterns: readonly RegExp[]): void {
  registry.expected.push(...patterns);
}

/** The database is cut off, or restarted, on purpose. */
export const DATABASE_LOST =
  /ECONNREFUSED|ECONNRESET|Connection terminated|terminating connection|the database system is|Client has encountered a connection error|not queryable/;

function note([fields, message]: readonly unknown[]): void {
  const error = typeof fields === 'object' && fields !== null && 'err' in fields ? fields.err : null;
  // Not `instanceof Error`: Node’s own errors are of another realm than the tests.
  if (!isNativeError(error) || OURS.some((kind) => error instanceof kind)) return;
  const text = `${String(message)}: ${error.name}: ${error.message}`;
  if (registry.expected.some((pattern) => pattern.test(text))) return;
  registry.errors.push(`${text}\n${error.stack ?? ''}${causeOf(error)}`);
}

function causeOf(error: Error): string {
  const cause = error.cause ?? (error as { driverError?: unknown }).driverError;
  return isNativeError(cause) && cause !== error
    ? `\ncaused by ${JSON.stringify(cause, Object.getOwnPropertyNames(cause))}`
    : '';
}
