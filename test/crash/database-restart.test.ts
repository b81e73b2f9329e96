import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createDatabaseIfMissing,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../src/database/embedded-postgres.js';
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.js';
import { expectFinalState } from './final-state.js';
import { endClaims, hastened } from './hasten.js';
import { openShop, type Shop } from './shop.js';
import {
  BANK,
  CARD,
  HELD_CARD,
  PAWAPAY,
  PAYDUNYA_PAGE,
  PAYDUNYA_PHONE,
  tellStory,
  type Told,
  type Way,
} from './story.js';

const KILLS = 3;
const LOAD_BETWEEN_KILLS_MILLISECONDS = 1_500;
const DARKNESS_MILLISECONDS = 500;
const CUSTOMERS: readonly Way[] = [CARD, BANK, HELD_CARD, PAWAPAY, PAYDUNYA_PAGE, PAYDUNYA_PHONE];

/** The server knows the database by the proxy's port, for a PostgreSQL that is started again has another one. */
const target = { host: '127.0.0.1', port: 0 };
let folder: string;
let postgres: EmbeddedPostgres;
let proxy: CuttableProxy;
let shop: Shop;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quittance-crash-'));
  // As root, PostgreSQL runs as another account, which has to get in here.
  await chmod(folder, 0o755);
  await startPostgres();
  proxy = await startCuttableProxy(target);
  const url = new URL(await createDatabaseIfMissing(postgres.url, 'crash'));
  url.port = String(proxy.port);
  shop = await openShop(url.href);
}, 60_000);

afterAll(async () => {
  await shop.close();
  await proxy.cut();
  await postgres.stop();
  await rm(postgres.clusterDirectory, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

async function startPostgres(): Promise<void> {
  postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres') });
  target.port = Number(new URL(postgres.url).port);
}

/** Whoever is served comes again, until it is enough. */
async function shopAgainAndAgain(way: Way, enough: AbortSignal): Promise<{ way: Way; told: Told }[]> {
  const stories = [];
  while (!enough.aborted) stories.push({ way, told: await tellStory(shop, way) });
  return stories;
}

async function killPostgresAgainAndAgain(): Promise<void> {
  for (let kills = 0; kills < KILLS; kills += 1) {
    await sleep(LOAD_BETWEEN_KILLS_MILLISECONDS);
    process.kill(postgres.pid, 'SIGKILL');
    await sleep(DARKNESS_MILLISECONDS);
    await startPostgres();
  }
}

test('PostgreSQL is killed in the midst of it, three times, and every payment ends as if it had not been', async () => {
  const enough = new AbortController();
  const customers = CUSTOMERS.map((way) => shopAgainAndAgain(way, enough.signal));
  await killPostgresAgainAndAgain();
  await sleep(LOAD_BETWEEN_KILLS_MILLISECONDS);
  enough.abort();
  const stories = await hastened(shop, async () => {
    const all = (await Promise.all(customers)).flat();
    await shop.server.settled();
    await endClaims(shop);
    for (const { way, told } of all) await expectFinalState(shop, way, told);
    return all;
  });
  expect(stories.length).toBeGreaterThan(CUSTOMERS.length);
  expect(shop.server.program.process.exitCode).toBeNull();
}, 180_000);
