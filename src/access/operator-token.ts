import {
  createRemoteJWKSet,
  errors,
  jwtVerify,
  SignJWT,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose';

import { OPERATOR_ROLES, strongestRole, type OperatorRole } from './operator-roles.js';

/** How operators' JWTs are checked: by a shared secret (HS256), or by the public keys of an identity provider. */
export type OperatorTokenSettings = (
  | { readonly secret: string; readonly jwksUrl?: undefined }
  | { readonly jwksUrl: URL; readonly secret?: undefined }
) & { readonly issuer?: string; readonly audience?: string };

const PUBLIC_KEY_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

export interface OperatorToken {
  readonly subject: string;
  readonly role: OperatorRole;
  readonly expiresAt: Date;
}

export type VerifyOperatorToken = (token: string) => Promise<OperatorToken>;

/**
 * An operator's token carries `sub`, `exp` and the role: `role: "support"`, or `roles`, of which the strongest counts.
 * The returned function throws an error of jose's, or a plain one, for every token that doesn't.
 */
export function operatorTokens(settings: OperatorTokenSettings): VerifyOperatorToken {
  const verify = verifier(settings);
  return async (token) => {
    const { payload } = await verify(token);
    const role = strongestRole(Array.isArray(payload.roles) ? payload.roles : [payload.role]);
    if (!role) {
      const known = OPERATOR_ROLES.join(', ');
      throw new errors.JWTClaimValidationFailed(`the role is none of ${known}`, payload, 'role');
    }
    return { subject: payload.sub!, role, expiresAt: new Date(payload.exp! * 1_000) };
  };
}

function verifier(settings: OperatorTokenSettings): (token: string) => Promise<JWTVerifyResult> {
  const options: JWTVerifyOptions = {
    issuer: settings.issuer,
    audience: settings.audience,
    requiredClaims: ['sub', 'exp'],
  };
  if (settings.secret !== undefined) {
    const key = new TextEncoder().encode(settings.secret);
    return (token) => jwtVerify(token, key, { ...options, algorithms: ['HS256'] });
  }
  const keys = createRemoteJWKSet(settings.jwksUrl);
  return (token) => jwtVerify(token, keys, { ...options, algorithms: PUBLIC_KEY_ALGORITHMS });
}

/** For local runs and tests, where no identity provider stands behind. */
export async function signOperatorToken(
  secret: string,
  subject: string,
  lifetimeMilliseconds: number,
  role: OperatorRole = 'operator',
): Promise<string> {
  return new SignJWT({ role })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(new Date(Date.now() + lifetimeMilliseconds))
    .sign(new TextEncoder().encode(secret));
}
