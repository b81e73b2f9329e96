import { AccessError } from './access-error.js';
import { tokenMissing, type Caller } from './caller.js';
import { hasRole, type OperatorRole } from './operator-roles.js';
import type { Scope } from './scopes.js';

/** Which callers may do something. Which orders or customers they may do it with is decided where those are read. */
export interface Permission {
  /** Callers without a token. */
  readonly anonymous?: true;
  /** Callers without a token are told what those with another's token are: that there is no such thing. */
  readonly hidden?: true;
  /** Holders of an order's token. */
  readonly payer?: true;
  /** Holders of a customer's token. */
  readonly customer?: true;
  /** The scope that an API key needs. Left out: no API key will do. */
  readonly backend?: Scope | 'ANY_SCOPE';
  /** The least role that an operator needs. Left out: no operator may. */
  readonly operator?: OperatorRole;
}

/**
 * @param what is asked for, for the message: "ownLines".
 * @throws {AccessError} UNAUTHENTICATED (or NOT_YOURS) without a token, NOT_YOURS with the token of another kind of thing, and FORBIDDEN for
 * all others who may not, naming what is missing.
 */
export function requirePermission(caller: Caller, permission: Permission, what: string): void {
  switch (caller.kind) {
    case 'anonymous':
      if (permission.anonymous) return;
      throw permission.hidden ? notYours('you have sent no token') : tokenMissing();
    case 'payer':
    case 'customer':
      if (permission[caller.kind]) return;
      throw permission.payer || permission.customer
        ? notYours(`your token is that of ${caller.kind === 'payer' ? 'an order' : 'a customer'}`)
        : notForThisKind(permission, what);
    case 'backend':
      return requireScope(caller.scopes, permission, what);
    case 'operator':
      return requireRole(caller.role, permission, what);
    default:
      return caller satisfies never;
  }
}

function requireScope(scopes: readonly Scope[], permission: Permission, what: string): void {
  const { backend } = permission;
  if (backend === undefined) throw notForThisKind(permission, what);
  if (backend === 'ANY_SCOPE' || scopes.includes(backend)) return;
  throw new AccessError(
    'FORBIDDEN',
    `${what} needs an API key with the scope "${backend}", which this one has not: it has ${scopes.join(', ')}.`,
  );
}

function requireRole(role: OperatorRole, permission: Permission, what: string): void {
  const { operator } = permission;
  if (operator === undefined) throw notForThisKind(permission, what);
  if (hasRole(role, operator)) return;
  throw new AccessError('FORBIDDEN', `${what} needs the role "${operator}", and yours is "${role}".`);
}

function notForThisKind(permission: Permission, what: string): AccessError {
  return new AccessError('FORBIDDEN', `${what} is for ${kindsOf(permission)} only.`);
}

function notYours(why: string): AccessError {
  return new AccessError('NOT_YOURS', `There is no such thing, or it is not yours: ${why}.`);
}

/** Whom it is for, as the schema's descriptions say it: "backends and operators". */
export function kindsOf({ payer, customer, backend, operator }: Permission): string {
  const kinds = [
    ...(payer ? ['the payer'] : []),
    ...(customer ? ['the customer'] : []),
    ...(backend ? ['backends'] : []),
    ...(operator ? ['operators'] : []),
  ];
  const last = kinds.pop() ?? 'nobody';
  return kinds.length > 0 ? `${kinds.join(', ')} and ${last}` : last;
}

/** What a token needs besides being of the right kind, as a sentence; null where nothing. */
export function needsOf({ backend, operator }: Permission): string | null {
  const scope = backend && backend !== 'ANY_SCOPE' ? `the scope \`${backend}\`` : null;
  const role = operator && operator !== 'viewer' ? `the role \`${operator}\`` : null;
  if (scope && role) return `API keys need ${scope}, operators ${role}.`;
  if (scope) return `API keys need ${scope}.`;
  return role && `Operators need ${role}.`;
}
