import { parseArgs } from 'node:util';
import { ConfigError, loadConfig, type Config } from '../config.js';
import { EmbeddedPostgresError } from '../database/embedded-postgres.js';
import { StartError } from '../start.js';
import { DemoError } from './demo-error.js';
import { findServer, type FoundServer } from './find-server.js';
import { merchantApi } from './merchant-api.js';
import { Narrator } from './narrator.js';
import { shopApi } from './shop-api.js';
import type { Stage, Story, StoryEnd } from './stage.js';
import { bookedAndToldStory } from './stories/booked-and-told.js';
import { payByBankStory } from './stories/by-bank.js';
import { payByCardStory } from './stories/by-card.js';
import { payByPhoneStory } from './stories/by-phone.js';
import { lostConnectionStory } from './stories/lost-connection.js';
import { providerDownStory } from './stories/provider-down.js';

const INTERRUPTED_EXIT_CODE = 130;

const STORIES: readonly Story[] = [
  payByCardStory,
  payByPhoneStory,
  payByBankStory,
  providerDownStory,
  lostConnectionStory,
  bookedAndToldStory,
];

async function main(): Promise<void> {
  const wantedUrl = readArguments();
  const config = loadConfig();
  refuseProduction(config);
  const narrator = new Narrator(console.log, process.stdout.isTTY && process.stdout.hasColors());
  narrator.plain(
    '\nQuittance, played for you: real HTTP, a real WebSocket, a real PostgreSQL; no real money.',
  );
  const interrupted = interruption();
  const begun = performance.now();
  const server = await findServer(config, wantedUrl);
  narrator.plain(introduction(server, performance.now() - begun));
  const putAways: (() => Promise<void>)[] = [];
  const stage = stageOn(server, config, narrator, (putAway) => putAways.unshift(putAway));
  try {
    const ends = await Promise.race([interrupted, playAll(stage)]);
    narrator.plain(summary(ends, server));
  } finally {
    await putAllAway([...putAways, () => server.stop()]);
  }
}

/** Each of them, whatever becomes of those before it. */
async function putAllAway([first, ...others]: readonly (() => Promise<void>)[]): Promise<void> {
  try {
    await first?.();
  } finally {
    if (others.length > 0) await putAllAway(others);
  }
}

function stageOn(
  { url, apiKey, stripeUrl, pawapayUrl }: FoundServer,
  { dataFolder }: Config,
  narrator: Narrator,
  atTheEnd: Stage['atTheEnd'],
): Stage {
  const apis = { shop: shopApi(url), merchant: merchantApi(url, apiKey) };
  return { ...apis, stripeUrl, pawapayUrl, dataFolder, narrator, atTheEnd };
}

async function playAll(stage: Stage): Promise<StoryEnd[]> {
  const ends: StoryEnd[] = [];
  for (const story of STORIES) ends.push(await story(stage));
  return ends;
}

/** Ctrl-C: the server that was started for the demo has to go with it. The second one ends the demo at once. */
function interruption(): Promise<never> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Interrupted()));
  });
  // It may come while the server starts, when nobody waits for it yet.
  interrupted.catch(() => undefined);
  return interrupted;
}

class Interrupted extends Error {}

function readArguments(): string | undefined {
  try {
    const { url } = parseArgs({ options: { url: { type: 'string' } } }).values;
    if (url === undefined || isHttpUrl(url)) return url;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  throw new DemoError('The demo takes one argument: npm run demo -- --url http://localhost:4000');
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function refuseProduction({ production }: Config): void {
  if (!production) return;
  throw new DemoError(
    'The demo does not run with NODE_ENV=production: it plays only with doubles of the providers. Leave NODE_ENV out.',
  );
}

function introduction({ url, isOurs }: FoundServer, milliseconds: number): string {
  if (!isOurs) return `It plays against the server that runs at ${url}.`;
  return `No server was running: it started one at ${url}, within ${(milliseconds / 1_000).toFixed(1)} s.`;
}

function summary(ends: readonly StoryEnd[], { isOurs }: FoundServer): string {
  const told = ends.map(({ toldAfterMilliseconds: milliseconds, remark }) =>
    remark === undefined ? `${milliseconds} ms` : `${milliseconds} ms (${remark})`,
  );
  return `
${ends.length} orders, ${ends.length} payments, each PAID and its order CONFIRMED.
From “Pay” to PAID on the payer's screen:
${told.join(', ')}.

Next: README.md shows the same with curl, and in a frontend's code.${isOurs ? '\n      npm start  keeps a server running, and prints three commands to paste.' : ''}
`;
}

function fail(error: unknown): never {
  if (error instanceof Interrupted) process.exit(INTERRUPTED_EXIT_CODE);
  const isForPeople = [DemoError, ConfigError, StartError, EmbeddedPostgresError].some(
    (kind) => error instanceof kind,
  );
  if (isForPeople) console.error(`\n${(error as Error).message}\n`);
  else
    console.error(
      '\nThe demo stopped. Run `npm start` in another terminal and the demo again, and see its log.\n',
      error,
    );
  process.exit(1);
}

main().catch(fail);
