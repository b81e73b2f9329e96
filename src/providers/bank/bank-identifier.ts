import { textAt, valueAt } from '../json-document.js';

/** An id that the bank gave: a text, or a whole number as many banks count, which becomes its digits. */
export function identifierAt(document: unknown, path: string): string | undefined {
  const value = valueAt(document, path);
  // Beyond the safe integers two ids would become one.
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? String(value) : undefined;
  return textAt(document, path);
}
