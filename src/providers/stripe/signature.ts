import Stripe from 'stripe';
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

/** For the SDK: check the signature alone. It would check the age too, but only say in words which of the two failed. */
const AGE_IS_CHECKED_HERE = 0;

/**
 * Whether Stripe signed exactly these bytes lately, with any of the secrets (there are two while one is being rolled).
 * The signature is checked by the SDK; its age by us, in both directions.
 */
export function verifySignature(
  body: string,
  headers: NotificationHeaders,
  receivedAt: Date,
  secrets: readonly string[],
): SignatureVerdict {
  const given = headers['stripe-signature'];
  if (given === undefined || given === '') return refused('SIGNATURE_MISSING', 'no Stripe-Signature header');
  if (typeof given !== 'string') return refused('SIGNATURE_INVALID', 'several Stripe-Signature headers');
  // Spaces and capitals that a proxy may have made of it: the SDK reads it by the letter.
  const header = given.replace(/\s/g, '').toLowerCase();
  const signedAt = signedAtSeconds(header);
  if (signedAt === undefined) return refused('SIGNATURE_INVALID', 'no time, or several, in Stripe-Signature');
  if (!secrets.some((secret) => isSignedWith(secret, body, header))) {
    return refused('SIGNATURE_INVALID', 'no signature matches the body under any of our secrets');
  }
  const age = Math.floor(receivedAt.getTime() / 1000) - signedAt;
  if (age > TOLERANCE_SECONDS) return refused('TOO_OLD', `signed ${age} seconds ago`);
  if (age < -TOLERANCE_SECONDS) return refused('SIGNATURE_INVALID', `signed ${-age} seconds in the future`);
  return { genuine: true };
}

/**
 * The one time in the header. The SDK signs with the last of several and reads "123abc" as 123: were we to read another
 * one than it does, an old notification could be sent again under a new time.
 */
function signedAtSeconds(header: string): number | undefined {
  const times = header.split(',').filter((part) => part.startsWith('t='));
  const [, digits] = /^t=(\d{1,12})$/.exec(times[0] ?? '') ?? [];
  return times.length === 1 && digits !== undefined ? Number(digits) : undefined;
}

function isSignedWith(secret: string, body: string, header: string): boolean {
  // The SDK takes an empty string for a forgotten argument, and empty bytes for an empty body.
  const payload = body === '' ? new Uint8Array() : body;
  try {
    return signatureOfSdk.verifyHeader(payload, header, secret, AGE_IS_CHECKED_HERE);
  } catch {
    // Whatever the SDK objects to, a wrong signature or a header that it can't read: not signed with this secret.
    return false;
  }
}

const signatureOfSdk = requireSignature(Stripe.webhooks.signature);

function requireSignature(signature: typeof Stripe.webhooks.signature) {
  if (!signature) throw new Error('this build of the Stripe SDK cannot verify signatures');
  return signature;
}

function refused(
  reason: 'SIGNATURE_MISSING' | 'SIGNATURE_INVALID' | 'TOO_OLD',
  detail: string,
): SignatureVerdict {
  return { genuine: false, reason, detail };
}
