import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface RunningProcess {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

const READY_WITHIN_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 25;

/** Asked to stop, a process is given this long. */
const STOP_WITHIN_MILLISECONDS = 5_000;

/** A script of ours that sends `{ port }` once it listens, and ends when we are gone. */
export async function startScript(script: URL, settings: object): Promise<RunningProcess> {
  const child = fork(fileURLToPath(script), [JSON.stringify(settings)], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production' },
  });
  const ready = once(child, 'message', { signal: AbortSignal.timeout(READY_WITHIN_MILLISECONDS) });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${script.pathname} ended before it listened`);
  });
  const [{ port }] = (await Promise.race([ready, ended])) as [{ port: number }];
  ended.catch(() => {});
  return { pid: child.pid!, port, stop: () => stop(child) };
}

/** A garbage collection whenever SIGUSR2 comes, so that memory can be measured; it does nothing else. */
const COLLECT_GARBAGE_ON_SIGNAL = [
  '--expose-gc',
  '--import',
  `data:text/javascript,process.on('SIGUSR2', () => globalThis.gc())`,
];

/** Quittance itself, built, with these variables and no others. */
export async function startServer(environment: Readonly<Record<string, string>>): Promise<RunningProcess> {
  const port = await freePort();
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
  const child = spawn(process.execPath, [...COLLECT_GARBAGE_ON_SIGNAL, main], {
    env: { PATH: process.env.PATH, ...environment, HOST: '127.0.0.1', PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const deadline = Date.now() + READY_WITHIN_MILLISECONDS;
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error('the server did not start');
    if (Date.now() > deadline) {
      await stop(child);
      throw new Error('the server was not ready in time');
    }
    await sleep(POLL_MILLISECONDS);
  }
  return { pid: child.pid!, port, stop: () => stop(child) };
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MILLISECONDS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(kill);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
