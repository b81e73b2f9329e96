import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mailFolder } from '../create-emails.js';
import { readMail, type Mail } from './read-mail.js';

export interface MailFile extends Mail {
  readonly path: string;
}

/** Undefined where the server has a mail server, and writes no files. */
export async function findMailFile(dataFolder: string, emailId: string): Promise<MailFile | undefined> {
  const folder = mailFolder({ dataFolder });
  const names = await namesIn(folder);
  const name = names.find((each) => each.startsWith(`${emailId}.`) && each.endsWith('.eml'));
  if (name === undefined) return undefined;
  const path = join(folder, name);
  return { path, ...readMail(await readFile(path, 'latin1')) };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
