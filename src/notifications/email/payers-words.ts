/** No line break, no control character, and nothing that turns the direction of the text around it. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const LONGEST_NAME = 40;
const MOST_WORDS = 4;

/** Scripts with capitals: their letters have a case, and what has none (ꞏ, ǃ) is no letter of a name. */
const WITH_CAPITALS = ['Latin', 'Greek', 'Cyrillic', 'Armenian'].map(
  (script) => new RegExp(`^(?:(?=\\p{Script=${script}})[\\p{Lu}\\p{Ll}\\p{Lt}]\\p{M}{0,2})+$`, 'u'),
);

/** Japanese writes with three. */
const WITHOUT_CAPITALS = [
  'Arabic',
  'Hebrew',
  'Ethiopic',
  'Nko',
  'Tifinagh',
  'Vai',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
  'Thai',
  'Lao',
  'Khmer',
  'Myanmar',
  'Georgian',
  'Hangul',
  'Han}\\p{Script=Hiragana}\\p{Script=Katakana',
].map((scripts) => new RegExp(`^(?:[\\p{Script=${scripts}}]\\p{M}{0,3})+$`, 'u'));

/** Words of names that begin small. */
const PARTICLES = new Set(
  'al ap af av ben bin bint da das de degli dei del della den der des di do dos du e el ibn la le les las los of ould st ter the van vom von y zu zum zur'.split(
    ' ',
  ),
);

/** What stands between the words of a name; a full stop behind a title or an initial. */
const BETWEEN_WORDS = /[ '’.-]+/;
const SEPARATED = /^(?!.*[ '’.-]{3})(?!.*(?:''|’’|--|\.\.))[^'’.-][^]*$/u;

/**
 * Anybody can make an order in anybody's name and have us write to them, so a "name" may be a message with a link. No list
 * of what links look like is ever whole: what is greeted has the form of a name, and nothing else. A few words, in one
 * script, that begin with capitals where there are any; without digits, and with a space behind each full stop, which no
 * mail program makes a link of ("Mme.Koné" is greeted as "Mme. Koné").
 * @returns null: they are greeted without a name.
 */
export function nameToGreet(name: string | null): string | null {
  const plain = oneLine((name ?? '').normalize('NFC'));
  if (plain === '' || plain.length > LONGEST_NAME || !SEPARATED.test(plain)) return null;
  const words = plain.split(BETWEEN_WORDS).filter((word) => word !== '');
  if (plain.split(/[ .]+/).filter((word) => word !== '').length > MOST_WORDS) return null;
  if (!isInOneScript(words.join('')) || !words.every(beginsAsAName)) return null;
  return plain.replace(/\.(?=[^ ])/g, '. ');
}

function isInOneScript(letters: string): boolean {
  return [...WITH_CAPITALS, ...WITHOUT_CAPITALS].some((form) => form.test(letters));
}

function beginsAsAName(word: string): boolean {
  // d'Artagnan, O'Brien, N'Guessan: what stands in front of an apostrophe is a letter.
  return !/^\p{Ll}/u.test(word) || word.length === 1 || PARTICLES.has(word);
}
