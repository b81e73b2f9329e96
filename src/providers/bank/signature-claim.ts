import type { NotificationHeaders, ParsedNotification } from '../provider.js';
import { DEFAULT_ALGORITHM, type SignatureShape, type SignedMessage } from './notification-shape.js';

export type Refusal = Extract<ParsedNotification, { verdict: 'refused' }>;

/** What the headers of a notification claim. Nothing of it is proven yet. */
export interface SignatureClaim {
  readonly verdict: 'claimed';
  /** The part of the signed message that stands before the body. */
  readonly beforeBody: string;
  readonly timestampSeconds: number | undefined;
  readonly signatures: readonly Buffer[];
}

/** A sender signs with one secret, or with two during a rotation. More is somebody making us work. */
const MOST_SIGNATURES = 5;

const SIGNATURE_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;

export function readClaim(shape: SignatureShape, headers: NotificationHeaders): SignatureClaim | Refusal {
  const header = onlyValue(valuesOfHeader(headers, shape.header), shape.header);
  if (typeof header !== 'string') return header;
  const { message } = shape;
  const parts = message.form !== 'body' && message.timestamp === 'INLINE' ? header.split(',') : [header];
  const signatures = parts.map((part) => decodeSignature(shape, part)).filter((bytes) => bytes !== undefined);
  if (signatures.length === 0) return refusal('SIGNATURE_INVALID', 'no signature in the agreed form');
  if (signatures.length > MOST_SIGNATURES) return refusal('SIGNATURE_INVALID', 'too many signatures');
  if (message.form === 'body') {
    return { verdict: 'claimed', beforeBody: '', timestampSeconds: undefined, signatures };
  }
  const timestamp = readTimestamp(message, parts, headers);
  if (typeof timestamp !== 'string') return timestamp;
  const beforeBody = message.form === 'ts.body' ? `${timestamp}.` : timestamp;
  return { verdict: 'claimed', beforeBody, timestampSeconds: Number(timestamp), signatures };
}

export function refusal(reason: Refusal['reason'], detail: string): Refusal {
  return { verdict: 'refused', reason, detail };
}

/** The digits as they were sent, because they were signed so. */
function readTimestamp(
  message: Exclude<SignedMessage, { form: 'body' }>,
  signatureParts: readonly string[],
  headers: NotificationHeaders,
): string | Refusal {
  const candidates =
    message.timestamp === 'INLINE'
      ? signatureParts.map((part) => part.trim()).filter((part) => part.startsWith('t='))
      : valuesOfHeader(headers, message.timestamp.header);
  const candidate = onlyValue(candidates, 'timestamp');
  if (typeof candidate !== 'string') return candidate;
  const digits = message.timestamp === 'INLINE' ? candidate.slice('t='.length) : candidate;
  return /^\d{1,12}$/.test(digits)
    ? digits
    : refusal('SIGNATURE_INVALID', 'the timestamp is not Unix seconds');
}

/** The bytes, or undefined for anything but their one canonical spelling. */
function decodeSignature({ algorithm, prefix, encoding }: SignatureShape, part: string): Buffer | undefined {
  const text = part.trim();
  if (!text.startsWith(prefix)) return undefined;
  const encoded = text.slice(prefix.length);
  // Buffer.from skips, or stops at, what it does not understand; encoding again shows whether it did.
  const decoded = Buffer.from(encoded, encoding);
  const hasItsLength = decoded.length === SIGNATURE_BYTES[algorithm ?? DEFAULT_ALGORITHM];
  return hasItsLength && decoded.toString(encoding) === encoded ? decoded : undefined;
}

function onlyValue(values: readonly string[], what: string): string | Refusal {
  const [value, ...others] = values;
  if (value === undefined || value === '') return refusal('SIGNATURE_MISSING', `no ${what}`);
  return others.length === 0 ? value : refusal('SIGNATURE_INVALID', `more than one ${what}`);
}

/** However the names are spelled. Node joins a repeated header with commas, which no single value survives. */
export function valuesOfHeader(headers: NotificationHeaders, name: string): string[] {
  return Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .flatMap(([, value]) => value ?? []);
}
