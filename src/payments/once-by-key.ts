import type { EntityManager } from 'typeorm';
import { IdempotencyKey } from '../idempotency/idempotency-key.js';
import { IdempotencyKeyReused, keyExpiry, type KeyUse } from '../idempotency/key-use.js';
import type { PaymentChange } from './payment-change.js';
import { DISTURBED, untilUndisturbed } from './write-change.js';

/**
 * Repeats a step that writes an idempotency key (`useKey`) until no other request comes between.
 * @param step is given what the same request made earlier; null for the first one.
 * @throws {IdempotencyKeyReused} when the key was used for another request.
 * @throws {PaymentError} CHANGED_TOO_OFTEN
 */
export function onceByKey<Result>(
  manager: EntityManager,
  key: KeyUse,
  step: (madeId: string | null) => Promise<Result | typeof DISTURBED>,
): Promise<Result> {
  return untilUndisturbed(async () => {
    const madeId = await madeBy(manager, key);
    try {
      return await step(madeId);
    } catch (error) {
      // The same request was faster, so the key is there by now, or the payment is no longer what it was: what it made counts.
      if (madeId === null && (await madeBy(manager, key)) !== null) return DISTURBED;
      throw error;
    }
  });
}

/** The key is written with the change, and with it alone. */
export function useKey(change: PaymentChange, key: KeyUse, resourceId: string): void {
  change.newKeys.push({ ...key, resourceId, expiresAt: keyExpiry(change.now) });
}

async function madeBy(manager: EntityManager, { caller, key, fingerprint }: KeyUse): Promise<string | null> {
  const used = await manager.findOneBy(IdempotencyKey, { caller, key });
  if (used && used.fingerprint !== fingerprint) throw new IdempotencyKeyReused();
  return used?.resourceId ?? null;
}
