import { parseArgs } from 'node:util';
import type { EntityManager } from 'typeorm';
import { CommandError, runCommand, withDatabase } from '../command-line.js';
import { checkEntries, checkPaymentEnds, type AuditFault, type CheckedPage } from './audit-faults.js';

const USAGE = `Finds what was altered in the audit log behind the database's back.

  npm run audit:verify

Each entry must be as its hash says, and follow the one before it; and the log of each payment must end where the
payment stands. Exit code 1, and a list, when something is not so.
Without this repository's sources: node dist/src/audit/verify-audit-log.js
It works on DATABASE_URL, or else on the embedded database in DATA_FOLDER.`;

/** A page is one statement of a second or so: the shop goes on beside it. */
const PAGE = 5_000;

/** More is not read by anybody. */
const MAX_LISTED = 100;

async function main(): Promise<void> {
  if (readOptions(process.argv.slice(2)).help) return console.log(USAGE);
  await withDatabase('audit:verify', verify);
}

function readOptions(given: string[]) {
  try {
    return parseArgs({ args: given, options: { help: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}

async function verify(manager: EntityManager): Promise<void> {
  const faults = new FaultList();
  const entries = await checkAll('entries', checkEntries(manager, PAGE), faults);
  const payments = await checkAll('payments', checkPaymentEnds(manager, PAGE), faults);
  if (faults.count > 0) throw new CommandError(faults.report());
  console.log(`The audit log is whole: ${entries} entries, and the ends of ${payments} payments.`);
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
