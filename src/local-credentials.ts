import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The secrets of a local run, which nobody has to make up: made once, kept for the owner's eyes in the data folder. */
export interface LocalCredentials {
  readonly secret: string;
  readonly operatorJwtSecret: string;
  apiKey?: string;
}

const FILE = 'local-credentials.json';

export async function readLocalCredentials(dataFolder: string): Promise<LocalCredentials> {
  const kept = await readKeptCredentials(dataFolder);
  if (kept) return kept;
  const random = () => randomBytes(32).toString('base64url');
  return writeLocalCredentials(dataFolder, { secret: random(), operatorJwtSecret: random() });
}

/** Makes none where there are none. */
export async function readKeptCredentials(dataFolder: string): Promise<LocalCredentials | undefined> {
  try {
    return JSON.parse(await readFile(join(dataFolder, FILE), 'utf8')) as LocalCredentials;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

export async function writeLocalCredentials(
  dataFolder: string,
  credentials: LocalCredentials,
): Promise<LocalCredentials> {
  await mkdir(dataFolder, { recursive: true });
  await writeFile(join(dataFolder, FILE), `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  return credentials;
}
