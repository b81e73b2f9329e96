import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { NextAction } from '../providers/provider.js';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * What a payer does next can hold a client secret, with which anybody could act on the payment. A copy of the database
 * must not be enough to do so: it is stored encrypted, bound to its attempt.
 */
export class NextActionSeal {
  private readonly key: Buffer;

  /** @param secret the installation's secret; the key is derived from it for this one purpose. */
  constructor(secret: string) {
    this.key = Buffer.from(hkdfSync('sha256', secret, 'quittance', 'next action seal', 32));
  }

  seal(nextAction: NextAction, attemptId: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce).setAAD(Buffer.from(attemptId));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(nextAction), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** @throws when it was sealed with another secret or for another attempt, or was altered. */
  open(sealedText: string, attemptId: string): NextAction {
    const bytes = Buffer.from(sealedText, 'base64url');
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv(ALGORITHM, this.key, nonce)
      .setAAD(Buffer.from(attemptId))
      .setAuthTag(tag);
    const opened = Buffer.concat([
      decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
      decipher.final(),
    ]);
    return JSON.parse(opened.toString('utf8')) as NextAction;
  }
}
