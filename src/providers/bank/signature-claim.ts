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
  const values = valuesOfHeader(headers, shape.header).filter((value) => value.trim() !== '');
  if (values.length === 0) return refusal('SIGNATURE_MISSING', `no ${shape.header}`);
  const signatures = values.flatMap((value) => signaturesIn(shape, value));
  if (signatures.length === 0) return refusal('SIGNATURE_INVALID', 'no signature in the agreed form');
  if (signatures.length > MOST_SIGNATURES) return refusal('SIGNATURE_INVALID', 'too many signatures');
  const { message } = shape;
  if (message.form === 'body') {
    return { verdict: 'claimed', beforeBody: '', timestampSeconds: undefined, signatures };
  }
  const timestamp = readTimestamp(message, values, headers);
  if (typeof timestamp !== 'string') return timestamp;
  const beforeBody = readBeforeBody(message, timestamp, headers);
  if (typeof beforeBody !== 'string') return beforeBody;
  return { verdict: 'claimed', beforeBody, timestampSeconds: Number(timestamp), signatures };
}

export function refusal(reason: Refusal['reason'], detail: string): Refusal {
  return { verdict: 'refused', reason, detail };
}

/** The digits as they were sent, because they were signed so. */
function readTimestamp(
  message: Exclude<SignedMessage, { form: 'body' }>,
  signatureValues: readonly string[],
  headers: NotificationHeaders,
): string | Refusal {
  const candidates =
    message.timestamp === 'INLINE'
      ? signatureValues.flatMap((value) =>
          [...value.matchAll(/(?:^|[,;\s])t=([^,;\s]*)/g)].map(([, t = '']) => t),
        )
      : valuesOfHeader(headers, message.timestamp.header).map((value) => value.trim());
  const timestamp = onlyValue(candidates, 'timestamp');
  if (typeof timestamp !== 'string') return timestamp;
  return /^\d{1,12}$/.test(timestamp)
    ? timestamp
    : refusal('SIGNATURE_INVALID', 'the timestamp is not Unix seconds');
}

function readBeforeBody(
  message: Exclude<SignedMessage, { form: 'body' }>,
  timestamp: string,
  headers: NotificationHeaders,
): string | Refusal {
  switch (message.form) {
    case 'ts.body':
      return `${timestamp}.`;
    case 'ts+body':
      return timestamp;
    case 'id.ts.body': {
      const id = onlyValue(valuesOfHeader(headers, message.id.header), message.id.header);
      return typeof id === 'string' ? `${id}.${timestamp}.` : id;
    }
  }
}

/** A run of what hex and base64 are written with, in either spelling of base64. */
const ENCODED = /[\w+/-]+={0,2}/g;

/**
 * All that may be a signature in a header, which may have several. What stands around them (`sha256=`, `v1,`, a space, a
 * quote) is worth nothing as a proof, so it is not asked for either. Only what has the very length of one counts.
 */
function signaturesIn({ algorithm, prefix, encoding }: SignatureShape, header: string): Buffer[] {
  const bytes = SIGNATURE_BYTES[algorithm ?? DEFAULT_ALGORITHM];
  // With a prefix that could itself be a part of what follows it ("sha256-"), a run would be too long.
  const texts = prefix.trim() === '' ? [header] : [header, ...header.split(prefix.trim())];
  const runs = new Set(texts.flatMap((text) => text.match(ENCODED) ?? []));
  const decoded = [...runs].map((run) => (encoding === 'hex' ? fromHex(run, bytes) : fromBase64(run, bytes)));
  return decoded.filter((signature) => signature !== undefined);
}

function fromHex(written: string, bytes: number): Buffer | undefined {
  return written.length === 2 * bytes && /^[0-9a-f]+$/i.test(written)
    ? Buffer.from(written, 'hex')
    : undefined;
}

/** Undefined also for bits behind the last byte: Buffer.from passes over them, and two texts would be one signature. */
function fromBase64(written: string, bytes: number): Buffer | undefined {
  const digits = written.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/');
  const decoded = Buffer.from(digits, 'base64');
  const isItsText = decoded.toString('base64').replace(/=+$/, '') === digits;
  return decoded.length === bytes && isItsText ? decoded : undefined;
}

/** The same value twice is one: a proxy may repeat a header. */
function onlyValue(values: readonly string[], what: string): string | Refusal {
  const [value, ...others] = new Set(values);
  if (value === undefined || value === '') return refusal('SIGNATURE_MISSING', `no ${what}`);
  return others.length === 0 ? value : refusal('SIGNATURE_INVALID', `more than one ${what}`);
}

/** However the names are spelled. Node joins a repeated header with commas, which no single value survives. */
export function valuesOfHeader(headers: NotificationHeaders, name: string): string[] {
  return Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .flatMap(([, value]) => value ?? []);
}
