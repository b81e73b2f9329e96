/** The migrations must make what the entities say, and be able to undo it. Checked on a real, empty database. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataSource } from '../src/database/data-source.js';
import { createDatabaseIfMissing, startEmbeddedPostgres } from '../src/database/embedded-postgres.js';

const directory = await mkdtemp(join(tmpdir(), 'quittance-check-'));
const postgres = await startEmbeddedPostgres({ directory, settings: { fsync: 'off' } });
try {
  const dataSource = createDataSource({ url: await createDatabaseIfMissing(postgres.url, 'entities') });
  await dataSource.initialize();
  await dataSource.runMigrations();
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  for (const _migration of dataSource.migrations) await dataSource.undoLastMigration();
  await dataSource.runMigrations();
  await dataSource.destroy();
  if (upQueries.length > 0) {
    console.error('The entities say what no migration makes. Write a migration with:\n');
    for (const { query } of upQueries) console.error(`  ${query};`);
    process.exitCode = 1;
  }
} finally {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
