/** The API is a promise: `schema.graphql` is committed, and the code must say the same. `--write` renews it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { createSchema } from '../src/graphql/schema.js';

const FILE = join(import.meta.dirname, '..', 'schema.graphql');
const HEADER = '# Made from the code by `npm run schema`. Don’t edit.\n\n';

const schema = HEADER + printSchema(lexicographicSortSchema(await createSchema())) + '\n';
if (process.argv.includes('--write')) {
  await writeFile(FILE, schema);
} else if ((await readFile(FILE, 'utf8')) !== schema) {
  console.error('schema.graphql is not what the code says. Run `npm run schema`, and read the difference.');
  process.exit(1);
}
