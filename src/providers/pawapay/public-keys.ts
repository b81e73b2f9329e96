import { createPublicKey, type KeyObject } from 'node:crypto';
import { textAt, valueAt } from '../json-document.js';
import type { KeptAnswer } from './kept-answer.js';
import { askingCall, callPawaPay, unreadableAnswer } from './pawapay-exchange.js';
import type { PawaPayAccount } from './pawapay-options.js';

/** pawaPay's, by their ids. */
export type PublicKeys = KeptAnswer<ReadonlyMap<string, KeyObject>>;

/** So that a key which pawaPay has withdrawn is not believed for long. */
const OLDEST_MILLISECONDS = 3_600_000;

/** An id that we don't know may be of a new key, or made up: nobody can make us ask more often than this. */
const OLDEST_FOR_NEW_ID_MILLISECONDS = 60_000;

/** Undefined when pawaPay has no key of this id. @throws {ProviderFailure} when the keys can't be had. */
export async function findPublicKey(keys: PublicKeys, id: string): Promise<KeyObject | undefined> {
  const known = (await keys.read(OLDEST_MILLISECONDS)).get(id);
  return known ?? (await keys.read(OLDEST_FOR_NEW_ID_MILLISECONDS)).get(id);
}

/** @throws {ProviderFailure} */
export async function fetchPublicKeys(account: PawaPayAccount): Promise<ReadonlyMap<string, KeyObject>> {
  const call = askingCall('v2/public-key/http');
  const json = await callPawaPay(account, call);
  if (!Array.isArray(json)) throw unreadableAnswer(account, call, 'keys that are no list');
  const keys = new Map<string, KeyObject>();
  for (const each of json) {
    const id = textAt(each, 'id');
    const key = readKey(valueAt(each, 'key'));
    if (id !== undefined && key !== undefined) keys.set(id, key);
  }
  return keys;
}

/** Undefined for what is none: one key that can't be read must not take the others away. */
function readKey(pem: unknown): KeyObject | undefined {
  if (typeof pem !== 'string') return undefined;
  try {
    return createPublicKey(pem);
  } catch {
    // OpenSSL has a different error for each way in which a text is no key.
    return undefined;
  }
}
