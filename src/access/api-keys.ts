import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { IsNull, type EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { ApiKey } from './api-key.js';

/** Recognisable in logs and by secret scanners. */
export const API_KEY_PREFIX = 'qk_';

/** For so long a key is believed after it was looked up: a revoked one stops working within it. */
const BELIEVED_MILLISECONDS = 5_000;

/** Enough for every backend of a large merchant; wrong keys are not remembered at all. */
const MAX_REMEMBERED = 1_000;

export interface ApiKeyHolder {
  readonly id: string;
  readonly hash: string;
}

/** @returns the key itself, which can't be shown again: only its hash is stored. */
export async function createApiKey(manager: EntityManager, name: string): Promise<string> {
  const key = API_KEY_PREFIX + randomBytes(32).toString('base64url');
  const id = uuidv7();
  await manager.transaction(async (transaction) => {
    await transaction.insert(ApiKey, { id, name, hash: hashOf(key) });
    await recordAct(transaction, 'api_key.created', { id, name });
  });
  return key;
}

/** One that is revoked already stays as it is. */
export async function revokeApiKey(manager: EntityManager, { id, name }: ApiKey): Promise<void> {
  await manager.transaction(async (transaction) => {
    const { affected } = await transaction.update(
      ApiKey,
      { id, revokedAt: IsNull() },
      { revokedAt: () => 'now()' },
    );
    if (affected === 1) await recordAct(transaction, 'api_key.revoked', { id, name });
  });
}

/** Keys are made and revoked at the terminal alone: who sat there is not ours to know. */
async function recordAct(
  manager: EntityManager,
  action: string,
  { id, name }: Pick<ApiKey, 'id' | 'name'>,
): Promise<void> {
  const entry = { subject: `api-key:${id}`, actor: 'terminal', before: null, after: { name }, reason: null };
  await writeAuditEntry(manager, { ...entry, action });
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
    const holder = { id: row.id, hash };
    this.remembered.set(hash, { holder, until: Date.now() + BELIEVED_MILLISECONDS });
    return holder;
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
