import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startStripeDouble, type StripeDouble } from '../../src/sandbox/stripe/stripe-double.js';
import { eventually } from './eventually.js';
import { createTestDatabase } from './postgres.js';
import { OPERATOR_JWT_SECRET, RETURN_URL, SECRET, STRIPE_WEBHOOK_SECRET } from './running-app.js';

const CHECKOUT = resolve(import.meta.dirname, '../..');
const TYPESCRIPT = pathToFileURL(
  resolve(CHECKOUT, 'node_modules/@swc-node/register/esm/esm-register.mjs'),
).href;
const SECRET_KEY = 'sk_test_killable';
const PUBLISHABLE_KEY = 'pk_test_killable';

/** The product in a process of its own, with production's settings, that can be killed at any moment. */
export interface KillableServer {
  readonly url: string;
  readonly databaseUrl: string;
  readonly stripe: StripeDouble;
  /** Starts it (again, on the same database and port), and returns when it is ready. */
  start(): Promise<void>;
  /** As a power cut does: nothing is finished. */
  kill(): Promise<void>;
  /** Everything, the database too. */
  stop(): Promise<void>;
}

export async function startKillableServer(): Promise<KillableServer> {
  const database = await createTestDatabase();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const stripe = await startStripeDouble({
    secretKey: SECRET_KEY,
    publishableKey: PUBLISHABLE_KEY,
    webhookSecret: STRIPE_WEBHOOK_SECRET,
    webhookUrl: () => `${url}/webhooks/stripe`,
    webhookRetryMilliseconds: 50,
  });
  let server: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  const running: KillableServer = {
    url,
    databaseUrl: database.url,
    stripe,
    start: async () => {
      server = spawnProduct({
        DATABASE_URL: database.url,
        PORT: String(port),
        PUBLIC_URL: url,
        STRIPE_API_URL: stripe.url.href,
      });
      const complaints: string[] = [];
      server.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
      await eventually(
        () => {
          if (server?.exitCode !== null) throw new Error(`the server ended: ${complaints.join('')}`);
          return isReady(url);
        },
        (ready) => ready,
        20_000,
      );
    },
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM');
      await stripe.stop();
      await database.drop();
    },
  };
  await running.start();
  return running;
}

function spawnProduct(settings: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, ['--import', TYPESCRIPT, resolve(CHECKOUT, 'src/main.ts')], {
    cwd: CHECKOUT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'silent',
      QUITTANCE_SECRET: SECRET,
      OPERATOR_JWT_SECRET,
      ALLOWED_ORIGINS: new URL(RETURN_URL).origin,
      STRIPE_SECRET_KEY: SECRET_KEY,
      STRIPE_PUBLISHABLE_KEY: PUBLISHABLE_KEY,
      STRIPE_WEBHOOK_SECRETS: STRIPE_WEBHOOK_SECRET,
      ...settings,
    },
  });
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
