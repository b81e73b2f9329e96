import {
  createRemoteJWKSet,
  errors,
  jwtVerify,
  SignJWT,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose';

/** How operators' JWTs are checked: by a shared secret (HS256), or by the public keys of an identity provider. */
export type OperatorTokenSettings = (
  | { readonly secret: string; readonly jwksUrl?: undefined }
  | { readonly jwksUrl: URL; readonly secret?: undefined }
) & { readonly issuer?: string; readonly audience?: string };

const ROLE = 'operator';
const PUBLIC_KEY_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

export type VerifyOperatorToken = (token: string) => Promise<{ subject: string; expiresAt: Date }>;

/**
 * An operator's token carries `sub`, `exp` and the role: `role: "operator"`, or `roles` that contain it.
 * The returned function throws an error of jose's, or a plain one, for every token that doesn't.
 */
export function operatorTokens(settings: OperatorTokenSettings): VerifyOperatorToken {
  const verify = verifier(settings);
  return async (token) => {
    const { payload } = await verify(token);
    const roles = Array.isArray(payload.roles) ? payload.roles : [payload.role];
    if (!roles.includes(ROLE)) {
      throw new errors.JWTClaimValidationFailed(`the role is not ${ROLE}`, payload, 'role');
    }
    return { subject: payload.sub!, expiresAt: new Date(payload.exp! * 1_000) };
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
): Promise<string> {
  return new SignJWT({ role: ROLE })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(new Date(Date.now() + lifetimeMilliseconds))
    .sign(new TextEncoder().encode(secret));
}
