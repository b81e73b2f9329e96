import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processExists } from './database/embedded-postgres/process-state.js';

/** Where a running local server and its provider doubles are: no secrets, and never written in production. */
export interface RunningSandbox {
  readonly processId: number;
  /** Without a slash at the end. */
  readonly serverUrl: string;
  /** Undefined where the real provider is configured, and nobody may play. */
  readonly stripeUrl?: string;
  readonly pawapayUrl?: string;
  readonly paydunyaUrl?: string;
  readonly bankUrl?: string;
}

const FILE = 'sandbox.json';

/**
 * Tells whoever looks into the data folder (the demo) that this process plays the providers.
 * @returns how to take it back.
 */
export async function announceSandbox(
  dataFolder: string,
  sandbox: Omit<RunningSandbox, 'processId'>,
): Promise<() => Promise<void>> {
  const path = join(dataFolder, FILE);
  await writeFile(path, `${JSON.stringify({ processId: process.pid, ...sandbox }, null, 2)}\n`);
  return async () => {
    // Another server may have started on the same folder since, and what stands there is then its own.
    if ((await readSandbox(path))?.processId === process.pid) await rm(path, { force: true });
  };
}

/** The one that runs on this data folder. What a killed server left behind does not count. */
export async function findSandbox(dataFolder: string): Promise<RunningSandbox | undefined> {
  const sandbox = await readSandbox(join(dataFolder, FILE));
  return sandbox && processExists(sandbox.processId) ? sandbox : undefined;
}

async function readSandbox(path: string): Promise<RunningSandbox | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as RunningSandbox;
  } catch (error) {
    // A server that is killed while it writes leaves half a document.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
