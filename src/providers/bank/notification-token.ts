import { createHash, timingSafeEqual } from 'node:crypto';
import type { NotificationHeaders } from '../provider.js';
import type { TokenShape } from './notification-shape.js';
import { type Refusal, refusal, valuesOfHeader } from './signature-claim.js';

/** Why a notification does not carry the agreed token; undefined when it does. */
export function refusalOfToken(
  { header, prefix }: TokenShape,
  tokens: readonly Buffer[],
  headers: NotificationHeaders,
): Refusal | undefined {
  const values = valuesOfHeader(headers, header).map((value) => value.trim());
  if (!values.some((value) => value !== '')) return refusal('SIGNATURE_MISSING', `no ${header}`);
  const given = values.map((value) => digestOf(Buffer.from(withoutPrefix(value, prefix))));
  const isKnown = tokens
    .map(digestOf)
    .some((token) => given.some((digest) => timingSafeEqual(digest, token)));
  return isKnown ? undefined : refusal('SIGNATURE_INVALID', `${header} has another token`);
}

function withoutPrefix(value: string, prefix: string): string {
  const mark = prefix.trim();
  const hasIt = value.slice(0, mark.length).toLowerCase() === mark.toLowerCase();
  return hasIt ? value.slice(mark.length).trim() : value;
}

/** All of one length, so that the time of comparing says nothing of how long the token is. */
function digestOf(token: Buffer): Buffer {
  return createHash('sha256').update(token).digest();
}
