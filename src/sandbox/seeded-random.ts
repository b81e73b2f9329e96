/** Numbers from 0 inclusive to 1 exclusive, the same ones for the same seed (mulberry32): a run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns it. @throws {RangeError} for what is no share. */
export function checkedShare(name: string, share: number): number {
  if (typeof share === 'number' && share >= 0 && share <= 1) return share;
  throw new RangeError(`${name} must be a share from 0 to 1`);
}
