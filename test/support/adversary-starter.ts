import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Prey } from './adversary.js';

const CHECKOUT = resolve(import.meta.dirname, '../..');
const TYPESCRIPT = pathToFileURL(
  resolve(CHECKOUT, 'node_modules/@swc-node/register/esm/esm-register.mjs'),
).href;

export interface Adversary {
  /** @returns how often each status was answered, and how many attacks were made. */
  stop(): Promise<Readonly<Record<string, number>>>;
}

/** @returns once it attacks. */
export async function startAdversary(
  { url, sku, skuOfDays }: Prey,
  clients: number,
  seed: number,
): Promise<Adversary> {
  const program = resolve(CHECKOUT, 'test/support/adversary-process.ts');
  const parameters = [url, sku, skuOfDays, String(clients), String(seed)];
  const child = spawn(process.execPath, ['--import', TYPESCRIPT, program, ...parameters], {
    cwd: CHECKOUT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child.stdout, 'data');
  return {
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      return JSON.parse(output.slice(output.indexOf('{'))) as Record<string, number>;
    },
  };
}
