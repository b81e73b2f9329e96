/**
 * Runs one of the commands that people type, such as `npm run api-key`: from its sources where they are, or, as in the
 * container, compiled.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const [program] = process.argv.splice(2, 1);
const source = join(root, 'src', `${program}.ts`);

if (existsSync(source)) {
  await import('@swc-node/register/esm-register');
  await import(pathToFileURL(source).href);
} else {
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(join(root, 'dist/src', `${program}.js`)).href);
}
