import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { BankDialect } from './dialect.js';

type Sign = BankDialect['sign'];

/** As https://www.standardwebhooks.com has it, by its own library. */
export const signByStandardWebhooks: Sign = ({ id, body }, secret, timestamp) => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': new Webhook(secret).sign(id, new Date(timestamp * 1_000), body),
});

/** No signature: a secret that never changes, in a header. */
export function sendToken(header: string, prefix = ''): Sign {
  return (_message, secret) => ({ [header]: `${prefix}${secret}` });
}

export interface BodySignature {
  readonly header: string;
  /** The key, made of the secret; the secret itself unless told. */
  readonly key?: (secret: string) => string | Buffer;
  /** How the HMAC's bytes are written, with all that stands around them. */
  readonly write: (digest: Buffer) => string;
  /** Whether a byte order mark stands in what is sent, and not in what is signed. */
  readonly withoutByteOrderMark?: boolean;
}

/** The SHA-256 HMAC of the body, and nothing else, is signed: what most gateways do, each in its own spelling. */
export function signBody({
  header,
  key = (secret) => secret,
  write,
  withoutByteOrderMark,
}: BodySignature): Sign {
  return ({ body }, secret) => {
    const signed = withoutByteOrderMark ? body.replace(/^\ufeff/, '') : body;
    return { [header]: write(createHmac('sha256', key(secret)).update(signed).digest()) };
  };
}
