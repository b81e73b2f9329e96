/** What stands in a decoded text for a byte that no encoding explains. No identifier, word or amount may contain it. */
export const UNKNOWN_CHARACTER = '\ufffd';

/** Some senders put a byte order mark before what they send. It means nothing, and no parser takes it. */
export function withoutByteOrderMark(text: string): string {
  return text.replace(/^\ufeff/, '');
}

/**
 * The text of a body, in whichever encoding it was sent: UTF-16 (by its byte order mark, or by the NUL that every JSON
 * in it has among its first two bytes), else UTF-8, else the charset that its Content-Type names. Where none of these
 * fits, what is ASCII is kept, for all encodings in use agree on it, and the rest becomes `UNKNOWN_CHARACTER`.
 */
export function decodeText(bytes: Uint8Array, contentType: string | undefined): string {
  return (
    (utf16LabelOf(bytes) && decode(bytes, utf16LabelOf(bytes))) ??
    decode(bytes, 'utf-8') ??
    decode(bytes, charsetOf(contentType)) ??
    Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\x80-\xff]/g, UNKNOWN_CHARACTER)
  );
}

function utf16LabelOf([first, second]: Uint8Array): string | undefined {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== undefined && second !== 0)) {
    return 'utf-16be';
  }
  return undefined;
}

/** `application/json; charset="ISO-8859-1"` → `ISO-8859-1`. */
function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType ?? '')?.[1];
}

/** Bytes that are not of the encoding, and an encoding that nobody knows. */
const NOT_DECODABLE: ReadonlySet<string | undefined> = new Set([
  'ERR_ENCODING_INVALID_ENCODED_DATA',
  'ERR_ENCODING_NOT_SUPPORTED',
]);

function decode(bytes: Uint8Array, label: string | undefined): string | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (error) {
    if (NOT_DECODABLE.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}

/** In one form, however it was typed: `" Booked "` and `BOOKED` are the same word. */
export function normalisedWord(word: string): string {
  return word.trim().replace(/\s+/g, ' ').toUpperCase();
}

export function isSameWord(one: string | undefined, other: string): boolean {
  return one !== undefined && normalisedWord(one) === normalisedWord(other);
}

/**
 * What a provider's word means: by its exact spelling, else in any case and with any spaces around it, where all words
 * that are then the same mean the same. Undefined for a word that isn't known, or that could mean two things.
 */
export function meaningOfWord<Meaning>(
  word: string,
  words: Readonly<Record<string, Meaning>>,
): Meaning | undefined {
  // `hasOwn`, because a word of "constructor" must not find what every object inherits.
  if (Object.hasOwn(words, word)) return words[word];
  const wanted = normalisedWord(word);
  const meanings = Object.entries(words)
    .filter(([known]) => normalisedWord(known) === wanted)
    .map(([, meaning]) => meaning);
  return new Set(meanings).size === 1 ? meanings[0] : undefined;
}
