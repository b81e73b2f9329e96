import type { ProofShape } from './notification-shape.js';

/** A key of fewer bytes could be guessed. */
const FEWEST_BYTES = 16;

/**
 * The bytes of a webhook secret as it is configured: its text, or what stands behind `hex:` or `base64:`. Behind `text:` a
 * secret may begin with anything. Keys of Standard Webhooks are base64, with or without `whsec_`.
 * @throws {RangeError} in words that don't repeat the secret.
 */
export function readWebhookKey(secret: string, proof: ProofShape): Buffer {
  if (proof.scheme === 'TOKEN') return Buffer.from(secret);
  const [, form, written = ''] = /^(text|hex|base64):(.*)$/s.exec(secret) ?? [];
  if (form === 'text') return Buffer.from(written);
  if (form === 'hex') return longEnough(fromHex(written));
  if (form === 'base64') return longEnough(fromBase64(written, 'a key behind base64: that is not base64'));
  if (proof.message.form !== 'id.ts.body') return Buffer.from(secret);
  const problem =
    'a key that is not base64, as those of Standard Webhooks are (text: before it makes it a text)';
  return longEnough(fromBase64(secret.replace(/^whsec_/, ''), problem));
}

function fromHex(written: string): Buffer {
  if (!/^(?:[0-9a-f]{2})+$/i.test(written)) throw new RangeError('has a key behind hex: that is not hex');
  return Buffer.from(written, 'hex');
}

function fromBase64(written: string, problem: string): Buffer {
  if (!/^[\w+/-]+={0,2}$/.test(written)) throw new RangeError(`has ${problem}`);
  return Buffer.from(written, 'base64');
}

function longEnough(key: Buffer): Buffer {
  if (key.length >= FEWEST_BYTES) return key;
  throw new RangeError(`has a key of ${key.length} bytes; there must be at least ${FEWEST_BYTES}`);
}
