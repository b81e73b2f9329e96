import { parseArgs } from 'node:util';
import { readFile } from 'node:fs/promises';
import type { EntityManager } from 'typeorm';
import { loadConfig } from '../config.js';
import { readKeptCredentials } from '../local-credentials.js';
import { checkCheckpoints } from './check-checkpoints.js';
import { CheckpointKey } from './checkpoint-key.js';
import { checkpointsInLog, type LoggedCheckpoint } from './logged-checkpoints.js';
import { CommandError, runCommand, withDatabase } from '../command-line.js';
import { checkEntries, checkPaymentEnds, type AuditFault, type CheckedPage } from './audit-faults.js';

const USAGE = `Finds what was altered in the audit log behind the database's back.

  npm run audit:verify
  npm run audit:verify -- --log server.log   also against the checkpoints in the server's own log

Each entry must be as its hash says, and follow the one before it; the log of each payment must end where the payment
stands; and the checkpoints, which the server signs each minute, must fit the entries and QUITTANCE_SECRET. After that
secret was changed, FORMER_QUITTANCE_SECRETS may name the earlier ones. Only a log of the server's that is kept elsewhere
shows that the newest entries were cut off together with their checkpoints.
Exit code 1, and a list, when something is not so.
Without this repository's sources: node dist/src/audit/verify-audit-log.js
It works on DATABASE_URL, or else on the embedded database in DATA_FOLDER.`;

/** A page is one statement of a second or so: the shop goes on beside it. */
const PAGE = 5_000;

/** More is not read by anybody. */
const MAX_LISTED = 100;

async function main(): Promise<void> {
  const { help, log } = readOptions(process.argv.slice(2));
  if (help) return console.log(USAGE);
  const keys = await readKeys();
  const logged = log === undefined ? [] : checkpointsInLog(await readLog(log));
  if (log !== undefined && logged.length === 0) {
    throw new CommandError(
      `${log} has no checkpoints: give a log of the server's, as it wrote it (JSON lines).`,
    );
  }
  await withDatabase('audit:verify', (manager) => verify(manager, keys, logged));
}

function readOptions(given: string[]) {
  try {
    return parseArgs({ args: given, options: { help: { type: 'boolean' }, log: { type: 'string' } } }).values;
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}

async function readLog(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CommandError(`${path} can't be read (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  }
}

/** The present one, and those before it. */
async function readKeys(): Promise<CheckpointKey[]> {
  const { secret, formerSecrets, dataFolder } = loadConfig();
  const present = secret ?? (await readKeptCredentials(dataFolder))?.secret;
  if (present === undefined) {
    throw new CommandError(
      'QUITTANCE_SECRET must be set: with it the server signs the checkpoints of the log.',
    );
  }
  return [present, ...formerSecrets].map((each) => new CheckpointKey(each));
}

async function verify(
  manager: EntityManager,
  keys: readonly CheckpointKey[],
  logged: readonly LoggedCheckpoint[],
): Promise<void> {
  const faults = new FaultList();
  const checkpoints = await checkCheckpoints(manager, keys, logged);
  for (const fault of checkpoints.faults) faults.add(fault);
  for (const note of checkpoints.notes) console.log(note);
  const entries = await checkAll('entries', checkEntries(manager, PAGE), faults);
  const payments = await checkAll('payments', checkPaymentEnds(manager, PAGE), faults);
  if (faults.count > 0) throw new CommandError(faults.report());
  console.log(
    `The audit log is whole: ${entries} entries, the ends of ${payments} payments, ${checkpoints.checked} checkpoints.`,
  );
}

async function checkAll(what: string, pages: AsyncIterable<CheckedPage>, faults: FaultList): Promise<number> {
  let total = 0;
  for await (const page of pages) {
    total += page.checked;
    for (const fault of page.faults) faults.add(fault);
    // Written over itself, so only where somebody watches.
    if (process.stderr.isTTY) process.stderr.write(`\r${total} ${what} checked `);
  }
  if (process.stderr.isTTY && total > 0) process.stderr.write('\n');
  return total;
}

class FaultList {
  count = 0;
  private readonly listed: AuditFault[] = [];

  add(fault: AuditFault): void {
    this.count += 1;
    if (this.listed.length < MAX_LISTED) this.listed.push(fault);
  }

  report(): string {
    const lines = this.listed.map(({ subject, position, fault }) =>
      position === null ? `  ${subject}: ${fault}` : `  ${subject}, entry ${position}: ${fault}`,
    );
    const more = this.count - this.listed.length;
    if (more > 0) lines.push(`  … and ${more} more`);
    return [`The audit log is not whole. ${this.count} found:`, ...lines].join('\n');
  }
}

runCommand(main);
