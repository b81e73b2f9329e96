import type { Config } from '../config.js';
import { readLocalCredentials } from '../local-credentials.js';
import { createLogger } from '../observability/logger.js';
import { findSandbox, type RunningSandbox } from '../running-sandbox.js';
import { NO_LIMITS } from '../limits/limits.js';
import { startProduct } from '../start.js';
import { DemoError } from './demo-error.js';

export interface FoundServer extends Playground {
  readonly url: string;
  readonly isOurs: boolean;
  stop(): Promise<void>;
}

/** What the demo plays with beside the server. */
interface Playground {
  readonly stripeUrl: string;
  readonly pawapayUrl: string;
  /** A backend's. */
  readonly apiKey: string;
}

const ANSWERS_WITHIN_MILLISECONDS = 3_000;

/**
 * The server that runs on this data folder, or at the address that was asked for; where none does, one of our own.
 * Only with doubles of all providers: the demo must never play with anybody's money.
 * @throws {DemoError}
 */
export async function findServer(config: Config, wantedUrl: string | undefined): Promise<FoundServer> {
  const sandbox = await findSandbox(config.dataFolder);
  const url = (wantedUrl ?? sandbox?.serverUrl ?? config.publicUrl).replace(/\/+$/, '');
  if (await answers(`${url}/healthz`))
    return { url, ...(await playgroundOf(config, url, sandbox)), isOurs: false, stop: nothing };
  if (wantedUrl) {
    throw new DemoError(
      `Nothing answers at ${url}. Start a server (npm start) and give its address, ` +
        'or leave --url out: the demo then starts one itself.',
    );
  }
  return startOurs(config);
}

async function startOurs(config: Config): Promise<FoundServer> {
  // It plays all of its payers in a minute, and from one address.
  const own = {
    ...config,
    limits: NO_LIMITS,
    port: 0,
    webhooksAllowPrivate: true,
    emails: withoutMailServer(config),
  };
  const product = await startProduct(own, createLogger('error', true));
  try {
    const playground = await playgroundOf(config, product.url, await findSandbox(config.dataFolder));
    return { url: product.url, ...playground, isOurs: true, stop: () => product.stop() };
  } catch (error) {
    await product.stop();
    throw error;
  }
}

/** The demo's customer is nobody whom a real mail server should write to. */
function withoutMailServer({ emails }: Config): Config['emails'] {
  return { ...emails, smtpUrl: undefined };
}

async function playgroundOf(
  { dataFolder }: Config,
  url: string,
  sandbox: RunningSandbox | undefined,
): Promise<Playground> {
  const { apiKey } = await readLocalCredentials(dataFolder);
  if (!sandbox || apiKey === undefined || port(sandbox.serverUrl) !== port(url)) {
    throw new DemoError(
      `The server at ${url} has no sandbox that this folder knows of: it runs in production, or elsewhere.\n` +
        'The demo plays only with doubles of the providers, and never with real money.\n' +
        'Let it start a server of its own beside that one: PORT=4001 npm run demo',
    );
  }
  const { stripeUrl, pawapayUrl, paydunyaUrl, bankUrl } = sandbox;
  if (stripeUrl && pawapayUrl && paydunyaUrl && bankUrl && (await answers(countsOf(stripeUrl))))
    return { stripeUrl, pawapayUrl, apiKey };
  throw new DemoError(
    `The server at ${url} has real providers configured, and the demo plays only with doubles of all of them.\n` +
      'Start one without keys of providers (STRIPE_…, PAYDUNYA_…, PAWAPAY_…, BANKS) on a folder of its own:\n' +
      'DATA_FOLDER=.quittance-demo npm run demo',
  );
}

function countsOf(doubleUrl: string): string {
  return new URL('/_double/counts', doubleUrl).href;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MILLISECONDS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function port(url: string): string {
  return new URL(url).port;
}

async function nothing(): Promise<void> {}
