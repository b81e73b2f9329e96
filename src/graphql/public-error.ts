import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ArgumentValidationError } from 'type-graphql';
import type { ValidationError } from 'class-validator';
import type { Logger } from 'pino';
import { AccessError } from '../access/access-error.js';
import { isDatabaseUnavailable } from '../database/unavailable.js';
import { IdempotencyKeyReused } from '../idempotency/key-use.js';
import { OrderError } from '../orders/order-error.js';
import { PaymentError } from '../payments/payment-error.js';
import { ERROR_CODES, type ErrorCode, type PublicError } from './error-codes.js';

interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/**
 * What a client may know of an error, the same over HTTP and WebSocket: our own errors with their code, a fault in the
 * input with its fields, and of everything else only a reference under which the log has it all.
 */
export function publicError(error: unknown, log: Logger): GraphQLFormattedError {
  const graphQLError = error instanceof GraphQLError ? error : null;
  const { message, ...extensions } = describe(originalOf(error), log);
  return {
    message,
    ...(graphQLError?.locations && { locations: graphQLError.locations }),
    ...(graphQLError?.path && { path: graphQLError.path }),
    extensions,
  };
}

interface Description {
  readonly message: string;
  readonly code: string;
  readonly retryable?: boolean;
  readonly fields?: readonly FieldFault[];
  readonly reference?: string;
}

function describe(error: unknown, log: Logger): Description {
  if (error instanceof OrderError || error instanceof PaymentError) {
    return ours(error.message, ERROR_CODES[error.kind], error.field);
  }
  if (error instanceof AccessError) return ours(error.message, ERROR_CODES[error.kind]);
  if (error instanceof IdempotencyKeyReused) {
    return ours(error.message, ERROR_CODES.IDEMPOTENCY_KEY_REUSED, 'idempotencyKey');
  }
  if (error instanceof ArgumentValidationError) {
    const fields = error.extensions.validationErrors.flatMap((fault) => fieldFaults(fault));
    return {
      message: fields.map(({ path, message }) => `${path}: ${message}`).join('; '),
      code: 'BAD_USER_INPUT' satisfies ErrorCode,
      retryable: false,
      fields,
    };
  }
  if (error instanceof GraphQLError) return ofGraphQL(error);
  return unexpected(error, log);
}

function ours(message: string, { code, retryable, field }: PublicError, named?: string): Description {
  const path = named ?? field;
  return { message, code, retryable, ...(path && { fields: [{ path, message }] }) };
}

/** The query itself is at fault: its syntax, its fields, its variables, its size. */
function ofGraphQL({ message, extensions }: GraphQLError): Description {
  const code = typeof extensions.code === 'string' ? extensions.code : 'GRAPHQL_VALIDATION_FAILED';
  return { message, code, retryable: false };
}

function unexpected(error: unknown, log: Logger): Description {
  const reference = randomUUID();
  log.error({ err: error, reference }, 'a request failed for a reason of ours');
  if (isDatabaseUnavailable(error)) {
    return {
      message: 'Quittance can’t reach its database at the moment. Repeat the same request in a moment.',
      code: 'SERVICE_UNAVAILABLE' satisfies ErrorCode,
      retryable: true,
      reference,
    };
  }
  return {
    message: `Something went wrong on our side. Repeat the same request, or tell support this reference: ${reference}`,
    code: 'INTERNAL_SERVER_ERROR' satisfies ErrorCode,
    retryable: true,
    reference,
  };
}

function fieldFaults(fault: ValidationError, parent = ''): FieldFault[] {
  const path = parent ? `${parent}.${fault.property}` : fault.property;
  const own = Object.values(fault.constraints ?? {}).map((message) => ({ path, message }));
  return [...own, ...(fault.children ?? []).flatMap((child) => fieldFaults(child, path))];
}

/** Our error, from under however many GraphQL errors were wrapped around it. */
function originalOf(error: unknown): unknown {
  let current = error;
  while (current instanceof GraphQLError && !(current instanceof ArgumentValidationError)) {
    if (!current.originalError || current.originalError === current) return current;
    current = current.originalError;
  }
  return current;
}
