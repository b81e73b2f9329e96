import { AccessError } from './access-error.js';

/** Who is asking. */
export type Caller =
  | { readonly kind: 'anonymous' }
  /** Holds the token of one order. */
  | { readonly kind: 'payer'; readonly orderReference: string; readonly expiresAt: Date }
  /** Holds the token of one customer. */
  | { readonly kind: 'customer'; readonly customerReference: string; readonly expiresAt: Date }
  /** The merchant's own server, with an API key. */
  | { readonly kind: 'backend'; readonly apiKeyId: string; readonly keyHash: string }
  /** Staff. */
  | { readonly kind: 'operator'; readonly subject: string; readonly expiresAt: Date };

export const ANONYMOUS: Caller = { kind: 'anonymous' };

/** A name under which idempotency keys are kept apart, and which an audit can be read by. */
export function callerName(caller: Caller): string {
  switch (caller.kind) {
    case 'anonymous':
      return 'anonymous';
    case 'payer':
      return `payer:${caller.orderReference}`;
    case 'customer':
      return `customer:${caller.customerReference}`;
    case 'backend':
      return `backend:${caller.apiKeyId}`;
    case 'operator':
      return `operator:${caller.subject}`;
    default:
      return caller satisfies never;
  }
}

/** Whether the caller may see this order and everything that belongs to it. */
export function maySeeOrder(caller: Caller, orderReference: string): boolean {
  switch (caller.kind) {
    case 'anonymous':
    case 'customer':
      return false;
    case 'payer':
      return caller.orderReference === orderReference;
    case 'backend':
    case 'operator':
      return true;
    default:
      return caller satisfies never;
  }
}

/** Whether the caller may see this customer and what they have saved. */
export function maySeeCustomer(caller: Caller, customerReference: string): boolean {
  if (caller.kind === 'customer') return caller.customerReference === customerReference;
  return isStaffOrBackend(caller);
}

export function isStaffOrBackend(caller: Caller): boolean {
  return caller.kind === 'backend' || caller.kind === 'operator';
}

/** @throws {AccessError} for everybody but backends and operators. */
export function requireStaffOrBackend(caller: Caller): void {
  if (isStaffOrBackend(caller)) return;
  if (caller.kind === 'anonymous') throw tokenMissing();
  throw new AccessError('FORBIDDEN', 'Only backends (API key) and operators may do this.');
}

/** @throws {AccessError} for everybody but operators. */
export function requireOperator(caller: Caller): void {
  if (caller.kind === 'operator') return;
  if (caller.kind === 'anonymous') throw tokenMissing();
  throw new AccessError('FORBIDDEN', 'Only operators may do this.');
}

/** @throws {AccessError} for everybody but backends. */
export function requireBackend(caller: Caller): void {
  if (caller.kind === 'backend') return;
  if (caller.kind === 'anonymous') throw tokenMissing();
  throw new AccessError('FORBIDDEN', 'Only backends (API key) may do this.');
}

/** @throws {AccessError} when no token was sent at all. */
export function requireToken(caller: Caller): void {
  if (caller.kind === 'anonymous') throw tokenMissing();
}

function tokenMissing(): AccessError {
  return new AccessError(
    'UNAUTHENTICATED',
    'Send a token: "Authorization: Bearer …" over HTTP, "authorization" in the connection parameters of a WebSocket. createOrder gives one.',
  );
}

/** When the caller's proof ends; null where it has no fixed end. */
export function expiryOf(caller: Caller): Date | null {
  return 'expiresAt' in caller ? caller.expiresAt : null;
}
