import { hkdfSync, webcrypto } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { ORDER_TOKEN_ISSUER } from './order-token.js';

export const CUSTOMER_TOKEN_AUDIENCE = 'quittance:customer';
const ALGORITHM = 'HS256';

/** Signs and checks the tokens with which a customer sees and changes their own saved ways to pay, and nothing else. */
export class CustomerTokens {
  private readonly key: Promise<webcrypto.CryptoKey>;

  /** @param secret the installation's secret; the key is derived from it for this one purpose. */
  constructor(
    secret: string,
    private readonly lifetimeMilliseconds: number,
  ) {
    const key = new Uint8Array(hkdfSync('sha256', secret, 'quittance', 'customer token', 32));
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    this.key = webcrypto.subtle.importKey('raw', key, algorithm, false, ['sign', 'verify']);
  }

  async sign(customerReference: string, now: Date = new Date()): Promise<string> {
    return new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ORDER_TOKEN_ISSUER)
      .setAudience(CUSTOMER_TOKEN_AUDIENCE)
      .setSubject(customerReference)
      .setIssuedAt(now)
      .setExpirationTime(new Date(now.getTime() + this.lifetimeMilliseconds))
      .sign(await this.key);
  }

  /** @throws an error of jose's when it is not a valid customer token of ours. */
  async verify(token: string): Promise<{ customerReference: string; expiresAt: Date }> {
    const { payload } = await jwtVerify(token, await this.key, {
      algorithms: [ALGORITHM],
      issuer: ORDER_TOKEN_ISSUER,
      audience: CUSTOMER_TOKEN_AUDIENCE,
      requiredClaims: ['sub', 'exp'],
    });
    return { customerReference: payload.sub!, expiresAt: new Date(payload.exp! * 1_000) };
  }
}
