import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { readPassword, SUPERUSER, type Cluster } from './cluster.js';
import { readPostmasterFile } from './postmaster-file.js';
import { postgresProcessExists } from './process-state.js';

export interface RunningServer {
  readonly pid: number;
  /** Of the database `postgres`, with the superuser's name and password. */
  readonly url: string;
}

/** `unreachable` says why a living server does not count as ours yet. */
export type Finding = RunningServer | { readonly unreachable: unknown; readonly pid: number } | undefined;

/** The server that runs on this cluster, once it proved that it does. Undefined when none lives. */
export async function findRunningServer(cluster: Cluster): Promise<Finding> {
  const postmaster = await readPostmasterFile(cluster.dataDirectory);
  if (postmaster === undefined || !(await postgresProcessExists(postmaster.pid))) return undefined;
  const { pid, port, ready } = postmaster;
  if (!ready) return { pid, unreachable: new Error('it is starting or stopping') };
  const password = await readPassword(cluster);
  const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
  try {
    await proveThatItIsOurs(url, cluster);
    return { pid, url };
  } catch (error) {
    return { pid, unreachable: error };
  }
}

/**
 * A file left by a killed server can name a port that another program has by now, or a server on a copy of our
 * folder. So we put a file into our data folder and ask the server to read it to us.
 */
async function proveThatItIsOurs(url: string, { dataDirectory }: Cluster): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 3_000,
    query_timeout: 3_000,
  });
  // Without a listener, a connection that breaks between two queries would end the process.
  client.on('error', () => undefined);
  const secret = randomUUID();
  const fileName = `quittance-proof-${secret}`;
  const path = join(dataDirectory, fileName);
  try {
    await client.connect();
    await writeReadable(path, secret);
    const { rows } = await client.query<{ content: string }>('SELECT pg_read_file($1) AS content', [
      fileName,
    ]);
    if (rows[0]?.content !== secret) throw new Error('another server has its port');
  } finally {
    await rm(path, { force: true });
    await client.end();
  }
}

/** By the server's account too, whatever the umask; the data folder keeps everybody else out. */
async function writeReadable(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.chmod(0o644);
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}
