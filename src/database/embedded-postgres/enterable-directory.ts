import { chmod, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './embedded-postgres-error.js';

/**
 * The folder, made when missing, by its real path. Folders that we make can be entered by the server's account, whatever
 * the umask; others stay as they are.
 */
export async function makeEnterableDirectory(directory: string): Promise<string> {
  for (const made of await makeDirectories(directory)) await chmod(made, 0o755);
  return realpath(directory);
}

/**
 * Those that had to be made. Node's own `recursive` says ENOENT where the disk is full or read-only, and that advises
 * nobody.
 */
async function makeDirectories(directory: string): Promise<string[]> {
  try {
    await mkdir(directory);
    return [directory];
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && dirname(directory) !== directory) {
      const above = await makeDirectories(dirname(directory));
      await mkdir(directory);
      return [...above, directory];
    }
    if (errorCode(error) === 'EEXIST' && (await stat(directory)).isDirectory()) return [];
    throw error;
  }
}
