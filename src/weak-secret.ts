/** A random one of 32 hex digits, the shortest that is taken, has about 115. */
const FEWEST_BITS = 90;

/** Words of examples and of people in a hurry. What is left without them must be a secret by itself. */
const KNOWN_WORDS =
  /change[-_ ]?me|example|secret|password|passw0rd|quittance|default|dummy|sample|placeholder|letmein|qwerty|admin|test|todo|xxx+|foo|bar|baz/gi;

/** Why a secret is none; null for one that could be random. What it says never repeats the secret. */
export function whyWeak(secret: string): string | null {
  if (/change[-_ ]?me|…|\.\.\./i.test(secret)) return 'is an example of the documentation';
  if (isRepetition(secret)) return 'repeats the same few characters';
  if (isSequence(secret)) return 'is a sequence';
  if (bitsOf(secret.replace(KNOWN_WORDS, '')) < FEWEST_BITS) return 'can be guessed';
  return null;
}

/** A short piece over and over. */
function isRepetition(text: string): boolean {
  for (let length = 1; length <= text.length / 2; length += 1) {
    if (text === text.slice(0, length).repeat(text.length).slice(0, text.length)) return true;
  }
  return false;
}

/** Most characters are the same as the one before them, or its neighbour in the alphabet. */
function isSequence(text: string): boolean {
  const steps = [...text]
    .slice(1)
    .map((character, index) => character.codePointAt(0)! - text.codePointAt(index)!);
  return steps.filter((step) => Math.abs(step) <= 1).length > text.length / 2;
}

/** By how often each character is in it (Shannon): what a random text of these characters would have. */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, count) => bits - count * Math.log2(count / text.length), 0);
}
