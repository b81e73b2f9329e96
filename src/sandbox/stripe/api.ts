import type { IncomingMessage } from 'node:http';
import { newId, type StripeAccount } from './account.js';
import { expand } from './expand.js';
import { FaultPlan } from '../faults.js';
import { FAULTS_BY_CHANCE, type Fault } from './faults.js';
import { parseForm, type FormValues } from './form-body.js';
import { IdempotencyStore, type Answer } from './idempotency.js';
import type { Operation } from './operation.js';
import { OPERATIONS } from './operations.js';
import { texts } from './parameters.js';
import { invalidRequest, StripeDoubleError } from './stripe-error.js';

/** What becomes of an API request: an answer, or something that goes wrong on purpose. */
export interface ApiOutcome {
  readonly requestId: string;
  readonly answer: Answer;
  readonly fault?: Fault;
  /** To be called when the request is over, answered or not. */
  readonly finished: () => void;
}

const ROUTES: ReadonlyMap<string, Operation> = new Map(
  OPERATIONS.map((operation) => [operation.route, operation] as const),
);

const NOTHING_TO_FINISH = () => {};

/** `https://api.stripe.com`, as far as Quittance uses it. */
export class StripeApi {
  readonly faults = new FaultPlan<string, Fault>(FAULTS_BY_CHANCE);
  private readonly requests = new Map<string, number>();
  private readonly idempotency: IdempotencyStore;

  constructor(
    private readonly account: StripeAccount,
    private readonly secretKey: string,
    maxObjects: number,
  ) {
    this.idempotency = new IdempotencyStore(maxObjects);
  }

  /** How many requests asked for an operation, the SDK's repetitions included. */
  requestCount(operation: string): number {
    return this.requests.get(operation) ?? 0;
  }

  requestCounts(): Record<string, number> {
    return Object.fromEntries(this.requests);
  }

  handle(request: IncomingMessage, path: string, query: string, body: string): ApiOutcome {
    const requestId = newId('req');
    const { operation, id } = match(request.method ?? 'GET', path);
    const name = operation?.name ?? 'unknown';
    this.requests.set(name, this.requestCount(name) + 1);
    const fault = this.faults.take(name);
    const key = request.method === 'POST' ? idempotencyKeyOf(request) : undefined;
    const outcome = { requestId, ...(fault && { fault }), finished: NOTHING_TO_FINISH };
    try {
      this.authenticate(request);
      if (!operation) throw invalidRequest(`Unrecognized request URL (${request.method}: ${path}).`);
      const replayed = key === undefined ? undefined : this.idempotency.replay(key, `${path}\n${body}`);
      if (replayed) return { ...outcome, answer: replayed };
      const finished = key === undefined ? NOTHING_TO_FINISH : () => this.idempotency.forget(key);
      if (fault && fault.when !== 'AFTER_WORK') return { ...outcome, answer: NO_ANSWER, finished };
      this.account.origin = { id: requestId, idempotency_key: key ?? null };
      return { ...outcome, answer: this.execute(operation, id, query === '' ? body : query, key), finished };
    } catch (error) {
      return { ...outcome, answer: errorAnswer(error) };
    } finally {
      this.account.origin = null;
    }
  }

  private execute(operation: Operation, id: string, parameters: string, key: string | undefined): Answer {
    let answer: Answer;
    try {
      const form = formOf(parameters);
      const object = operation.run(this.account, form, id);
      answer = { status: 200, body: JSON.stringify(expand(this.account, object, texts(form, 'expand'))) };
    } catch (error) {
      if (!(error instanceof StripeDoubleError && error.executed)) {
        if (key !== undefined) this.idempotency.forget(key);
        throw error;
      }
      answer = errorAnswer(error);
    }
    if (key !== undefined) this.idempotency.remember(key, answer);
    return answer;
  }

  private authenticate(request: IncomingMessage): void {
    if (request.headers.authorization === `Bearer ${this.secretKey}`) return;
    const body = { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_****' } as const;
    throw new StripeDoubleError(401, body, false);
  }
}

const NO_ANSWER: Answer = { status: 500, body: '' };

/** "/v1/payment_intents/pi_1/confirm" is the route "/v1/payment_intents/:id/confirm" with the id "pi_1". */
function match(method: string, path: string): { operation: Operation | undefined; id: string } {
  const whole = ROUTES.get(`${method} ${path}`);
  if (whole) return { operation: whole, id: '' };
  const steps = path.split('/');
  const position = steps[2] === 'checkout' ? 4 : 3;
  const id = steps[position] ?? '';
  steps[position] = ':id';
  return { operation: ROUTES.get(`${method} ${steps.join('/')}`), id };
}

function idempotencyKeyOf(request: IncomingMessage): string | undefined {
  const key = request.headers['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}

function formOf(parameters: string): FormValues {
  try {
    return parseForm(parameters);
  } catch (error) {
    if (error instanceof URIError) throw invalidRequest('Invalid request: broken percent-encoding.');
    throw error;
  }
}

function errorAnswer(error: unknown): Answer {
  if (!(error instanceof StripeDoubleError)) throw error;
  return { status: error.status, body: JSON.stringify({ error: error.body }) };
}
