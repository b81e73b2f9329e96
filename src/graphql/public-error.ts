import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ArgumentValidationError } from 'type-graphql';
import type { ValidationError } from 'class-validator';
import type { Logger } from 'pino';
import { AccessError } from '../access/access-error.js';
import { CustomerError } from '../customers/customer-error.js';
import { isDatabaseUnavailable } from '../database/unavailable.js';
import { isTextUnstorable } from '../database/unstorable-text.js';
import { IdempotencyKeyReused } from '../idempotency/key-use.js';
import { EmailError } from '../notifications/email/email-error.js';
import { JobError } from '../jobs/job-error.js';
import { MerchantWebhookError } from '../notifications/merchant-webhooks/merchant-webhook-error.js';
import { LimitError } from '../limits/limit-error.js';
import { OrderError } from '../orders/order-error.js';
import { PaymentError } from '../payments/payment-error.js';
import { SubscriptionError } from '../subscriptions/subscription-error.js';
import { PagingError } from '../paging/paging-error.js';
import { WebhookError } from '../webhooks/webhook-error.js';
import { ERROR_CODES, type ErrorCode, type PublicError } from './error-codes.js';

/** A database that restarts is back within a moment. */
const DATABASE_PAUSE_SECONDS = 1;

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

/** Without "Did you mean …?", which tells names of a schema that may not be read. */
export function withoutSuggestions(error: GraphQLFormattedError): GraphQLFormattedError {
  const bare = (message: string) => message.replace(/ ?Did you mean .+\?$/s, '');
  const fields = error.extensions?.fields as readonly FieldFault[] | undefined;
  return {
    ...error,
    message: bare(error.message),
    extensions: {
      ...error.extensions,
      ...(fields && { fields: fields.map(({ path, message }) => ({ path, message: bare(message) })) }),
    },
  };
}

interface Description {
  readonly message: string;
  readonly code: string;
  readonly retryable?: boolean;
  readonly fields?: readonly FieldFault[];
  readonly reference?: string;
  /** How long to wait before the same request is repeated. */
  readonly retryAfterSeconds?: number;
}

function describe(error: unknown, log: Logger): Description {
  if (
    error instanceof OrderError ||
    error instanceof PaymentError ||
    error instanceof CustomerError ||
    error instanceof SubscriptionError
  ) {
    return ours(error.message, ERROR_CODES[error.kind], error.field);
  }
  if (
    error instanceof AccessError ||
    error instanceof WebhookError ||
    error instanceof PagingError ||
    error instanceof MerchantWebhookError ||
    error instanceof JobError ||
    error instanceof EmailError
  ) {
    return ours(error.message, ERROR_CODES[error.kind]);
  }
  if (error instanceof LimitError) {
    const { message, kind, retryAfterSeconds } = error;
    return { ...ours(message, ERROR_CODES[kind]), retryAfterSeconds };
  }
  if (error instanceof IdempotencyKeyReused) {
    return ours(error.message, ERROR_CODES.IDEMPOTENCY_KEY_REUSED, 'idempotencyKey');
  }
  if (error instanceof ArgumentValidationError) {
    const faults: unknown = error.extensions.validationErrors;
    // A check of a text that has half of a surrogate pair throws, and type-graphql passes that on in place of faults.
    if (faults instanceof URIError) return TEXT_UNSTORABLE;
    if (!Array.isArray(faults)) return unexpected(faults, log);
    const fields = (faults as ValidationError[]).flatMap((fault) => fieldFaults(fault));
    return {
      message: fields.map(({ path, message }) => `${path}: ${message}`).join('; '),
      code: 'BAD_USER_INPUT' satisfies ErrorCode,
      retryable: false,
      fields,
    };
  }
  if (error instanceof GraphQLError) return ofGraphQL(error);
  if (isTextUnstorable(error)) return TEXT_UNSTORABLE;
  return unexpected(error, log);
}

const TEXT_UNSTORABLE: Description = {
  message: 'A text has a character that can’t be stored: U+0000, or half of a surrogate pair.',
  code: 'BAD_USER_INPUT' satisfies ErrorCode,
  retryable: false,
};

function ours(message: string, { code, retryable, field }: PublicError, named?: string): Description {
  const path = named ?? field;
  return { message, code, retryable, ...(path && { fields: [{ path, message }] }) };
}

/** What GraphQL says of a variable that doesn't fit its type; only the message tells it from other faults. */
const BAD_VARIABLE =
  /^Variable "\$(\w+)" (?:got invalid value|of required type .+ was not provided|of non-null type .+ must not be null)/s;
const FIELD_OF_VARIABLE = / at "\w+([^"]+)";/;
const MISSING_FIELD = /; Field "(\w+)" of required type /;

/** The query itself is at fault: its syntax, its fields, its variables, its size. */
function ofGraphQL({ message, extensions }: GraphQLError): Description {
  const [, variable] = BAD_VARIABLE.exec(message) ?? [];
  if (variable) {
    const path = fieldIn(message) ?? variable;
    return {
      message,
      code: 'BAD_USER_INPUT' satisfies ErrorCode,
      retryable: false,
      fields: [{ path, message }],
    };
  }
  const code = typeof extensions.code === 'string' ? extensions.code : 'GRAPHQL_VALIDATION_FAILED';
  return { message, code, retryable: false };
}

/** As our own faults name it: `lines.0.quantity`, without the variable. Undefined: it is the variable itself. */
function fieldIn(message: string): string | undefined {
  const at = FIELD_OF_VARIABLE.exec(message)?.[1];
  const missing = MISSING_FIELD.exec(message)?.[1];
  const steps = [at?.replace(/[.[\]]+/g, '.').slice(1), missing].filter((step) => step !== undefined);
  return steps.length > 0 ? steps.join('.') : undefined;
}

function unexpected(error: unknown, log: Logger): Description {
  const reference = randomUUID();
  log.error({ err: error, reference }, 'a request failed for a reason of ours');
  if (isDatabaseUnavailable(error)) {
    return {
      message:
        'Quittance’s database can’t be reached or is too busy at the moment. Repeat the same request in a moment.',
      code: 'SERVICE_UNAVAILABLE' satisfies ErrorCode,
      retryable: true,
      retryAfterSeconds: DATABASE_PAUSE_SECONDS,
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
    const inner: Error | undefined = current.originalError;
    if (!inner || inner === current || saysMoreThan(current, inner)) return current;
    current = inner;
  }
  return current;
}

/** Apollo's wrapping says what kind of fault GraphQL's own error is; and only the outer one names the variable. */
function saysMoreThan(outer: GraphQLError, inner: Error): boolean {
  if (BAD_VARIABLE.test(outer.message)) return true;
  return (
    inner instanceof GraphQLError &&
    typeof outer.extensions.code === 'string' &&
    typeof inner.extensions.code !== 'string'
  );
}
