import { decodeJwt, errors } from 'jose';
import { AccessError } from './access-error.js';
import { API_KEY_PREFIX, type ApiKeys } from './api-keys.js';
import { ANONYMOUS, expiryOf, type Caller } from './caller.js';
import { CUSTOMER_TOKEN_AUDIENCE, type CustomerTokens } from './customer-token.js';
import { ORDER_TOKEN_ISSUER, type OrderTokens } from './order-token.js';
import type { VerifyOperatorToken } from './operator-token.js';

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
    throw refused(
      error instanceof errors.JWTExpired
        ? 'The token has expired. Get a new one.'
        : 'The token is not valid.',
      error,
    );
  }
}

async function backendOf({ apiKeys }: Authentication, key: string): Promise<Caller> {
  const holder = await apiKeys.find(key);
  if (!holder) throw refused('The API key is not valid.');
  return { kind: 'backend', apiKeyId: holder.id, keyHash: holder.hash };
}

/**
 * For who watches: a token may have expired and a key been revoked since it was checked.
 * @throws {AccessError} UNAUTHENTICATED
 */
export async function requireStillValid(
  authentication: Pick<Authentication, 'apiKeys'>,
  caller: Caller,
): Promise<void> {
  if (await stillHolds(authentication, caller)) return;
  throw refused('The token has expired or was revoked. Connect again with a new one.');
}

async function stillHolds({ apiKeys }: Pick<Authentication, 'apiKeys'>, caller: Caller): Promise<boolean> {
  if (caller.kind === 'backend') return (await apiKeys.findByHash(caller.keyHash)) !== null;
  const expiry = expiryOf(caller);
  return expiry === null || expiry.getTime() > Date.now();
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
