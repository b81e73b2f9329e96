/** Longer texts are none of the identifiers, words and amounts that we read. */
const LONGEST_TEXT = 255;

/** Undefined for bytes that are not JSON in UTF-8. */
export function parseUtf8Json(rawBody: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody));
  } catch {
    // A TypeError of the decoder or a SyntaxError of the parser: nothing else is thrown by these two.
    return undefined;
  }
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

export function isPlainText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT && /^\P{Cc}+$/u.test(value);
}
