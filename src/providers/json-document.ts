import { UNKNOWN_CHARACTER } from './written-text.js';

/** Longer texts are none of the identifiers, words and amounts that we read. */
export const LONGEST_TEXT = 500;

/** Undefined for what is no JSON. A number of more digits than a JavaScript number keeps is given as the text it is. */
export function parseJson(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    return LONG_NUMBER.test(text) ? (JSON.parse(withLongNumbersAsText(text)) as unknown) : json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const LONG_NUMBER = /[\d.]{16}/;

/** Of JSON that is known to be valid: each text, or each number outside of texts. */
const TEXT_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;

function withLongNumbersAsText(validJson: string): string {
  return validJson.replace(TEXT_OR_NUMBER, (token) =>
    token.startsWith('"') || !LONG_NUMBER.test(token) ? token : `"${token}"`,
  );
}

/** The value at a path of names joined by dots, in JSON of an unknown shape. */
export function valueAt(document: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    return (value as Record<string, unknown>)[name];
  }, document);
}

/** The text at a path, or undefined where there is none that could be stored as an identifier: empty, too long, or with control characters. */
export function textAt(document: unknown, path: string): string | undefined {
  const value = valueAt(document, path);
  return isPlainText(value) ? value : undefined;
}

/** A word, such as a status or a type: a text without the spaces around it, or a number as its digits. */
export function wordAt(document: unknown, path: string): string | undefined {
  const value = valueAt(document, path);
  const text = typeof value === 'number' ? String(value) : value;
  const word = typeof text === 'string' ? text.trim() : undefined;
  return isPlainText(word) ? word : undefined;
}

export function isPlainText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT && hasOnlyPlainCharacters(value);
}

/** No control characters, no half of a surrogate pair (no database stores it), nothing that could not be decoded. */
export function hasOnlyPlainCharacters(value: string): boolean {
  return /^[^\p{Cc}\p{Cs}]+$/u.test(value) && !value.includes(UNKNOWN_CHARACTER);
}
