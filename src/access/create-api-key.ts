import { parseArgs } from 'node:util';
import type { EntityManager } from 'typeorm';
import { CommandError, runCommand, withDatabase } from '../command-line.js';
import { databaseNow } from '../database/database-clock.js';
import { isUuid } from '../database/uuid.js';
import { ApiKey } from './api-key.js';
import { createApiKey, revokeApiKey, type NewApiKey } from './api-keys.js';
import { ALL_SCOPES, isScope, SCOPES, type Scope } from './scopes.js';

const USAGE = `Makes, lists and revokes the API keys of backends.

  npm run api-key -- --name "my shop" --scopes read,orders,payments --expires 90d
                                        makes a key and shows it, once
  npm run api-key -- --list             lists the keys, without the keys themselves
  npm run api-key -- --revoke <id>      revokes one; it stops working at once

--scopes, of which read alone is the default (all: every one of them):
${ALL_SCOPES.map((scope) => `  ${scope.padEnd(10)} ${SCOPES[scope]}`).join('\n')}
--expires, in days (90d) or hours (12h): without it, the key is good until it is revoked.

Without this repository's sources: node dist/src/access/create-api-key.js --name "my shop"
It works on DATABASE_URL, or else on the embedded database in DATA_FOLDER.`;

const LONGEST_NAME = 100;

type Command =
  | ({ readonly kind: 'create' } & NewApiKey)
  | { readonly kind: 'list' }
  | { readonly kind: 'revoke'; readonly id: string };

async function main(): Promise<void> {
  const command = readCommand(process.argv.slice(2));
  if (command === 'help') return console.log(USAGE);
  await withDatabase('api-key', (manager) => carryOut(command, manager));
}

/** @throws {CommandError} which says how to say it. */
function readCommand(given: string[]): Command | 'help' {
  const { name, list, revoke, help, scopes, expires } = readOptions(given);
  if (help) return 'help';
  if ([name, list, revoke].filter((option) => option !== undefined).length !== 1) {
    throw new CommandError(`Give one of --name, --list and --revoke.\n\n${USAGE}`);
  }
  if (name === undefined && (scopes !== undefined || expires !== undefined)) {
    throw new CommandError(`--scopes and --expires go with --name: a key that is there stays as it is.`);
  }
  if (list) return { kind: 'list' };
  if (revoke !== undefined) return { kind: 'revoke', id: revoke };
  const trimmed = name?.trim() ?? '';
  if (trimmed.length === 0 || trimmed.length > LONGEST_NAME) {
    throw new CommandError(`--name must have 1 to ${LONGEST_NAME} characters: say whose key it is.`);
  }
  return {
    kind: 'create',
    name: trimmed,
    scopes: readScopes(scopes),
    lifetimeSeconds: readLifetime(expires),
  };
}

function readScopes(given = 'read'): Scope[] {
  if (given.trim() === 'all') return [...ALL_SCOPES];
  const names = new Set(given.split(',').map((name) => name.trim()));
  return [...names].map((name) => {
    if (isScope(name)) return name;
    throw new CommandError(`--scopes has “${name}”: it can have ${ALL_SCOPES.join(', ')}, or be all.`);
  });
}

const SECONDS = { h: 60 * 60, d: 24 * 60 * 60 } as const;
/** Longer than that, a key may as well not expire. */
const LONGEST_LIFETIME_SECONDS = 10 * 366 * SECONDS.d;

function readLifetime(given: string | undefined): number | null {
  if (given === undefined) return null;
  const [, count, unit] = /^([1-9]\d{0,5})([hd])$/.exec(given.trim()) ?? [];
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
  if (seconds <= LONGEST_LIFETIME_SECONDS) return seconds;
  throw new CommandError(`--expires must be days or hours, such as 90d or 12h, and at most ten years.`);
}

function readOptions(given: string[]) {
  try {
    return parseArgs({
      args: given,
      options: {
        name: { type: 'string' },
        list: { type: 'boolean' },
        revoke: { type: 'string' },
        scopes: { type: 'string' },
        expires: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}

async function carryOut(command: Command, manager: EntityManager): Promise<void> {
  switch (command.kind) {
    case 'create':
      return create(manager, command);
    case 'list':
      return list(manager);
    case 'revoke':
      return revoke(manager, command.id);
    default:
      return command satisfies never;
  }
}

/** The key alone goes to standard output, so that a script can take it. */
async function create(manager: EntityManager, key: NewApiKey): Promise<void> {
  console.log(await createApiKey(manager, key));
  console.error('Keep it now: only its hash is stored, so it can’t be shown again.');
  const more =
    key.scopes.join() === 'read' ? ' It can change nothing: for more, give --scopes (see --help).' : '';
  console.error(`Its scopes: ${key.scopes.join(', ')}.${more}`);
}

async function list(manager: EntityManager): Promise<void> {
  const keys = await manager.find(ApiKey, { order: { createdAt: 'ASC' } });
  if (keys.length === 0) return console.error('There are no API keys yet.');
  const now = await databaseNow(manager);
  for (const key of keys) {
    console.log(
      [key.id, key.createdAt.toISOString(), stateOf(key, now), key.scopes.join(), key.name].join('  '),
    );
  }
}

function stateOf({ revokedAt, expiresAt }: ApiKey, now: Date): string {
  if (revokedAt) return `revoked ${revokedAt.toISOString()}`;
  if (!expiresAt) return 'valid';
  return `${expiresAt > now ? 'valid until' : 'expired'} ${expiresAt.toISOString()}`;
}

async function revoke(manager: EntityManager, id: string): Promise<void> {
  const key = isUuid(id) ? await manager.findOneBy(ApiKey, { id }) : null;
  if (!key) throw new CommandError(`There is no API key with the id ${id}. --list shows them all.`);
  await revokeApiKey(manager, key);
  console.log(`The API key “${key.name}” is revoked.`);
}

runCommand(main);
