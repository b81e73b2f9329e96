import { createHmac, timingSafeEqual } from 'node:crypto';
import type { NotificationHeaders } from '../provider.js';

export type SignatureVerdict =
  | { readonly genuine: true }
  | {
      readonly genuine: false;
      readonly reason: 'SIGNATURE_MISSING' | 'SIGNATURE_INVALID' | 'TOO_OLD';
      readonly detail: string;
    };

/** How far the time in the signature may be from ours, either way. Stripe's own default for the past. */
const TOLERANCE_SECONDS = 300;

/** Stripe sends one for each secret of an endpoint. */
const MOST_SIGNATURES = 10;

/**
 * Whether Stripe signed exactly these bytes lately, with any of the secrets (there are two while one is being rolled).
 * Its age counts in both directions. Not by the SDK, which compares the text that it makes of the bytes: bytes that are no
 * UTF-8, and a byte order mark, are lost in it. https://docs.stripe.com/webhooks#verify-manually
 */
export function verifySignature(
  body: Buffer,
  headers: NotificationHeaders,
  receivedAt: Date,
  secrets: readonly string[],
): SignatureVerdict {
  const given = headers['stripe-signature'];
  if (given === undefined || given === '') return refused('SIGNATURE_MISSING', 'no Stripe-Signature header');
  if (typeof given !== 'string') return refused('SIGNATURE_INVALID', 'several Stripe-Signature headers');
  // Spaces and capitals that a proxy may have made of it.
  const header = given.replace(/\s/g, '').toLowerCase();
  const signedAt = signedAtSeconds(header);
  if (signedAt === undefined) return refused('SIGNATURE_INVALID', 'no time, or several, in Stripe-Signature');
  const signatures = signaturesIn(header);
  if (!secrets.some((secret) => isSignedWith(secret, signedAt, body, signatures))) {
    return refused('SIGNATURE_INVALID', 'no signature matches the body under any of our secrets');
  }
  const age = Math.floor(receivedAt.getTime() / 1000) - signedAt;
  if (age > TOLERANCE_SECONDS) return refused('TOO_OLD', `signed ${age} seconds ago`);
  if (age < -TOLERANCE_SECONDS) return refused('SIGNATURE_INVALID', `signed ${-age} seconds in the future`);
  return { genuine: true };
}

/** The one time in the header, which the signature covers: of several, nobody knows which one was meant. */
function signedAtSeconds(header: string): number | undefined {
  const times = header.split(',').filter((part) => part.startsWith('t='));
  const [, digits] = /^t=(\d{1,12})$/.exec(times[0] ?? '') ?? [];
  return times.length === 1 && digits !== undefined ? Number(digits) : undefined;
}

/** Of the one scheme that is no leftover, and of several as there are while a secret is being rolled. */
function signaturesIn(header: string): Buffer[] {
  return header
    .split(',')
    .filter((part) => /^v1=[\da-f]{64}$/.test(part))
    .slice(0, MOST_SIGNATURES)
    .map((part) => Buffer.from(part.slice('v1='.length), 'hex'));
}

function isSignedWith(
  secret: string,
  signedAtSeconds: number,
  body: Buffer,
  signatures: readonly Buffer[],
): boolean {
  const expected = createHmac('sha256', secret).update(`${signedAtSeconds}.`).update(body).digest();
  return signatures.some((signature) => timingSafeEqual(signature, expected));
}

function refused(
  reason: 'SIGNATURE_MISSING' | 'SIGNATURE_INVALID' | 'TOO_OLD',
  detail: string,
): SignatureVerdict {
  return { genuine: false, reason, detail };
}
