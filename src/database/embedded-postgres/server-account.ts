import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { errorCode } from './embedded-postgres-error.js';

/** The operating system's user that the server runs as. Undefined: the one that this process runs as. */
export type ServerAccount = { readonly uid: number; readonly gid: number } | undefined;

const NOBODY_WHERE_IT_IS_NOT_LISTED = { uid: 65534, gid: 65534 };

/**
 * PostgreSQL refuses to run as root, so root hands it to the owner of the data where there is data already, and to
 * `nobody` where there is none.
 */
export async function chooseServerAccount(dataDirectory: string): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return undefined;
  return (await ownerOf(dataDirectory)) ?? (await nobody());
}

async function ownerOf(directory: string): Promise<ServerAccount> {
  try {
    const { uid, gid } = await stat(directory);
    return uid === 0 ? undefined : { uid, gid };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function nobody(): Promise<NonNullable<ServerAccount>> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(accounts) ?? [];
  if (uid === undefined || gid === undefined || Number(uid) === 0) return NOBODY_WHERE_IT_IS_NOT_LISTED;
  return { uid: Number(uid), gid: Number(gid) };
}

/** Asked of the operating system rather than worked out from mode bits, which know neither ACLs nor mount options. */
export async function canEnter(account: ServerAccount, directory: string): Promise<boolean> {
  if (account === undefined) return true;
  const { exitCode } = await runProgram('/bin/sh', ['-c', 'test -x "$1"', 'sh', directory], account, '/');
  return exitCode === 0;
}

/**
 * What the server's programs see of our environment: not our secrets, which its account could read in /proc, and no
 * PGDATA, PGPORT or PGOPTIONS that would override what we say on the command line.
 */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const passedOn = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'LD_LIBRARY_PATH'];
  const found = passedOn.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(found), LC_ALL: 'C', TZ: 'UTC' };
}

/** Runs to the end. A program that can't be started at all has no exit code, and its reason as the output. */
export function runProgram(
  program: string,
  parameters: readonly string[],
  account: ServerAccount,
  workingDirectory: string,
): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(
      program,
      parameters,
      { ...account, cwd: workingDirectory, env: serverEnvironment(), windowsHide: true },
      (error, standardOutput, standardError) => {
        if (error === null) return resolve({ exitCode: 0, output: standardOutput + standardError });
        const exitCode = typeof error.code === 'number' ? error.code : undefined;
        resolve({ exitCode, output: standardOutput + standardError || error.message });
      },
    );
  });
}
