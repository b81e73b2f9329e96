import { createHmac, timingSafeEqual } from 'node:crypto';
import type { NotificationHeaders } from '../provider.js';
import { DEFAULT_ALGORITHM, type SignatureShape } from './notification-shape.js';
import { readClaim, refusal, type Refusal } from './signature-claim.js';

/**
 * Why these bytes are not proven to come from the bank; undefined when they are. Whoever made the signature knew one
 * of the secrets, and made it about when it arrived. The age is judged last, so that "too old" is only ever said of
 * what the bank really signed.
 */
export function refusalOfSignature(
  shape: SignatureShape,
  keys: readonly Buffer[],
  rawBody: Buffer,
  headers: NotificationHeaders,
  receivedAt: Date,
): Refusal | undefined {
  const claim = readClaim(shape, headers);
  if (claim.verdict === 'refused') return claim;
  const bodies = hasByteOrderMark(rawBody) ? [rawBody, rawBody.subarray(BYTE_ORDER_MARK.length)] : [rawBody];
  const expected = keys.flatMap((key) =>
    bodies.map((body) =>
      createHmac(shape.algorithm ?? DEFAULT_ALGORITHM, key)
        .update(claim.beforeBody)
        .update(body)
        .digest(),
    ),
  );
  const proven = claim.signatures.some((signature) =>
    expected.some((digest) => timingSafeEqual(signature, digest)),
  );
  if (!proven) return refusal('SIGNATURE_INVALID', 'no signature matches any secret');
  return refusalOfAge(shape, claim.timestampSeconds, receivedAt);
}

/** Some senders sign a text, and only then write it as bytes, with this before it. It means nothing. */
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

function hasByteOrderMark(body: Buffer): boolean {
  return body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
}

function refusalOfAge(
  { message }: SignatureShape,
  timestampSeconds: number | undefined,
  receivedAt: Date,
): Refusal | undefined {
  if (message.form === 'body' || timestampSeconds === undefined) return undefined;
  const ageSeconds = receivedAt.getTime() / 1000 - timestampSeconds;
  if (Math.abs(ageSeconds) <= message.toleranceSeconds) return undefined;
  const distance = Math.round(Math.abs(ageSeconds));
  return refusal(
    'TOO_OLD',
    ageSeconds > 0 ? `signed ${distance} s ago` : `signed ${distance} s in the future`,
  );
}
