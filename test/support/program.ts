import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const CHECKOUT = resolve(import.meta.dirname, '../..');

/** The product as `npm run build` makes it, in a folder of its own. */
export interface BuiltProduct {
  /** @param program such as `main.js`. */
  start(program: string, options?: ProgramOptions): Program;
  /** Kills what still runs of it. */
  remove(): Promise<void>;
}

/** A program of ours in a process of its own, as a person starts it. */
export interface Program {
  readonly process: ChildProcess;
  /** Everything it printed, to both outputs, in the order in which it came. */
  readonly output: string;
  /** Waits until this was printed. @throws with the whole output when the program ends without it. */
  until(expected: RegExp): Promise<RegExpExecArray>;
  /** Waits for its end. @returns the exit code, null after a signal that it didn't handle. */
  ended(): Promise<number | null>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

export interface ProgramOptions {
  readonly arguments?: readonly string[];
  /** All that it knows of the environment, beside PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Another Node than the one that runs the tests. */
  readonly node?: string;
  readonly account?: { readonly uid: number; readonly gid: number };
  /** URLs of modules that its process loads first; they and the test talk to each other by `process.send`. */
  readonly preload?: readonly string[];
}

/** Takes a second or two, and saves more than that with each program: none has to compile TypeScript. */
export async function buildProduct(): Promise<BuiltProduct> {
  const folder = await mkdtemp(join(tmpdir(), 'quittance-built-'));
  await chmod(folder, 0o755);
  await cp(join(CHECKOUT, 'package.json'), join(folder, 'package.json'));
  await symlink(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
  const swc = join(CHECKOUT, 'node_modules/@swc/cli/bin/swc.js');
  const parameters = ['src', 'migrations', '--out-dir', join(folder, 'dist'), '--copy-files', '--quiet'];
  await promisify(execFile)(process.execPath, [swc, ...parameters], { cwd: CHECKOUT });
  const programs: Program[] = [];
  return {
    start(
      program,
      { arguments: given = [], environment, account, node = process.execPath, preload = [] } = {},
    ) {
      const imports = preload.flatMap((module) => ['--import', module]);
      const child = spawn(node, [...imports, join(folder, 'dist/src', program), ...given], {
        ...account,
        cwd: folder,
        env: { PATH: process.env.PATH, ...environment },
        stdio: ['ignore', 'pipe', 'pipe', ...(preload.length > 0 ? (['ipc'] as const) : [])],
      });
      programs.push(follow(child));
      return programs.at(-1)!;
    },
    async remove() {
      await Promise.all(programs.map((program) => program.kill('SIGKILL')));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function follow(child: ChildProcess): Program {
  let output = '';
  const closed = once(child, 'close') as Promise<[number | null]>;
  const collect = (chunk: Buffer) => (output += chunk.toString());
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const ended = async () => (await closed)[0];
  return {
    process: child,
    get output() {
      return output;
    },
    ended,
    async until(expected) {
      for (;;) {
        const found = expected.exec(output);
        if (found) return found;
        const more = Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data')]).then(
          () => true,
        );
        if (!(await Promise.race([more, closed.then(() => false)]))) {
          throw new Error(`it ended (${child.exitCode ?? child.signalCode}) without ${expected}:\n${output}`);
        }
      }
    },
    async kill(signal) {
      child.kill(signal);
      return ended();
    },
  };
}
