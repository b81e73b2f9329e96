import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
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

interface Compose {
  readonly services: {
    readonly api: {
      readonly env_file: string;
      readonly environment: Readonly<Record<string, string>>;
      readonly restart: string;
      readonly healthcheck: { readonly test: readonly string[] };
      readonly volumes: readonly string[];
    };
  };
  readonly volumes: Readonly<Record<string, null>>;
}

const compose = () => parseYaml(read('docker-compose.yml')) as Compose;

test('docker-compose.yml passes on every variable of .env, but for those that say where things are in there', () => {
  const { env_file, environment } = compose().services.api;
  expect(env_file).toBe('.env');
  const known = [...Object.keys(VARIABLES), ...Object.keys(BANK_VARIABLES).map((name) => `BANK_X_${name}`)];
  const documented = [...read('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name!);
  expect(documented.sort()).toEqual(known.sort());
  // What stands in .env reaches the container, unless it is set here to something else.
  const lost = Object.keys(environment).filter((name) => !environment[name]!.startsWith(`\${${name}:`));
  expect(lost.sort()).toEqual([
    'DATABASE_PASSWORD',
    'DATABASE_URL',
    'DATA_FOLDER',
    'HOST',
    'MIGRATION_DATABASE_PASSWORD',
    'MIGRATION_DATABASE_URL',
    'NODE_ENV',
    'PORT',
  ]);
  expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
});

test('what docker-compose.yml sets is a configuration of production, whatever the password of the database', () => {
  const password = 'p/w@rd:%41 #?$';
  const { environment } = compose().services.api;
  const env = {
    SERVER_POSTGRES_PASSWORD: password,
    POSTGRES_PASSWORD: 'another/one',
    PUBLIC_URL: 'https://pay.example',
    ALLOWED_ORIGINS: 'https://shop.example',
    QUITTANCE_SECRET: randomBytes(32).toString('base64'),
    OPERATOR_JWT_SECRET: randomBytes(32).toString('base64'),
    BANKS: 'x',
    BANK_X_URL: 'https://gateway.bank.example/api',
    BANK_X_API_KEY: randomBytes(32).toString('base64'),
    BANK_X_WEBHOOK_SECRETS: randomBytes(32).toString('base64'),
  };
  const interpolated = Object.entries(environment).map(([name, value]) => [
    name,
    value.replace(
      /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
      (_, variable: string, sign?: string, otherwise?: string) =>
        (env as Record<string, string>)[variable] ?? (sign === '-' ? otherwise! : ''),
    ),
  ]);
  const config = loadConfig({ ...env, ...(Object.fromEntries(interpolated) as Record<string, string>) });
  expect(decodeURIComponent(new URL(config.databaseUrl!).password)).toBe(password);
  expect(decodeURIComponent(new URL(config.migrationDatabaseUrl!).password)).toBe('another/one');
  expect(config.banks).toMatchObject([{ name: 'bank-x' }]);
});

test('the server in the container starts again after a crash, and says whether it can serve', () => {
  const { restart, healthcheck } = compose().services.api;
  expect(restart).toBe('unless-stopped');
  const [, node, , program] = healthcheck.test;
  expect(node).toBe('node');
  expect(spawnSync(process.execPath, ['-e', program!]).status).toBe(1);
});

test('every command for operators works in the container, where there are no sources and no TypeScript', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const programs = ['api-key', 'reconcile', 'audit:verify'].map((name) => scripts[name]);
  for (const program of programs) {
    const [, source] = /^node scripts\/run\.js (\S+)$/.exec(program!)!;
    expect(existsSync(join(root, 'src', `${source}.ts`))).toBe(true);
  }
  expect(
    read('Dockerfile')
      .split(/^FROM /m)
      .at(-1),
  ).toContain('COPY scripts/run.js scripts/run.js\n');
  expect(read('.dockerignore')).toContain('\n!scripts\n');
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
  const { services, volumes } = compose();
  expect(services.api.volumes).toEqual([`data:${join('/app', folder)}`]);
  expect(services.api.environment.DATA_FOLDER).toBe(folder);
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
