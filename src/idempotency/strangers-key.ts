import { createHash } from 'node:crypto';

/** What `crypto.randomUUID()` makes, and its younger sister with a time in front: 122 and 74 random bits. */
const RANDOM_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** One made up by hand (all zeros); a random one has so few only once in 10¹¹ times. */
const FEWEST_CHARACTERS = 7;

/**
 * The key under which a caller without a token is found again. Nothing but the key tells one such caller from another, and
 * who repeats it is given the order: so it must be one that nobody else chooses or guesses, it counts for the caller's own
 * address alone, and it is not stored as it is.
 * @returns null for a key that others could choose, too.
 */
export function strangersKey(key: string, clientAddress: string): string | null {
  if (!RANDOM_UUID.test(key) || new Set(key).size < FEWEST_CHARACTERS) return null;
  return createHash('sha256').update(`${clientAddress} ${key.toLowerCase()}`).digest('base64url');
}
