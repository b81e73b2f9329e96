import { type NotificationHeaders, ProviderFailure, type WebhookProof } from '../provider.js';
import { digestMatches } from './content-digest.js';
import { hasHeader, headerOf, type Refusal, refusal } from './notification-headers.js';
import type { PawaPayAccount } from './pawapay-options.js';
import { findPublicKey, type PublicKeys } from './public-keys.js';
import { algorithmOf } from './signature-algorithms.js';
import { readClaim, type SignatureClaim } from './signature-claim.js';

/** Between pawaPay's clock and ours. */
const CLOCK_SKEW_SECONDS = 60;

/**
 * How far a callback is proven to come from pawaPay (RFC 9421, with the body's digest by RFC 9530). Without a signature it
 * is a hint, unless signatures are required; with one it is SIGNED or refused, and a hint only when pawaPay's key could
 * not be had, so that nobody is served by sending a wrong one.
 */
export async function proofOfNotification(
  account: PawaPayAccount,
  keys: PublicKeys,
  rawBody: Buffer,
  headers: NotificationHeaders,
  receivedAt: Date,
): Promise<WebhookProof | Refusal> {
  if (!hasHeader(headers, 'signature') && !hasHeader(headers, 'signature-input')) {
    return account.requireSignatures ? refusal('SIGNATURE_MISSING', 'no signature') : 'NONE';
  }
  const claim = readClaim(headers);
  if (typeof claim === 'string') return invalid(claim);
  if (!digestMatches(headerOf(headers, 'content-digest') ?? '', rawBody)) {
    return invalid('the body is not the one that the digest was made of');
  }
  return refusalOfAge(claim, receivedAt) ?? (await proofOfClaim(account, keys, claim, headers));
}

async function proofOfClaim(
  account: PawaPayAccount,
  keys: PublicKeys,
  claim: SignatureClaim,
  headers: NotificationHeaders,
): Promise<WebhookProof | Refusal> {
  const address = account.notificationUrl();
  // Like a key that can't be had: nothing can be proven, and nothing is.
  if (!address) return 'NONE';
  const base = signatureBase(claim, headers, address);
  if (base === undefined) return invalid('something is signed that did not come');
  const algorithm = algorithmOf(claim.algorithm);
  if (!algorithm) return invalid('an algorithm that pawaPay does not use');
  try {
    const key = await findPublicKey(keys, claim.keyId);
    if (!key) return invalid('a key that pawaPay does not have');
    if (!algorithm.takes(key)) return invalid('a key of another algorithm');
    return algorithm.verifies(base, key, claim.signature) ? 'SIGNED' : invalid('it is not of this key');
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    return account.requireSignatures ? invalid('the key could not be had from pawaPay') : 'NONE';
  }
}

function refusalOfAge(
  { createdSeconds, expiresSeconds }: SignatureClaim,
  receivedAt: Date,
): Refusal | undefined {
  const now = receivedAt.getTime() / 1000;
  if (createdSeconds > now + CLOCK_SKEW_SECONDS) return refusal('TOO_OLD', 'signed in the future');
  if (expiresSeconds < now - CLOCK_SKEW_SECONDS) return refusal('TOO_OLD', 'its signature has expired');
  return undefined;
}

/** The bytes that were signed; undefined when one of the components can't be told. */
function signatureBase(
  { components, parameters }: SignatureClaim,
  headers: NotificationHeaders,
  address: URL,
): Buffer | undefined {
  const lines: string[] = [];
  for (const name of components) {
    const value = name.startsWith('@') ? derivedComponent(name, address) : headerOf(headers, name);
    if (value === undefined) return undefined;
    lines.push(`"${name}": ${value}`);
  }
  lines.push(`"@signature-params": ${parameters}`);
  // A header's characters are its bytes.
  return Buffer.from(lines.join('\n'), 'latin1');
}

function derivedComponent(name: string, address: URL): string | undefined {
  switch (name) {
    case '@method':
      return 'POST';
    case '@authority':
      return address.host;
    case '@path':
      return address.pathname;
    default:
      return undefined;
  }
}

function invalid(detail: string): Refusal {
  return refusal('SIGNATURE_INVALID', detail);
}
