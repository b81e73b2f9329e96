import { AccessError } from './access-error.js';
import type { OperatorRole } from './operator-roles.js';
import type { Scope } from './scopes.js';

/** Who is asking. */
export type Caller =
  | { readonly kind: 'anonymous' }
  /** Holds the token of one order. */
  | { readonly kind: 'payer'; readonly orderReference: string; readonly expiresAt: Date }
  /** Holds the token of one customer. */
  | { readonly kind: 'customer'; readonly customerReference: string; readonly expiresAt: Date }
  /** The merchant's own server, with an API key. */
  | {
      readonly kind: 'backend';
      readonly apiKeyId: string;
      readonly keyHash: string;
      readonly scopes: readonly Scope[];
    }
  /** Staff. */
  | {
      readonly kind: 'operator';
      readonly subject: string;
      readonly role: OperatorRole;
      readonly expiresAt: Date;
    };

export const ANONYMOUS: Caller = { kind: 'anonymous' };

/** Under which idempotency keys are kept apart: a person who gets another role stays the same one. */
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

/** Who acts, for the audit log; of an operator with the role that they act in: `support:sam`. */
export function actorName(caller: Caller): string {
  return caller.kind === 'operator' ? `${caller.role}:${caller.subject}` : callerName(caller);
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

/** Whether they may be shown what lets its reader act as the payer. */
export function mayActAsPayer(caller: Caller): boolean {
  if (caller.kind === 'backend') return caller.scopes.includes('payments');
  return caller.kind === 'payer' || caller.kind === 'customer';
}

export function tokenMissing(): AccessError {
  return new AccessError(
    'UNAUTHENTICATED',
    'Send a token: "Authorization: Bearer …" over HTTP, "authorization" in the connection parameters of a WebSocket. createOrder gives one.',
  );
}

/** When the caller's proof ends; null where it has no fixed end. */
export function expiryOf(caller: Caller): Date | null {
  return 'expiresAt' in caller ? caller.expiresAt : null;
}
