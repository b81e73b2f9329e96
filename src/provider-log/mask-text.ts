import { type Content, contentUnder } from './what-a-key-holds.js';

export const REMOVED = '[removed]';

/** A value of which its key has told what it is. */
export function maskValue(value: string, content: Content): string {
  switch (content) {
    case 'SECRET':
      return REMOVED;
    case 'ACCOUNT':
      return `••••${value.length > 8 ? value.slice(-4) : ''}`;
    case 'NAME':
      return value.replace(/[^\s-]+/gu, (word) => `${firstLetter(word)}.`);
    case 'PHONE':
      return maskText(hideDigits(value));
    case 'PERSON':
      return maskPerson(value);
    case 'OPEN':
      return maskText(value);
    default:
      return content satisfies never;
  }
}

/** Two words with capitals, or more. */
const FULL_NAME = /^\p{Lu}[\p{L}.'’-]*(?: \p{Lu}[\p{L}.'’-]*)+$/u;

function maskPerson(value: string): string {
  if (FULL_NAME.test(value)) return maskValue(value, 'NAME');
  return maskText(/^\+?\d{8,15}$/.test(value) ? hideDigits(value) : value);
}

/** A text of which nothing is known: what is secret or personal by its form, or by a key that stands before it in the text. */
export function maskText(text: string): string {
  if (!MAY_HOLD_SOMETHING.test(text)) return text;
  return maskForms(maskLinks(unescape(text)));
}

/** The address of a call, which says what was asked for: its path stays. */
export function maskAddress(url: string): string {
  return maskForms(url);
}

function maskForms(text: string): string {
  return maskPhoneNumbers(maskCards(maskEmails(maskSecretForms(maskPairs(text)))));
}

/** Also in JSON that was broken off, where slashes may be escaped. */
const LINK = /\bhttps?:(?:\\?\/){2}(?:[^\s/"'<>\\?#@]*@)?([^\s/"'<>\\?#@]+)(?:(?:\\?\/)|[?#])[^\s"'<>]+/gi;

/** What a provider's error points to for its meaning. */
const DOCUMENTATION = /^https?:\/\/(?:docs\.|[\w.-]+\/docs\/)/i;

/**
 * Who follows a link to pay, to a receipt or back to the shop acts as the payer or sees what is theirs, and nothing in its
 * form tells such a link from another.
 */
function maskLinks(text: string): string {
  if (!/https?:/i.test(text)) return text;
  return text.replace(LINK, (link, host: string) =>
    DOCUMENTATION.test(link) ? link : `${link.slice(0, link.indexOf(':'))}://${host}/${REMOVED}`,
  );
}

/** Most texts are a word of the provider's, and are done with here. */
const MAY_HOLD_SOMETHING =
  /[\d@=:%\\]|_secret_|(?:sk|rk|whsec|private|public|master)_|bearer|basic|eyJ|BEGIN/i;

/** In JSON that was broken off, an escaped character can touch a number, and be taken for a part of it. */
function unescape(text: string): string {
  return text.replace(/\\u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

const PAIR_KEY = /([\w.%[\]-]{1,64})\\*["']?\s*[:=]\s*\\*/g;
/** One that begins as an object or a list ends nobody knows where. */
const PAIR_VALUE = /[{[][^]*|"(?:[^"\\]|\\.)*"?|'[^']*'?|[+\d][\d .()-]{6,}|[^\s"'&,;<>]+/y;

/** `key=value` and `"key": "value"` in a URL, in a sentence, in JSON that was broken off. */
function maskPairs(text: string): string {
  // Most have none, and to look for a key at each letter takes long.
  if (!/[:=]/.test(text)) return text;
  let masked = '';
  let done = 0;
  PAIR_KEY.lastIndex = 0;
  for (let found = PAIR_KEY.exec(text); found; found = PAIR_KEY.exec(text)) {
    const content = contentUnder(found[1]!, { around: 'OPEN', tokensAreReferences: false });
    if (content === 'OPEN' || content === 'PERSON') continue;
    PAIR_VALUE.lastIndex = PAIR_KEY.lastIndex;
    const [value] = PAIR_VALUE.exec(text) ?? [];
    if (value === undefined) continue;
    masked += text.slice(done, PAIR_KEY.lastIndex) + maskQuoted(value, content);
    done = PAIR_KEY.lastIndex += value.length;
  }
  return masked + text.slice(done);
}

function maskQuoted(value: string, content: Content): string {
  if (/^[{[]/.test(value)) return REMOVED;
  const [, quote, inside, end] = /^(["']?)(.*?)(["']?)$/s.exec(value)!;
  // Not maskValue's way for phones, which would come back here.
  const masked = content === 'PHONE' ? hideDigits(inside!) : maskValue(inside!, content);
  return `${quote}${masked}${end}`;
}

const SECRET_FORMS: readonly (readonly [RegExp, string])[] = [
  // A client secret of Stripe's.
  [/_secret_[\w-]+/g, `_secret_${REMOVED}`],
  // Keys of Stripe's and PayDunya's.
  [/\b(sk|rk|whsec)_[\w*-]{6,}/g, `$1_${REMOVED}`],
  [/\b(test|live)_(private|public|master)_[\w-]+/g, `$1_$2_${REMOVED}`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REMOVED}`],
  // A JWT.
  [/\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*/g, REMOVED],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g, REMOVED],
  // Name and password in a URL.
  [/:\/\/[^\s/@?#]+@/g, `://${REMOVED}@`],
];

function maskSecretForms(text: string): string {
  return SECRET_FORMS.reduce((masked, [form, instead]) => masked.replace(form, instead), text);
}

const EMAIL = /([^\s@<>"'(),:;&=?/\\[\]]{1,254})(@|%40)(?=[\p{L}\d])/gu;

function maskEmails(text: string): string {
  if (!/@|%40/.test(text)) return text;
  return text.replace(EMAIL, (_, name: string, at: string) => `${firstLetter(name)}•••${at}`);
}

/** A run of digits and single groups of them, or a UUID, which is the id of something and no card. */
const UUID_OR_DIGITS = /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b|\d(?:[ \u00a0\u2013-]{0,2}\d){12,}/gi;

function maskCards(text: string): string {
  return text.replace(UUID_OR_DIGITS, (run) =>
    /[a-f]|^.{8}-.{4}-.{4}-.{4}-.{12}$/i.test(run) ? run : maskCardsIn(run),
  );
}

/** All but the last four digits of every stretch of whole groups that could be a card's number. */
function maskCardsIn(run: string): string {
  const groups = [...run.matchAll(/\d+/g)];
  const characters = [...run];
  groups.forEach((first, from) => {
    let digits = '';
    for (const group of groups.slice(from, from + LONGEST_CARD)) {
      digits += group[0];
      if (digits.length > LONGEST_CARD) break;
      if (isCardNumber(digits)) hide(characters, first.index, group.index + group[0].length);
    }
  });
  return characters.join('');
}

const LONGEST_CARD = 19;

/** No card that is taken here begins with 0 or 1; times in milliseconds, of as many digits, begin with 1. */
function isCardNumber(digits: string): boolean {
  return /^[2-9]\d{12,18}$/.test(digits) && passesLuhn(digits);
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = digit * 2;
    sum += place % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function hide(characters: string[], start: number, end: number): void {
  let kept = 4;
  for (let index = end - 1; index >= start; index -= 1) {
    if (!/[\d•]/.test(characters[index]!)) continue;
    if (kept > 0) kept -= 1;
    else characters[index] = '•';
  }
}

/** E.164 with its plus, however it is grouped. */
const INTERNATIONAL = /\+\d(?:[ .()-]{0,2}\d){7,14}/g;

/** In a sentence, so many digits that stand by themselves are a phone number, unless they count a currency. */
const IN_SENTENCE = /(?<![\w.-])\d{8,15}(?![\w-]|\.\d| ?(?:XOF|XAF|FCFA|CFA|EUR|USD|CDF)\b)/g;

function maskPhoneNumbers(text: string): string {
  const masked = text.replace(INTERNATIONAL, hideDigits);
  return /\p{L}\s|\s\p{L}/u.test(masked) ? masked.replace(IN_SENTENCE, hideDigits) : masked;
}

/** All digits but the last three. */
function hideDigits(text: string): string {
  return text.replace(/\d(?=(?:\D{0,8}\d){3})/g, '•');
}

function firstLetter(word: string): string {
  return String.fromCodePoint(word.codePointAt(0)!);
}
