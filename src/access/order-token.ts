import { hkdfSync, webcrypto } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';

/** What tells an order token from every other JWT. */
export const ORDER_TOKEN_ISSUER = 'quittance';
const ORDER_TOKEN_AUDIENCE = 'quittance:order';
const ALGORITHM = 'HS256';

/** Signs and checks the tokens with which a payer opens one order, and nothing else. */
export class OrderTokens {
  /** Imported once: to import it for each token costs as much as the check itself. */
  private readonly key: Promise<webcrypto.CryptoKey>;

  /** @param secret the installation's secret; the key is derived from it for this one purpose. */
  constructor(
    secret: string,
    private readonly lifetimeMilliseconds: number,
  ) {
    const key = new Uint8Array(hkdfSync('sha256', secret, 'quittance', 'order token', 32));
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    this.key = webcrypto.subtle.importKey('raw', key, algorithm, false, ['sign', 'verify']);
  }

  async sign(orderReference: string, now: Date = new Date()): Promise<string> {
    return new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ORDER_TOKEN_ISSUER)
      .setAudience(ORDER_TOKEN_AUDIENCE)
      .setSubject(orderReference)
      .setIssuedAt(now)
      .setExpirationTime(new Date(now.getTime() + this.lifetimeMilliseconds))
      .sign(await this.key);
  }

  /** @throws an error of jose's when it is not a valid order token of ours. */
  async verify(token: string): Promise<{ orderReference: string; expiresAt: Date }> {
    const { payload } = await jwtVerify(token, await this.key, {
      algorithms: [ALGORITHM],
      issuer: ORDER_TOKEN_ISSUER,
      audience: ORDER_TOKEN_AUDIENCE,
      requiredClaims: ['sub', 'exp'],
    });
    return { orderReference: payload.sub!, expiresAt: new Date(payload.exp! * 1_000) };
  }
}
