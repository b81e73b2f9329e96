import { createHash } from 'node:crypto';
import { hasOnlyPlainCharacters, LONGEST_TEXT, textAt, valueAt } from '../json-document.js';

const DIGEST = 'sha256:';

/** An id that the bank gave: a text, or a whole number as many banks count, which becomes its digits. */
export function identifierAt(document: unknown, path: string): string | undefined {
  const value = valueAt(document, path);
  // Beyond the safe integers two ids would become one; a number of more digits has been read as a text.
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? String(value) : undefined;
  return textAt(document, path);
}

/**
 * The same, for an id that is compared, and sent to the bank only where it is not a digest: one that is too long to be stored is its digest
 * instead, which tells it from others as well.
 */
export function comparableIdAt(document: unknown, path: string): string | undefined {
  const value = valueAt(document, path);
  if (typeof value === 'string' && value.length > LONGEST_TEXT && hasOnlyPlainCharacters(value)) {
    return `${DIGEST}${createHash('sha256').update(value).digest('hex')}`;
  }
  return identifierAt(document, path);
}

/** Whether it stands for a longer id, so that the bank would not know it. */
export function isDigest(id: string): boolean {
  return id.startsWith(DIGEST);
}
