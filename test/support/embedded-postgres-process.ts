import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';

/** The program that `embedded-postgres-starter.ts` runs: starts the server of a folder, tells how it went, and stays. */
const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: embedded-postgres-process.ts <directory>');
const log = (message: string): void => console.error(message);
try {
  const { url, adopted, pid, clusterDirectory } = await startEmbeddedPostgres({ directory, log });
  console.log(JSON.stringify({ url, adopted, pid, clusterDirectory }));
  // Only in order to be killed: the server itself must not keep a process alive.
  setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
}
