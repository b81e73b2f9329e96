/** No line break, no control character, and nothing that turns the direction of the text around it. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const LONGEST_NAME = 80;

/** `https://…`, `www.…`, `evil.example`, `somebody@…`: what mail programs make a link of. */
const LOOKS_LIKE_A_LINK = /[/\\@:]|\bwww\.|\p{L}{2,}\.\p{L}{2,}/iu;

/**
 * Anybody can make an order in anybody's name and have us write to them: a "name" that is really a message with a link
 * must not be read out. Null: they are greeted without one.
 */
export function nameToGreet(name: string | null): string | null {
  const plain = oneLine(name ?? '');
  const isName = plain !== '' && plain.length <= LONGEST_NAME && !LOOKS_LIKE_A_LINK.test(plain);
  return isName ? plain : null;
}
