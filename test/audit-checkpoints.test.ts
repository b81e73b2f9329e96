import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import pg from 'pg';
import { pino } from 'pino';
import { AuditCheckpoint } from '../src/audit/audit-checkpoint.js';
import { checkCheckpoints } from '../src/audit/check-checkpoints.js';
import { CheckpointKey } from '../src/audit/checkpoint-key.js';
import { checkpointsInLog, type LoggedCheckpoint } from '../src/audit/logged-checkpoints.js';
import { writeAuditEntry } from '../src/audit/write-audit-entry.js';
import { CheckpointWriter } from '../src/audit/write-checkpoints.js';
import { createDataSource } from '../src/database/data-source.js';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';

let database: TestDatabase;
let dataSource: DataSource;
let lines: string[];
const key = new CheckpointKey('the secret that only the server has, of 32 characters');
beforeEach(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource({ url: database.url, poolSize: 4 }).initialize();
  lines = [];
});
afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
const writer = (its = key, maxEntries?: number) =>
  new CheckpointWriter(dataSource.manager, its, log, maxEntries);

async function write(entries: number, manager: EntityManager = dataSource.manager): Promise<void> {
  for (let left = entries; left > 0; left -= 1) {
    const entry = { actor: 'operator:olga', action: 'test', before: null, after: { left }, reason: null };
    await writeAuditEntry(manager, { ...entry, subject: `TEST-${randomUUID()}` });
  }
}

/** As the owner of the tables can. */
async function asOwner(...statements: string[]): Promise<void> {
  await dataSource.transaction(async (manager) => {
    await manager.query("SET LOCAL session_replication_role = 'replica'");
    for (const statement of statements) await manager.query(statement);
  });
}

async function faults(keys = [key], logged: LoggedCheckpoint[] = []): Promise<string[]> {
  const found = await checkCheckpoints(dataSource.manager, keys, logged);
  return found.faults.map(({ subject, fault }) => `${subject}: ${fault}`);
}

test('entries that were there before are covered by the first checkpoint, and each by one of the next', async () => {
  await write(5);
  const itself = writer(key, 2);
  await itself.write();
  await write(1);
  await itself.write();
  await itself.write();
  const written = await dataSource.manager.find(AuditCheckpoint, { order: { number: 'ASC' } });
  expect(written.map(({ entries }) => entries)).toEqual([2, 4, 5, 6]);
  expect(await faults()).toEqual([]);
});

test('an entry that is rewritten and hashed anew by the database’s own function is found', async () => {
  await write(3);
  await writer().write();
  await asOwner(
    `UPDATE audit_log SET actor = 'operator:somebody' WHERE id = 2`,
    'UPDATE audit_log a SET hash = audit_hash(a) WHERE id = 2',
  );
  expect(await faults()).toEqual([expect.stringMatching(/^checkpoint 1: the entries .* are not those/)]);
});

test('the newest entries are missed, and by a running server at once', async () => {
  await write(3);
  const itself = writer();
  await itself.write();
  await asOwner('DELETE FROM audit_log WHERE id = 3');
  expect(await faults()).toEqual([expect.stringContaining('2 are there, and were 3')]);
  await itself.write();
  expect(lines.join('')).toContain('newest entry of the audit log that was signed is not there');
});

test('a checkpoint that somebody without the secret makes is found', async () => {
  await write(3);
  await writer().write();
  await asOwner('DELETE FROM audit_checkpoint', 'DELETE FROM audit_log WHERE id = 3');
  await writer(new CheckpointKey('a secret that an attacker thought up, of 32')).write();
  expect(await faults()).toEqual([expect.stringContaining('with a secret that is not given')]);
  await asOwner(`UPDATE audit_checkpoint SET key_id = '${key.id}'`);
  expect((await faults()).join()).toContain('was not signed with our secret');
});

test('entries that are cut off together with their checkpoints are found by the server’s log and by the server', async () => {
  await write(2);
  const itself = writer();
  await itself.write();
  await write(1);
  await itself.write();
  const logged = checkpointsInLog(lines.map((line) => `api-1  | ${line}`).join('\n'));
  expect(logged.map(({ number }) => number)).toEqual([1, 2]);
  expect(await faults([key], logged)).toEqual([]);
  await asOwner('DELETE FROM audit_checkpoint WHERE number = 2', 'DELETE FROM audit_log WHERE id = 3');
  expect(await faults([key], logged)).toEqual([expect.stringContaining('checkpoint 2: is in the log')]);
  await itself.write();
  expect(lines.join('')).toContain('a checkpoint of the audit log was removed or exchanged');
  await write(1);
  await itself.write();
  expect(await faults([key], logged)).toEqual([expect.stringContaining('another one than in the log')]);
});

test('old entries without a checkpoint are a fault: somebody may have removed all of them', async () => {
  await write(2);
  await asOwner(`UPDATE audit_log SET created_at = now() - interval '1 hour'`);
  expect(await faults()).toEqual([expect.stringContaining('not signed yet, and are old')]);
});

test('after the secret was changed, the new one vouches for what the former signed', async () => {
  await write(2);
  await writer().write();
  const next = new CheckpointKey('the secret that came after it, of 32 characters');
  expect(await faults([next])).toEqual([expect.stringContaining('was QUITTANCE_SECRET changed?')]);
  await write(1);
  await writer(next).write();
  const checked = await checkCheckpoints(dataSource.manager, [next], []);
  expect(checked).toMatchObject({
    faults: [],
    notes: [expect.stringContaining('checkpoint 2 vouches for them')],
  });
  expect((await checkCheckpoints(dataSource.manager, [next, key], [])).notes).toEqual([]);
  await asOwner(`UPDATE audit_log SET actor = 'operator:somebody' WHERE id = 1`);
  expect(await faults([next])).toEqual([expect.stringContaining('are not those that were signed')]);
});

test('an entry that is committed after a later one is not passed over', async () => {
  const slow = new pg.Client({ connectionString: database.url });
  await slow.connect();
  await slow.query('BEGIN');
  await slow.query(`INSERT INTO audit_log (subject, actor, action) VALUES ('SLOW', 'job:slow', 'test')`);
  await write(1);
  const signing = writer().write();
  await slow.query('SELECT pg_sleep(0.2)');
  await slow.query('COMMIT');
  await slow.end();
  await signing;
  const [checkpoint] = await dataSource.manager.find(AuditCheckpoint);
  expect(checkpoint).toMatchObject({ entries: 2 });
  expect(await faults()).toEqual([]);
});

test('nodes that sign at once write each checkpoint once', async () => {
  await write(9);
  await Promise.all([1, 2, 3].map(() => writer(key, 2).write()));
  await writer(key, 2).write();
  const written = await dataSource.manager.find(AuditCheckpoint, { order: { number: 'ASC' } });
  expect(written.map(({ entries }) => entries)).toEqual([2, 4, 6, 8, 9]);
  expect(await faults()).toEqual([]);
});

test('the database refuses to change a checkpoint', async () => {
  await write(1);
  await writer().write();
  await expect(dataSource.query('DELETE FROM audit_checkpoint')).rejects.toThrow('never changed or deleted');
});
