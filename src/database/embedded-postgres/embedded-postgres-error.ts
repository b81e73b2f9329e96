/** Why the embedded PostgreSQL can't run, in a message that says what to do next. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

const FILE_ERROR_ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'is not writable for this user: change its owner, or choose another folder',
  EPERM: 'is not writable for this user: change its owner, or choose another folder',
  EROFS: 'is on a read-only file system: choose a folder that can be written to',
  ENOTDIR: 'is not a folder: remove the file that is in its place, or choose another folder',
  EEXIST: 'is not a folder: remove the file that is in its place, or choose another folder',
  ENOSPC: 'is on a full disk: free some space (about 100 MB) and start again',
  EDQUOT: 'is over the disk quota: free some space (about 100 MB) and start again',
};

/** Runs file operations on `directory`, and turns the file system's refusals into advice. */
export async function explainingFileErrors<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const advice = FILE_ERROR_ADVICE[errorCode(error) ?? ''];
    if (advice === undefined) throw error;
    throw new EmbeddedPostgresError(`The folder of the embedded PostgreSQL, ${directory}, ${advice}.`, {
      cause: error,
    });
  }
}

/** The `code` that Node and pg put on their errors: 'ENOENT', '3D000'. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The end of a program's output, where the reason of a failure stands; a full disk is named first. */
export function reasonIn(output: string): string {
  const tail = output.trim().split('\n').slice(-12).join('\n');
  const fullDisk = /no space left on device|disk quota exceeded/i.test(output);
  return (fullDisk ? 'The disk is full: free some space (about 100 MB) and start again.\n' : '') + tail;
}
