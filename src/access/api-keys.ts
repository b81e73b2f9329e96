import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { IsNull, type EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { run, statement } from '../database/statement.js';
import { ApiKey } from './api-key.js';
import type { Scope } from './scopes.js';

/** Recognisable in logs and by secret scanners. */
export const API_KEY_PREFIX = 'qk_';

export interface ApiKeyHolder {
  readonly id: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
}

export interface NewApiKey {
  /** Whose it is, for people. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** How long it is good for, by the database's clock; null: until it is revoked. */
  readonly lifetimeSeconds?: number | null;
}

/** @returns the key itself, which can't be shown again: only its hash is stored. */
export async function createApiKey(
  manager: EntityManager,
  { name, scopes, lifetimeSeconds = null }: NewApiKey,
): Promise<string> {
  const key = API_KEY_PREFIX + randomBytes(32).toString('base64url');
  const id = uuidv7();
  await manager.transaction(async (transaction) => {
    const [made]: { expiresAt: Date | null }[] = await transaction.query(
      `INSERT INTO api_key (id, name, hash, scopes, expires_at)
       VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5)) RETURNING expires_at AS "expiresAt"`,
      [id, name, hashOf(key), scopes, lifetimeSeconds],
    );
    await recordAct(transaction, 'api_key.created', { id, after: { name, scopes, ...made } });
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
    if (affected === 1) await recordAct(transaction, 'api_key.revoked', { id, after: { name } });
  });
}

/** Keys are made and revoked at the terminal alone: who sat there is not ours to know. */
async function recordAct(
  manager: EntityManager,
  action: string,
  { id, after }: { readonly id: string; readonly after: object },
): Promise<void> {
  const entry = { subject: `api-key:${id}`, actor: 'terminal', before: null, after, reason: null };
  await writeAuditEntry(manager, { ...entry, action });
}

const GOOD = `revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;

const FIND = statement<ApiKeyHolder>(
  'find_api_key',
  `SELECT id, hash, scopes FROM api_key WHERE hash = $1 AND ${GOOD}`,
);

const STILL_GOOD = statement<{ hash: string }>(
  'find_good_api_keys',
  `SELECT hash FROM api_key WHERE hash = ANY($1) AND ${GOOD}`,
);

interface Lookup {
  readonly answer: Promise<ApiKeyHolder | null>;
  next?: Promise<ApiKeyHolder | null>;
}

/**
 * Looks API keys up. Nothing is remembered, for a key that was revoked is to be refused at once, on every node: it costs
 * one statement, by an index. Those who ask about the same key while it is looked up share the next statement, so a crowd
 * costs no more than two.
 */
export class ApiKeys {
  private readonly lookups = new Map<string, Lookup>();
  /** By a key's hash: how to end the connections that were opened with it. */
  private readonly connections = new Map<string, Set<() => void>>();

  constructor(private readonly manager: EntityManager) {}

  async find(key: string): Promise<ApiKeyHolder | null> {
    return this.findByHash(hashOf(key));
  }

  /**
   * @param hash of the key, so that the key itself need not be remembered by whoever asks again.
   * @returns what was stored after this was called, and never before.
   */
  findByHash(hash: string): Promise<ApiKeyHolder | null> {
    const underWay = this.lookups.get(hash);
    if (!underWay) return this.lookUp(hash);
    // What is under way may have been read before the key was revoked.
    const again = () => this.lookUp(hash);
    underWay.next ??= underWay.answer.then(again, again);
    return underWay.next;
  }

  private lookUp(hash: string): Promise<ApiKeyHolder | null> {
    const answer = run(this.manager, FIND, [hash]).then(([holder]) => holder ?? null);
    const lookup: Lookup = { answer };
    this.lookups.set(hash, lookup);
    const forget = () => {
      if (this.lookups.get(hash) === lookup) this.lookups.delete(hash);
    };
    answer.then(forget, forget);
    return answer;
  }

  /** @param end called by `endConnections` once the key is no good any more. @returns for when it was ended otherwise. */
  onConnection(hash: string, end: () => void): () => void {
    const ends = this.connections.get(hash) ?? new Set();
    this.connections.set(hash, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0) this.connections.delete(hash);
    };
  }

  /** Ends what was opened with keys that have expired or been revoked since. */
  async endConnections(): Promise<void> {
    const hashes = [...this.connections.keys()];
    if (hashes.length === 0) return;
    const good = new Set((await run(this.manager, STILL_GOOD, [hashes])).map(({ hash }) => hash));
    for (const hash of hashes.filter((each) => !good.has(each))) {
      for (const end of this.connections.get(hash) ?? []) end();
    }
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
