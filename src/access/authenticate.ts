import { decodeJwt, errors } from 'jose';
import { AccessError } from './access-error.js';
import { API_KEY_PREFIX, type ApiKeyHolder, type ApiKeys } from './api-keys.js';
import { ANONYMOUS, expiryOf, type Caller } from './caller.js';
import { CUSTOMER_TOKEN_AUDIENCE, type CustomerTokens } from './customer-token.js';
import { ORDER_TOKEN_ISSUER, type OrderTokens } from './order-token.js';
import type { VerifyOperatorToken } from './operator-token.js';

/** What happens to honest payers each day, and is no attempt at anything. */
export const TOKEN_EXPIRED = 'The token has expired. Get a new one.';

export interface Authentication {
  readonly orderTokens: OrderTokens;
  readonly customerTokens: CustomerTokens;
  readonly apiKeys: ApiKeys;
  /** Undefined where no operators are configured. */
  readonly verifyOperatorToken?: VerifyOperatorToken;
}

/**
 * Who is asking, from an `Authorization` header or the `authorization` of a WebSocket's connection parameters; the same
 * over both. Without one the caller is anonymous.
 * @throws {AccessError} UNAUTHENTICATED for a token that isn't good: it is never taken for none at all.
 */
export async function authenticate(
  authentication: Authentication,
  authorization: string | undefined,
): Promise<Caller> {
  if (authorization === undefined) return ANONYMOUS;
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (!token) throw refused('Authorization must be "Bearer" and a token.');
  if (token.startsWith(API_KEY_PREFIX)) return backendOf(authentication, token);
  try {
    return await callerOfJwt(authentication, token);
  } catch (error) {
    // Nobody's token is bad because the keys to check it with can't be fetched.
    if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout) {
      throw new AccessError('IDENTITY_UNAVAILABLE', 'The token can’t be checked at the moment. Try again.', {
        cause: error,
      });
    }
    throw refused(error instanceof errors.JWTExpired ? TOKEN_EXPIRED : 'The token is not valid.', error);
  }
}

async function backendOf({ apiKeys }: Authentication, key: string): Promise<Caller> {
  const holder = await apiKeys.find(key);
  if (holder) return backend(holder);
  throw refused('The API key is not valid: it has expired, was revoked, or was never made.');
}

function backend({ id, hash, scopes }: ApiKeyHolder): Caller {
  return { kind: 'backend', apiKeyId: id, keyHash: hash, scopes };
}

/**
 * For callers who stay connected: a token may have expired since it was checked, and a key been revoked or given other
 * scopes.
 * @returns the caller as they are now.
 * @throws {AccessError} UNAUTHENTICATED
 */
export async function requireStillValid(
  { apiKeys }: Pick<Authentication, 'apiKeys'>,
  caller: Caller,
): Promise<Caller> {
  if (caller.kind === 'backend') {
    const holder = await apiKeys.findByHash(caller.keyHash);
    if (holder) return backend(holder);
  } else {
    const expiry = expiryOf(caller);
    if (expiry === null || expiry.getTime() > Date.now()) return caller;
  }
  throw refused('The token has expired or was revoked. Connect again with a new one.');
}

async function callerOfJwt(authentication: Authentication, token: string): Promise<Caller> {
  // Read, not yet believed: it only says which key to check the signature with.
  const { iss, aud } = decodeJwt(token);
  if (iss === ORDER_TOKEN_ISSUER && aud === CUSTOMER_TOKEN_AUDIENCE) {
    return { kind: 'customer', ...(await authentication.customerTokens.verify(token)) };
  }
  if (iss === ORDER_TOKEN_ISSUER) {
    return { kind: 'payer', ...(await authentication.orderTokens.verify(token)) };
  }
  if (!authentication.verifyOperatorToken) throw new errors.JWTInvalid('no operators are configured');
  return { kind: 'operator', ...(await authentication.verifyOperatorToken(token)) };
}

function refused(message: string, cause?: unknown): AccessError {
  return new AccessError('UNAUTHENTICATED', message, { cause });
}
