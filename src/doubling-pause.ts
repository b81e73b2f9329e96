/** Each pause is twice as long as the one before, up to the longest. @param failures how many there were in a row: 1, 2, 3 … */
export function doublingPause(failures: number, first: number, longest: number): number {
  return Math.min(first * 2 ** (failures - 1), longest);
}
