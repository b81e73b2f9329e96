import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Runs one of the files that are not part of the suite, because they fail on purpose. */
async function runPlanted(file: string): Promise<string> {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];
  const planted = ['--config', 'test/planted/jest.config.js', '--runInBand', file];
  const child = spawn(process.execPath, [...jest, ...planted], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [output] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return output;
}

test('a test during which the server logs an error that nobody expected fails, and prints the error', async () => {
  const output = await runPlanted('logged-error');
  expect(output).toContain('✕ an error that nobody expected');
  expect(output).toContain('could not do it: Error: a planted fault');
  expect(output).toContain('✓ an error that is provoked on purpose');
  expect(output).toContain('✓ an error of the domain');
  expect(output).toContain('✕ the same error in the next test');
}, 60_000);
