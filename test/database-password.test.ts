import { loadConfig } from '../src/config.js';
import { createDataSource } from '../src/database/data-source.js';
import { startJobRunner } from '../src/jobs/job-runner.js';
import { pino } from 'pino';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';

const PASSWORD = ` p/w@rd:%41 #?$&'"`;

describe('DATABASE_PASSWORD', () => {
  let database: TestDatabase;
  let environment: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    const owner = await createDataSource({ url: database.url, poolSize: 1 }).initialize();
    await owner.query('SELECT set_config($1, $2, false)', ['quittance.password', PASSWORD]);
    await owner.query(`
      DO $$ BEGIN
        EXECUTE format('CREATE ROLE odd_password LOGIN SUPERUSER PASSWORD %L', current_setting('quittance.password'));
      END $$`);
    await owner.destroy();
    const url = new URL(database.url);
    url.username = 'odd_password';
    url.password = '';
    environment = { DATABASE_URL: url.href, DATABASE_PASSWORD: PASSWORD };
  });

  afterAll(async () => {
    // What it owns goes with the database.
    await database.drop();
    const url = new URL(database.url);
    url.pathname = '/postgres';
    const owner = await createDataSource({ url: url.href, poolSize: 1 }).initialize();
    await owner.query('DROP ROLE odd_password');
    await owner.destroy();
  });

  it('may have any character: the server and its jobs are let in with it', async () => {
    const url = loadConfig(environment).databaseUrl!;
    const dataSource = await createDataSource({ url, poolSize: 1 }).initialize();
    expect(await dataSource.query('SELECT current_user AS name')).toEqual([{ name: 'odd_password' }]);
    await dataSource.destroy();
    const log = pino({ level: 'silent' });
    const runner = await startJobRunner({
      databaseUrl: url,
      tasks: [{ name: 'none', run: async () => {} }],
      concurrency: 1,
      log,
    });
    await runner.stop();
  });

  it('is what lets it in', async () => {
    const url = loadConfig({ ...environment, DATABASE_PASSWORD: PASSWORD.trim() }).databaseUrl!;
    await expect(createDataSource({ url, poolSize: 1 }).initialize()).rejects.toThrow(
      /password authentication/,
    );
  });
});
