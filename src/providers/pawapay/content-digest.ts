import { createHash, timingSafeEqual } from 'node:crypto';
import { parseStructured } from './signature-claim.js';

const ALGORITHMS = new Map([
  ['sha-512', 'sha512'],
  ['sha-256', 'sha256'],
]);

/** Whether the header (RFC 9530) is about exactly these bytes: it holds at least one digest that we can make, and all such are right. */
export function digestMatches(header: string, rawBody: Buffer): boolean {
  // Names of digests are in lower case, and not everybody knows.
  const inLowerCase = header.replace(/\bSHA-(?:256|512)(?==:)/g, (name) => name.toLowerCase());
  const claimed = [...(parseStructured(inLowerCase) ?? [])].filter(([name]) => ALGORITHMS.has(name));
  return claimed.length > 0 && claimed.every(([name, [digest]]) => isDigest(digest, name, rawBody));
}

function isDigest(claimed: unknown, name: string, rawBody: Buffer): boolean {
  const algorithm = ALGORITHMS.get(name);
  if (algorithm === undefined || !(claimed instanceof ArrayBuffer)) return false;
  const expected = createHash(algorithm).update(rawBody).digest();
  const actual = Buffer.from(claimed);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
