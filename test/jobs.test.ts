import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { addJobs } from '../src/jobs/add-jobs.js';
import { startJobRunner, type JobRunner, type Task } from '../src/jobs/job-runner.js';
import { eventually } from './support/eventually.js';
import { startCuttableProxy } from './support/cuttable-proxy.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';

const JOBS =
  'query ($status: JobStatus) { jobs(status: $status) { id task status tries maxTries lastError } }';
const RETRY = 'mutation ($id: ID!) { retryJob(id: $id) { id status tries } }';

describe('a job', () => {
  let app: RunningApp;
  let runner: JobRunner | undefined;

  beforeAll(async () => {
    app = await startTestApp();
  });

  afterEach(async () => {
    await runner?.stop();
    runner = undefined;
  });

  afterAll(() => app.stop());

  const start = async (name: string, run: Task['run'], log = pino({ level: 'silent' })): Promise<void> => {
    const tasks = [{ name, run }];
    runner = await startJobRunner({ databaseUrl: app.databaseUrl, tasks, concurrency: 2, log });
  };

  const jobs = async (status?: string) =>
    dataOf(await app.graphql(JOBS, { status }, app.operatorToken)).jobs as {
      id: string;
      task: string;
      status: string;
      tries: number;
      lastError: string | null;
    }[];

  const CONNECTIONS_OF_RUNNERS = `FROM pg_stat_activity
    WHERE application_name = 'quittance jobs' AND datname = current_database()`;

  /** Once there are any; none of them is left afterwards. */
  const endConnectionsOfRunners = () =>
    eventually(
      () =>
        app.dataSource.query<unknown[]>(`SELECT pg_terminate_backend(pid, 10000) ${CONNECTIONS_OF_RUNNERS}`),
      (ended) => ended.length > 0,
    );

  it('is done once what it was added with is committed, and not if that is rolled back', async () => {
    const done: unknown[] = [];
    await start('note', (payload) => {
      done.push(payload);
      return Promise.resolve();
    });
    const { manager } = app.dataSource;
    await expect(
      manager.transaction(async (transaction) => {
        await addJobs(transaction, [{ task: 'note', payload: { of: 'a change that never was' } }]);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    await manager.transaction((transaction) =>
      addJobs(transaction, [{ task: 'note', payload: { of: 'a change' } }]),
    );
    await eventually(
      () => Promise.resolve(done),
      (seen) => seen.length > 0,
    );
    expect(done).toEqual([{ of: 'a change' }]);
    expect(await jobs()).toEqual([]);
  });

  it('that has the key of one that waits takes its place', async () => {
    const runAt = new Date(Date.now() + 60_000);
    for (const name of ['the first', 'the second']) {
      await addJobs(app.dataSource.manager, [{ task: 'keyed', payload: { name }, key: 'one', runAt }]);
    }
    expect((await jobs('WAITING')).filter(({ task }) => task === 'keyed')).toHaveLength(1);
    await app.dataSource.query("SELECT graphile_worker.remove_job('one')");
  });

  it('that fails is tried again, is parked after its last try with an alert, and can be tried anew', async () => {
    const alerts: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void alerts.push(line) });
    let isBroken = true;
    let tries = 0;
    const run = (): Promise<void> => {
      tries += 1;
      return isBroken ? Promise.reject(new Error('the printer is on fire')) : Promise.resolve();
    };
    await start('print', run, log);
    await addJobs(app.dataSource.manager, [{ task: 'print', payload: {}, maxTries: 1 }]);
    const [parked] = await eventually(
      () => jobs('PARKED'),
      (seen) => seen.length === 1,
    );
    expect(parked).toMatchObject({ task: 'print', tries: 1, lastError: expect.stringContaining('on fire') });
    await eventually(
      () => Promise.resolve(alerts),
      (seen) => seen.some((line) => line.includes('a person has to look at it')),
    );
    isBroken = false;
    const again = dataOf(await app.graphql(RETRY, { id: parked?.id }, app.operatorToken)).retryJob;
    expect(again).toEqual({ id: parked?.id, status: 'WAITING', tries: 0 });
    await eventually(
      () => jobs(),
      (seen) => seen.length === 0,
    );
    expect(tries).toBe(2);
    const audited = await app.dataSource.query('SELECT actor, action FROM audit_log WHERE subject = $1', [
      `job:${parked?.id}`,
    ]);
    expect(audited).toEqual([{ actor: 'operator:olga', action: 'job.retried' }]);
  });

  it('that is under way when the server stops is finished first', async () => {
    let isFinished = false;
    let hasBegun = false;
    await start('slow', async () => {
      hasBegun = true;
      await sleep(300);
      isFinished = true;
    });
    await addJobs(app.dataSource.manager, [{ task: 'slow', payload: {} }]);
    await eventually(
      () => Promise.resolve(hasBegun),
      (begun) => begun,
    );
    await runner?.stop();
    expect(isFinished).toBe(true);
  });

  it('is done though the database was lost in its midst, and so are those after it', async () => {
    const { hostname, port } = new URL(app.databaseUrl);
    const proxy = await startCuttableProxy({ host: hostname, port: Number(port) });
    const url = new URL(app.databaseUrl);
    url.port = String(proxy.port);
    const done: unknown[] = [];
    let begun = 0;
    let mayEnd = false;
    const run: Task['run'] = async (payload) => {
      begun += 1;
      await eventually(() => mayEnd, Boolean);
      done.push(payload);
    };
    const log = pino({ level: 'silent' });
    const tasks = [{ name: 'wait', run }];
    runner = await startJobRunner({ databaseUrl: url.href, tasks, concurrency: 2, log });
    const add = (name: string) => addJobs(app.dataSource.manager, [{ task: 'wait', payload: { name } }]);
    await Promise.all(['the first', 'the second'].map(add));
    await eventually(
      () => begun,
      (count) => count === 2,
    );
    await proxy.cut();
    mayEnd = true;
    await eventually(
      () => done.length,
      (count) => count === 2,
    );
    await proxy.restore();
    await add('one after it');
    await eventually(jobs, (left) => left.length === 0);
    expect(done).toContainEqual({ name: 'one after it' });
    await runner.stop();
    runner = undefined;
    await proxy.cut();
  });

  it('is done after the administrator of the database has ended every connection of the runner', async () => {
    const done: unknown[] = [];
    await start('note', (payload) => Promise.resolve(void done.push(payload)));
    for (let round = 1; round <= 3; round += 1) {
      await endConnectionsOfRunners();
      await addJobs(app.dataSource.manager, [{ task: 'note', payload: { round } }]);
      await eventually(
        () => done,
        (seen) => seen.length === round,
      );
    }
  });

  it('is done though the connection was ended on which the runner was preparing for its first one', async () => {
    const done: unknown[] = [];
    const lock = app.dataSource.createQueryRunner();
    await lock.startTransaction();
    await lock.query('LOCK TABLE graphile_worker._private_tasks IN SHARE MODE');
    try {
      await start('note', (payload) => Promise.resolve(void done.push(payload)));
      await eventually(
        () =>
          app.dataSource.query<unknown[]>(`SELECT 1 ${CONNECTIONS_OF_RUNNERS} AND wait_event_type = 'Lock'`),
        (waiting) => waiting.length > 0,
      );
      await endConnectionsOfRunners();
    } finally {
      await lock.rollbackTransaction();
      await lock.release();
    }
    await addJobs(app.dataSource.manager, [{ task: 'note', payload: {} }]);
    await eventually(
      () => done,
      (seen) => seen.length === 1,
    );
  });

  it('is shown to operators alone, and only one that is there can be tried anew', async () => {
    expect(codeOf(await app.graphql(JOBS, {}, app.apiKey))).toBe('FORBIDDEN');
    expect(codeOf(await app.graphql(RETRY, { id: '1' }, app.apiKey))).toBe('FORBIDDEN');
    for (const id of ['999999999', 'not a number']) {
      expect(codeOf(await app.graphql(RETRY, { id }, app.operatorToken))).toBe('NOT_FOUND');
    }
  });
});
