import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isObjectType,
  parse,
  validate,
  type GraphQLSchema,
} from 'graphql';
import { parse as parseYaml } from 'yaml';
import { BANK_VARIABLES, loadConfig, VARIABLES } from '../src/config.js';
import { TYPES_TO_LIST } from '../src/providers/stripe/notifications.js';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

let schema: GraphQLSchema;
beforeAll(() => {
  schema = buildSchema(read('schema.graphql'));
});

test('every query that the README and its frontend show is one that the API answers', () => {
  const readme = read('README.md');
  const inCurl = [...readme.matchAll(/"query": ("(?:[^"\\]|\\.)*")/g)].map(([, text]) => JSON.parse(text!));
  const example = read('examples/frontend/pay.ts');
  const inCode = [...example.matchAll(/^const [A-Z]+ = `([^`]+)`;$/gm)].map(([, text]) => text!);
  const queries = [...inCurl, ...inCode];
  expect(queries.length).toBeGreaterThanOrEqual(5);
  for (const query of queries) expect(validate(schema, parse(query))).toEqual([]);
});

test.each(['README.md', 'docs/saved-methods-and-subscriptions.md', 'docs/webhooks.md'])(
  'every operation that %s shows is one that the API knows',
  (document) => {
    const operations = [...read(document).matchAll(/```graphql\n([^`]+)```/g)].map(([, text]) => text!);
    expect(operations.length).toBeGreaterThan(0);
    for (const operation of operations) expect(validate(schema, parse(operation))).toEqual([]);
  },
);

test('every notification of Stripe’s that we follow is one that the documents ask for', () => {
  const asked = `${read('README.md')} ${read('docs/saved-methods-and-subscriptions.md')}`;
  const isAsked = (type: string) =>
    asked.includes(`\`${type}\``) || asked.includes(`\`${type.slice(0, type.lastIndexOf('.'))}.*\``);
  expect(TYPES_TO_LIST.flat().length).toBeGreaterThan(20);
  expect(TYPES_TO_LIST.flat().filter((type) => !isAsked(type))).toEqual([]);
});

test.each(['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'src/providers/README.md'])(
  'every file that %s names exists',
  (document) => {
    const text = read(document);
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) =>
      join(document, '..', decodeURI(path!)),
    );
    const inCode = [...text.matchAll(/`((?:src|test|scripts|docs|migrations|bench)\/[\w./-]+)`/g)].map(
      ([, path]) => path!,
    );
    const paths = [...links, ...inCode];
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  },
);

test.each(['README.md', 'CONTRIBUTING.md'])('every npm script that %s names exists', (document) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read(document).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('docker-compose.yml sets only variables that config.ts knows, and all that production needs', () => {
  const compose = parseYaml(read('docker-compose.yml')) as {
    services: { api: { environment: Record<string, string> } };
  };
  const set = Object.keys(compose.services.api.environment);
  const isKnown = (name: string) =>
    name in VARIABLES ||
    Object.keys(BANK_VARIABLES).some((ending) => /^BANK_/.test(name) && name.endsWith(ending));
  expect(set.filter((name) => !isKnown(name))).toEqual([]);
  expect(set).toEqual(
    expect.arrayContaining(['NODE_ENV', 'DATABASE_URL', 'PUBLIC_URL', 'ALLOWED_ORIGINS', 'QUITTANCE_SECRET']),
  );
});

test('in the container, whoever runs the server may write its data folder, and Compose keeps it', () => {
  const stage = read('Dockerfile')
    .split(/^FROM /m)
    .at(-1)!;
  const folder = loadConfig({}).dataFolder;
  const makes = `RUN install --directory --owner=node --group=node --mode=700 ${folder}\n`;
  expect(stage).toContain('WORKDIR /app\n');
  // Only root can give it away.
  expect(stage.indexOf(makes)).toBeGreaterThan(0);
  expect(stage.indexOf(makes)).toBeLessThan(stage.indexOf('USER node\n'));
  const { services, volumes } = parseYaml(read('docker-compose.yml')) as {
    services: { api: { volumes: string[]; environment: Record<string, string> } };
    volumes: Record<string, null>;
  };
  expect(services.api.volumes).toEqual([`data:${join('/app', folder)}`]);
  expect(services.api.environment).not.toHaveProperty('DATA_FOLDER');
  expect(volumes).toHaveProperty('data');
});

test('everything in the schema says what it is', () => {
  const silent: string[] = [];
  const note = (name: string, { description }: { description?: string | null }) => {
    if (!description) silent.push(name);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || ['Query', 'Mutation', 'Subscription'].includes(type.name)) continue;
    note(type.name, type);
    if (isEnumType(type)) for (const value of type.getValues()) note(`${type.name}.${value.name}`, value);
    if (isObjectType(type) || isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) note(`${type.name}.${field.name}`, field);
    }
  }
  expect(silent).toEqual([]);
});
