import { createHash } from 'node:crypto';
import { nameOf, type CrashPoint } from './crash-point.js';

/**
 * `npm run test:crash` kills at every point. CI kills at one of so many, and at others for each commit: those that the
 * seed, its commit, chooses.
 */
const ONE_OF = Number(process.env.CRASH_SAMPLE_ONE_OF ?? 1);
const SEED = process.env.CRASH_SAMPLE_SEED ?? '';

/** @param tale so that two tales that pass the same points are not killed at the same ones. */
export function sampleOf(tale: string, points: readonly CrashPoint[]): CrashPoint[] {
  if (!Number.isInteger(ONE_OF) || ONE_OF < 1) {
    throw new Error(
      `CRASH_SAMPLE_ONE_OF must be a whole number from 1, not "${process.env.CRASH_SAMPLE_ONE_OF}".`,
    );
  }
  return points.filter((point) => {
    const digest = createHash('sha256')
      .update(`${SEED} ${tale} ${nameOf(point)}`)
      .digest();
    return digest.readUInt32BE() % ONE_OF === 0;
  });
}
