import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { ApiKey } from './api-key.js';

/** Recognisable in logs and by secret scanners. */
export const API_KEY_PREFIX = 'qk_';

/** For so long a key is believed after it was looked up: a revoked one stops working within it. */
const BELIEVED_MILLISECONDS = 5_000;

/** Enough for every backend of a large merchant; wrong keys are not remembered at all. */
const MAX_REMEMBERED = 1_000;

export interface ApiKeyHolder {
  readonly id: string;
  readonly name: string;
  readonly hash: string;
}

/** @returns the key itself, which can't be shown again: only its hash is stored. */
export async function createApiKey(manager: EntityManager, name: string): Promise<string> {
  const key = API_KEY_PREFIX + randomBytes(32).toString('base64url');
  await manager.insert(ApiKey, { id: uuidv7(), name, hash: hashOf(key) });
  return key;
}

/** Looks API keys up, and remembers the good ones for a few seconds. */
export class ApiKeys {
  private readonly remembered = new Map<string, { holder: ApiKeyHolder; until: number }>();

  constructor(private readonly manager: EntityManager) {}

  async find(key: string): Promise<ApiKeyHolder | null> {
    return this.findByHash(hashOf(key));
  }

  /** @param hash of the key, so that the key itself need not be remembered by whoever asks again. */
  async findByHash(hash: string): Promise<ApiKeyHolder | null> {
    const known = this.remembered.get(hash);
    if (known && known.until > Date.now()) return known.holder;
    this.remembered.delete(hash);
    const row = await this.manager.findOneBy(ApiKey, { hash });
    if (!row || row.revokedAt !== null) return null;
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    const holder = { id: row.id, name: row.name, hash };
    this.remembered.set(hash, { holder, until: Date.now() + BELIEVED_MILLISECONDS });
    return holder;
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
