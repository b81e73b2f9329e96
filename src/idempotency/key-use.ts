import { createHash } from 'node:crypto';

/** As long as Stripe keeps its own: a client that has not heard for a day starts anew. */
const KEY_LIFETIME_MILLISECONDS = 24 * 60 * 60 * 1000;

/** One use of an idempotency key, before it is known what it made. */
export interface KeyUse {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** The key that came with a request, if one did; whoever asks and the key itself are no part of what was asked. */
export function keyUse(
  operation: string,
  request: { readonly caller: string; readonly idempotencyKey: string },
): KeyUse;
export function keyUse(
  operation: string,
  request: { readonly caller: string; readonly idempotencyKey?: string | null },
): KeyUse | null;
export function keyUse(
  operation: string,
  request: { readonly caller: string; readonly idempotencyKey?: string | null },
): KeyUse | null {
  const { caller, idempotencyKey, ...input } = request;
  if (!idempotencyKey) return null;
  return { caller, key: idempotencyKey, fingerprint: fingerprint(operation, input) };
}

export function keyExpiry(now: Date): Date {
  return new Date(now.getTime() + KEY_LIFETIME_MILLISECONDS);
}

/** The same for the same input, in whatever order its fields came; null and absent are the same. */
function fingerprint(operation: string, input: unknown): string {
  return createHash('sha256')
    .update(`${operation} ${JSON.stringify(canonical(input))}`)
    .digest('base64url');
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value instanceof Date) return value.toISOString();
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined && field !== null);
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, canonical(field)]));
}

/** The constraint that stands between two requests with one key. */
export const KEY_CONSTRAINT = 'idempotency_key_pkey';

export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';

  constructor() {
    super('This idempotencyKey was used for another request. Use a new one for each new request.');
  }
}
