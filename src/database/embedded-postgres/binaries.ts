import { readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EmbeddedPostgresError, errorCode, reasonIn } from './embedded-postgres-error.js';
import { runProgram, type ServerAccount } from './server-account.js';

/** One unpacked PostgreSQL. */
export interface Binaries {
  /** Holds `bin`, `lib` and `share`, which find each other by relative paths, so that it can be copied as a whole. */
  readonly directory: string;
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** The npm package's version and platform, such as `18.4.0-linux-x64`. */
  readonly label: string;
  readonly majorVersion: string;
}

const PLATFORM_NAMES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'linux',
  darwin: 'darwin',
  win32: 'windows',
};

const INSTEAD = 'or set DATABASE_URL to a PostgreSQL of your own';

/** The binaries in the npm package for this platform. */
export async function findBinaries(): Promise<Binaries> {
  const platform = `${PLATFORM_NAMES[process.platform] ?? process.platform}-${process.arch}`;
  const exported = await importPackage(`@embedded-postgres/${platform}`);
  const directory = dirname(dirname(exported.postgres));
  const manifest: unknown = JSON.parse(await readFile(join(directory, '..', 'package.json'), 'utf8'));
  const { version } = manifest as { version: string };
  await restoreSymbolicLinks(directory);
  return {
    directory,
    initdb: exported.initdb,
    postgres: exported.postgres,
    pgCtl: exported.pg_ctl,
    label: `${version}-${platform}`,
    majorVersion: version.split('.')[0] ?? version,
  };
}

/** The same binaries after their folder was copied. */
export function binariesIn(directory: string, original: Binaries): Binaries {
  const inside = (program: string): string => join(directory, 'bin', basename(program));
  return {
    ...original,
    directory,
    initdb: inside(original.initdb),
    postgres: inside(original.postgres),
    pgCtl: inside(original.pgCtl),
  };
}

/** Undefined when they run; otherwise why not. */
export async function whyNotRunnable(
  binaries: Binaries,
  account: ServerAccount,
): Promise<EmbeddedPostgresError | undefined> {
  const { exitCode, output } = await runProgram(binaries.postgres, ['--version'], account, '/');
  if (exitCode === 0) return undefined;
  return new EmbeddedPostgresError(
    `The PostgreSQL in ${binaries.directory} can't run here: install again with "npm ci", ${INSTEAD}.\n${reasonIn(output)}`,
  );
}

interface PlatformPackage {
  readonly initdb: string;
  readonly postgres: string;
  readonly pg_ctl: string;
}

async function importPackage(name: string): Promise<PlatformPackage> {
  try {
    return (await import(name)) as PlatformPackage;
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The npm package ${name} with PostgreSQL's programs is missing: run "npm ci" without --omit=optional, ${INSTEAD}.`,
      { cause: error },
    );
  }
}

/**
 * npm packages can't carry symbolic links: the package makes them in its install script, which `--ignore-scripts`
 * and careful npm settings skip. Without them the programs don't find their libraries.
 */
async function restoreSymbolicLinks(directory: string): Promise<void> {
  const packageDirectory = dirname(directory);
  for (const { source, target } of await listedSymbolicLinks(directory)) {
    try {
      await symlink(basename(source), resolve(packageDirectory, target));
    } catch (error) {
      // Where node_modules can't be written to, `whyNotRunnable` says whether it matters.
      if (!['EEXIST', 'EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
    }
  }
}

async function listedSymbolicLinks(directory: string): Promise<{ source: string; target: string }[]> {
  try {
    const list = await readFile(join(directory, 'pg-symlinks.json'), 'utf8');
    return JSON.parse(list) as { source: string; target: string }[];
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
