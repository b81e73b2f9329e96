import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createDatabaseIfMissing, startEmbeddedPostgres } from '../src/database/embedded-postgres.js';
import { postgresProcessExists } from '../src/database/embedded-postgres/process-state.js';
import {
  copyCheckout,
  spawnStarter,
  type Starter,
  type StarterOptions,
} from './support/embedded-postgres-starter.js';
import { itAsRoot, itWithNobody, NOBODY } from './support/two-users.js';

const starters: Starter[] = [];
const clusters = new Set<string>();
let folder: string;
let directory: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quittance-embedded-'));
  await chmod(folder, 0o755);
  directory = join(folder, 'postgres');
});

afterEach(async () => {
  await Promise.all(starters.splice(0).map((starter) => starter.kill('SIGKILL')));
  for (const cluster of clusters) await stopServerOf(cluster);
  clusters.clear();
  await rm(folder, { recursive: true, force: true });
});

it('starts, stops, and has its data after a restart', async () => {
  const first = await start();
  const shop = await createDatabaseIfMissing(first.url, 'shop "1"');
  await query(shop, 'CREATE TABLE paid (id int)');
  await first.stop();
  expect(await postgresProcessExists(first.pid)).toBe(false);
  await first.stop();

  const second = await start();
  expect(second.adopted).toBe(false);
  expect(await createDatabaseIfMissing(second.url, 'shop "1"')).toContain(encodeURIComponent('shop "1"'));
  expect(await query(await createDatabaseIfMissing(second.url, 'shop "1"'), 'SELECT * FROM paid')).toEqual(
    [],
  );
});

it('survives kill -9 of the node process and is adopted', async () => {
  const starter = spawn();
  const before = await starter.answer;
  await starter.kill('SIGKILL');
  const after = await start();
  expect(after).toMatchObject({ pid: before.pid, url: before.url, adopted: true });
  expect(await query(after.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it("is not reached by the terminal's Ctrl-C", async () => {
  const starter = spawn();
  const { url } = await starter.answer;
  await starter.kill('SIGINT');
  await sleep(200);
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('survives kill -9 of the postmaster with what was committed', async () => {
  const first = await start();
  await query(first.url, 'CREATE TABLE paid (id int PRIMARY KEY)');
  const acknowledged = await insertUntilKilled(first.url, first.pid);
  expect(acknowledged).toBeGreaterThan(0);
  const second = await start();
  expect(second.adopted).toBe(false);
  const [{ count } = { count: 0 }] = await query(second.url, 'SELECT count(*)::int AS count FROM paid');
  // The last one may have been committed without the answer getting through.
  expect([acknowledged, acknowledged + 1]).toContain(count);
});

it('ends with one server when two start at once', async () => {
  const answers = await Promise.all([spawn().answer, spawn().answer, spawn().answer]);
  expect(new Set(answers.map(({ pid }) => pid)).size).toBe(1);
  expect(answers.filter(({ adopted }) => !adopted)).toHaveLength(1);
});

it('makes its data anew when the first start was killed half-way', async () => {
  const starter = spawn();
  starter.answer.catch(() => undefined);
  while (!(await unfinishedInitdb())) await sleep(5);
  await starter.kill('SIGKILL');
  const { url } = await start();
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(await readdir(directory)).toEqual(['cluster']);
});

it('starts although another program has got the process id of the server that was killed', async () => {
  const first = await start();
  const pidFile = join(first.clusterDirectory, 'data', 'postmaster.pid');
  const content = await readFile(pidFile, 'utf8');
  await first.stop();
  await writeFile(pidFile, content.replace(String(first.pid), String(process.pid)));
  const second = await start();
  expect(second.adopted).toBe(false);
});

it('wants a password, and keeps it to itself', async () => {
  const { url, clusterDirectory } = await start();
  const wrong = new URL(url);
  wrong.password = 'postgres';
  await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  expect((await stat(join(clusterDirectory, 'password'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(clusterDirectory, 'data'))).mode & 0o777).toBe(0o700);
});

it('does not take data of another major version', async () => {
  const first = await start();
  await first.stop();
  await writeFile(join(first.clusterDirectory, 'data', 'PG_VERSION'), '17\n');
  await expect(start()).rejects.toThrow(/was made by PostgreSQL 17, and the installed one is 18: install/);
});

it('says what to do when the folder is a file', async () => {
  await writeFile(directory, '');
  await expect(start()).rejects.toThrow(/is not a folder: remove the file/);
});

it("says what PostgreSQL didn't like", async () => {
  await expect(startEmbeddedPostgres({ directory, settings: { shared_buffers: 'lots' } })).rejects.toThrow(
    /did not start; .*postgres\.log says:\n.*invalid value for parameter "shared_buffers": "lots"/s,
  );
});

itWithNobody('says what to do when the folder is not writable', async () => {
  const { error } = await spawn({ account: NOBODY }).answer;
  expect(error).toMatch(
    /EmbeddedPostgresError: .*postgres, is not writable for this user: change its owner, or/,
  );
});

itWithNobody('works as an ordinary user, whose data root can start afterwards', async () => {
  await mkdir(directory, { mode: 0o700 });
  await chown(directory, NOBODY.uid, NOBODY.gid);
  const starter = spawn({ account: NOBODY });
  const before = await starter.answer;
  expect(before.error).toBeUndefined();
  await starter.kill('SIGKILL');
  const adopted = await start();
  expect(adopted).toMatchObject({ pid: before.pid, adopted: true });
  await adopted.stop();
  expect((await start()).adopted).toBe(false);
});

itAsRoot("works in a checkout that others can't enter", async () => {
  const shared = '/var/lib/quittance';
  const sharedWasThere = await stat(shared).then(Boolean, () => false);
  await chmod(folder, 0o700);
  const checkout = await copyCheckout(join(folder, 'checkout'));
  const starter = spawn({ checkout });
  const before = await starter.answer;
  expect(before.error).toBeUndefined();
  await starter.kill('SIGKILL');
  expect((await stat(folder)).mode & 0o777).toBe(0o700);

  const adopted = await start();
  expect(adopted).toMatchObject({ pid: before.pid, adopted: true });
  await query(adopted.url, 'CREATE TABLE paid (id int)');
  await adopted.stop();
  expect(await query((await start()).url, 'SELECT * FROM paid')).toEqual([]);

  await stopServerOf(before.clusterDirectory);
  await rm(before.clusterDirectory, { recursive: true });
  if (!sharedWasThere) await rm(shared, { recursive: true });
});

async function start(): ReturnType<typeof startEmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory });
  clusters.add(server.clusterDirectory);
  return server;
}

function spawn(options: StarterOptions = {}): Starter {
  const starter = spawnStarter(directory, options);
  starters.push(starter);
  clusters.add(join(directory, 'cluster'));
  return starter;
}

async function stopServerOf(cluster: string): Promise<void> {
  const pid = Number.parseInt(
    await readFile(join(cluster, 'data', 'postmaster.pid'), 'utf8').catch(() => ''),
    10,
  );
  if (Number.isNaN(pid) || pid === process.pid) return;
  if (await postgresProcessExists(pid)) process.kill(pid, 'SIGQUIT');
  while (await postgresProcessExists(pid)) await sleep(10);
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** @returns how many inserts were answered before the postmaster and its children were gone. */
async function insertUntilKilled(url: string, postmaster: number): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  setTimeout(() => process.kill(postmaster, 'SIGKILL'), 200);
  for (let acknowledged = 0; ; acknowledged++) {
    try {
      await client.query('INSERT INTO paid VALUES ($1)', [acknowledged]);
    } catch {
      await client.end();
      return acknowledged;
    }
  }
}

async function unfinishedInitdb(): Promise<boolean> {
  const names = await readdir(directory).catch(() => [] as string[]);
  const unfinished = names.find((name) => name.startsWith('cluster.unfinished-'));
  if (unfinished === undefined) return false;
  const made = await readdir(join(directory, unfinished, 'data')).catch(() => [] as string[]);
  return made.includes('base');
}
