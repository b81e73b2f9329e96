/** Words of our own code as a list of SQL, for `IN (…)`. Never for what comes from outside: nothing is escaped. */
export function inQuotes(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}
