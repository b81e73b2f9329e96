import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildProduct, type BuiltProduct } from './support/program.js';

const ROOT = resolve(import.meta.dirname, '..');
const SUPPORTED = [20, 22, 24];
/** The one that runs the tests runs everything. */
const OTHERS = SUPPORTED.filter((major) => !process.version.startsWith(`v${major}.`));

let folder: string;
let product: BuiltProduct;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quittance-nodes-'));
  await chmod(folder, 0o755);
  product = await buildProduct();
});
afterAll(async () => {
  await product.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Where `.ci/run` installs it. */
function nodeOf(major: number): string {
  return join(ROOT, '.nodes', String(major), 'node_modules/node/bin/node');
}

const here = OTHERS.filter((major) => existsSync(nodeOf(major)));
const missing = OTHERS.filter((major) => !here.includes(major));

if (missing.length > 0) {
  test.skip(`is not tried on Node ${missing.join(' and ')}, which .ci/run installs into .nodes/`, () =>
    undefined);
}

if (here.length > 0) {
  test.each(here)('on Node %i the product starts, and is paid in all stories of the demo', async (major) => {
    const demo = product.start('demo/main.js', {
      node: nodeOf(major),
      environment: { DATA_FOLDER: join(folder, String(major)) },
    });
    expect(await demo.ended()).toBe(0);
    expect(demo.output).toContain('6 orders, 6 payments');
    expect(demo.output).not.toMatch(/Deprecat|Experimental/);
  });
}

test('package.json, .nvmrc and the image name Nodes that are tried here', async () => {
  const read = (file: string) => readFile(join(ROOT, file), 'utf8');
  const { engines } = JSON.parse(await read('package.json')) as { engines: { node: string } };
  expect(engines.node.match(/(?<=[\^=])\d+/g)?.map(Number)).toEqual(SUPPORTED);
  const images = [...(await read('Dockerfile')).matchAll(/^FROM node:(\d+)/gm)].map(([, major]) => major);
  expect(new Set([...images, (await read('.nvmrc')).trim()])).toEqual(new Set(['24']));
});
