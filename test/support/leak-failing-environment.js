import { TestEnvironment } from 'jest-environment-node';
import { setTimeout as sleep } from 'node:timers/promises';

/** Node's names for what keeps a process alive. Pipes are left out: Jest talks to its workers through them. */
const WATCHED = new Set([
  'Timeout',
  'TCPServerWrap',
  'TCPSocketWrap',
  'PipeServerWrap',
  'UDPWrap',
  'ProcessWrap',
  'FSEventWrap',
  'StatWatcher',
]);

/** Sockets that were told to close need a moment, and so do the short timers of Jest's own reporters. */
const GRACE_MILLISECONDS = 1_000;
const POLL_MILLISECONDS = 20;

/**
 * Fails a test during which a server under test logged an error that nobody expected (`unexpected-errors.ts`), and fails
 * a test file that leaves a timer, a server, a socket or a child process behind when its last `afterAll` is done.
 * It is an environment and not a setup file, because a setup file's `afterAll` runs before those of the test file.
 * Jest loads it without compiling it, so it is JavaScript.
 */
export default class LeakFailingEnvironment extends TestEnvironment {
  #before = new Map();

  #expectedInFile = 0;

  async handleTestEvent(event, state) {
    if (event.name === 'run_start') this.#before = countResources();
    if (event.name === 'test_start') this.#expectedInFile = this.#registry.expected.length;
    if (event.name === 'test_done') {
      event.test.errors.push(...this.#unexpectedErrors());
      this.#registry.expected.length = this.#expectedInFile;
    }
    if (event.name !== 'run_finish') return;
    // Logged while the servers stopped.
    state.unhandledErrors.push(...this.#unexpectedErrors());
    const leaks = await this.#leaksAfterGrace();
    // Reported beside the tests' own results: throwing here would replace a failure that explains the leak.
    if (leaks.length > 0) state.unhandledErrors.push(errorFor(leaks));
  }

  get #registry() {
    return this.global.quittanceUnexpectedErrors ?? { errors: [], expected: [] };
  }

  #unexpectedErrors() {
    return this.#registry.errors.splice(0).map((text) => {
      const error = new Error(`The server logged an error that nobody expected: ${text}`);
      // Where it was found says nothing about where it was made, and the text says that already.
      error.stack = `${error.name}: ${error.message}`;
      return error;
    });
  }

  async #leaksAfterGrace() {
    const deadline = Date.now() + GRACE_MILLISECONDS;
    let leaks = leakedSince(this.#before);
    while (leaks.length > 0 && Date.now() < deadline) {
      await sleep(POLL_MILLISECONDS);
      leaks = leakedSince(this.#before);
    }
    return leaks;
  }
}

function countResources() {
  const counts = new Map();
  for (const kind of process.getActiveResourcesInfo()) {
    if (WATCHED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function leakedSince(before) {
  return [...countResources()]
    .map(([kind, count]) => ({ kind, count: count - (before.get(kind) ?? 0) }))
    .filter(({ count }) => count > 0);
}

function errorFor(leaks) {
  const counted = leaks.map(({ kind, count }) => `${count} × ${kind}`).join(', ');
  const error = new Error(
    `This test file left something open after its last afterAll: ${counted}. Close what it opened; ` +
      '"npm test -- --detectOpenHandles <file>" shows where most of it was made.',
  );
  // Where the leak was found says nothing about where it was made.
  error.stack = `${error.name}: ${error.message}`;
  return error;
}
