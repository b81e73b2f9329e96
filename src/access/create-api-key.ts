import { parseArgs } from 'node:util';
import type { EntityManager } from 'typeorm';
import { CommandError, runCommand, withDatabase } from '../command-line.js';
import { isUuid } from '../database/uuid.js';
import { ApiKey } from './api-key.js';
import { createApiKey, revokeApiKey } from './api-keys.js';

const USAGE = `Makes, lists and revokes the API keys of backends.

  npm run api-key -- --name "my shop"   makes a key and shows it, once
  npm run api-key -- --list             lists the keys, without the keys themselves
  npm run api-key -- --revoke <id>      revokes one; it stops working within seconds

Without this repository's sources: node dist/src/access/create-api-key.js --name "my shop"
It works on DATABASE_URL, or else on the embedded database in DATA_FOLDER.`;

const LONGEST_NAME = 100;

type Command =
  | { readonly kind: 'create'; readonly name: string }
  | { readonly kind: 'list' }
  | { readonly kind: 'revoke'; readonly id: string };

async function main(): Promise<void> {
  const command = readCommand(process.argv.slice(2));
  if (command === 'help') return console.log(USAGE);
  await withDatabase('api-key', (manager) => carryOut(command, manager));
}

/** @throws {CommandError} which says how to say it. */
function readCommand(given: string[]): Command | 'help' {
  const { name, list, revoke, help } = readOptions(given);
  if (help) return 'help';
  if ([name, list, revoke].filter((option) => option !== undefined).length !== 1) {
    throw new CommandError(`Give one of --name, --list and --revoke.\n\n${USAGE}`);
  }
  if (list) return { kind: 'list' };
  if (revoke !== undefined) return { kind: 'revoke', id: revoke };
  const trimmed = name?.trim() ?? '';
  if (trimmed.length > 0 && trimmed.length <= LONGEST_NAME) return { kind: 'create', name: trimmed };
  throw new CommandError(`--name must have 1 to ${LONGEST_NAME} characters: say whose key it is.`);
}

function readOptions(given: string[]) {
  try {
    return parseArgs({
      args: given,
      options: {
        name: { type: 'string' },
        list: { type: 'boolean' },
        revoke: { type: 'string' },
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
      return create(manager, command.name);
    case 'list':
      return list(manager);
    case 'revoke':
      return revoke(manager, command.id);
    default:
      return command satisfies never;
  }
}

/** The key alone goes to standard output, so that a script can take it. */
async function create(manager: EntityManager, name: string): Promise<void> {
  console.log(await createApiKey(manager, name));
  console.error('Keep it now: only its hash is stored, so it can’t be shown again.');
}

async function list(manager: EntityManager): Promise<void> {
  const keys = await manager.find(ApiKey, { order: { createdAt: 'ASC' } });
  if (keys.length === 0) return console.error('There are no API keys yet.');
  for (const { id, name, createdAt, revokedAt } of keys) {
    const state = revokedAt ? `revoked ${revokedAt.toISOString()}` : 'valid';
    console.log([id, createdAt.toISOString(), state, name].join('  '));
  }
}

async function revoke(manager: EntityManager, id: string): Promise<void> {
  const key = isUuid(id) ? await manager.findOneBy(ApiKey, { id }) : null;
  if (!key) throw new CommandError(`There is no API key with the id ${id}. --list shows them all.`);
  await revokeApiKey(manager, key);
  console.log(`The API key “${key.name}” is revoked.`);
}

runCommand(main);
