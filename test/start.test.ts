import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { postgresProcessExists } from '../src/database/embedded-postgres/process-state.js';
import { eventually } from './support/eventually.js';
import { buildProduct, type BuiltProduct, type Program, type ProgramOptions } from './support/program.js';
import { TEST_POSTGRES_URL_VARIABLE } from './support/postgres.js';
import { itWithNobody, NOBODY } from './support/two-users.js';

const TEST_DATABASE = process.env[TEST_POSTGRES_URL_VARIABLE]!;

let folder: string;
let product: BuiltProduct;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quittance-start-'));
  await chmod(folder, 0o755);
  product = await buildProduct();
});

afterAll(async () => {
  await product.remove();
  const pid = await postgresOf(folder);
  if (pid !== undefined) process.kill(pid, 'SIGQUIT');
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

describe('a server on its own database', () => {
  let server: Program;
  let url: string;
  let postgres: number;
  beforeAll(async () => {
    ({ server, url } = await startServer());
    postgres = (await postgresOf(folder))!;
  });

  it('prints three commands that make a first payment when they are pasted into bash', async () => {
    const [order, atBank, , look] = commandsIn(server.output);
    await expectPaid(`${order}
      page=$(${atBank} | node -pe 'JSON.parse(require("fs").readFileSync(0)).data.createPaymentIntent.nextAction.url')
      [[ $(curl -s -L -d '' "$page/pay") == *"You are back."* ]]
      until answer=$(${look}); [[ $answer == *CONFIRMED* ]]; do sleep 0.05; done
      echo "$answer"`);
  });

  it('prints another one, which pays by mobile money at a phone that it names', async () => {
    const [order, , byPhone, look] = commandsIn(server.output);
    const [, phone] = /2\. Or .* open the phone, (http:\S+),/.exec(server.output)!;
    await expectPaid(`${order}
      payment=$(${byPhone}); [[ $payment == *"Enter your PIN there."* ]]
      curl -s -X POST "${new URL(phone!).origin}$(curl -s ${phone} | grep -o '/phone/[^/"]*/approve')"
      until answer=$(${look}); [[ $answer == *CONFIRMED* ]]; do sleep 0.05; done
      echo "$answer"`);
  });

  it('prints a backend key and an operator token that the server takes', async () => {
    const [, key] = /backend key +(\S+)/.exec(server.output)!;
    const [, token] = /operator token +(\S+)/.exec(server.output)!;
    const orderId = await createOrder(url);
    for (const credential of [key!, token!]) {
      expect(await statusOfOrder(url, orderId, credential)).toBe('OPEN');
    }
  });

  it('tells a merchant’s own server on this machine of payments, and writes e-mails into the folder that it prints', async () => {
    const [, key] = /backend key +(\S+)/.exec(server.output)!;
    const { webhookEndpoint } = (
      await ask(
        url,
        'mutation { createWebhookEndpoint(input: { url: "http://localhost:3000/" }) { webhookEndpoint { id } } }',
        key,
      )
    ).createWebhookEndpoint;
    expect(webhookEndpoint.id).toMatch(/^WHE-/);
    const [, mails] = /e-mails +(\S+)\/\*\.eml/.exec(server.output)!;
    await eventually(async () =>
      expect(await readdir(mails!)).toContainEqual(expect.stringMatching(/\.eml$/)),
    );
  });

  it('keeps its database when another start on its folder fails, because the port is taken', async () => {
    const { port } = new URL(url);
    const other = start({ PORT: port, DATA_FOLDER: folder });
    expect(await other.ended()).toBe(1);
    expect(lastWords(other)).toBe(
      `Port ${port} is taken. Stop what uses it, or choose another one: PORT=${Number(port) + 1} npm start`,
    );
    await expectReady(url);
    expect(await postgresOf(folder)).toBe(postgres);
  });

  it('keeps its database when another server on its folder stops', async () => {
    const other = await startServer();
    await expectReady(other.url);
    expect(await other.server.kill('SIGTERM')).toBe(0);
    expect(other.server.output).toContain('PostgreSQL goes on');
    await expectReady(url);
  });

  it('has everything that was written before a kill -9, and then goes on in the same PostgreSQL', async () => {
    const orderId = await createOrder(url);
    const [, key] = /backend key +(\S+)/.exec(server.output)!;
    await server.kill('SIGKILL');
    ({ server, url } = await startServer());
    expect(await postgresOf(folder)).toBe(postgres);
    expect(server.output).toContain(key);
    expect(await statusOfOrder(url, orderId, key!)).toBe('OPEN');
  });

  it('finishes the request under way at SIGTERM, and stops its PostgreSQL', async () => {
    const { port } = new URL(url);
    const slow = await beginRequest(Number(port));
    const ended = server.kill('SIGTERM');
    await server.until(/finishing what is under way/);
    expect(await slow.finish()).toContain('"products":');
    expect(await ended).toBe(0);
    expect(await postgresProcessExists(postgres)).toBe(false);
    expect(await postgresOf(folder)).toBeUndefined();
    await expect(stat(join(folder, 'sandbox.json'))).rejects.toThrow('ENOENT');
  });

  it('leaves no PostgreSQL behind when the port is taken by somebody else', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const failed = start({ PORT: String(port), DATA_FOLDER: folder });
    expect(await failed.ended()).toBe(1);
    expect(lastWords(failed)).toMatch(`Port ${port} is taken.`);
    expect(await postgresOf(folder)).toBeUndefined();
    squatter.close();
  });
});

it('a server says first of all what each bank will be sent for an amount', async () => {
  const wrong = new URL(TEST_DATABASE);
  wrong.password = 'wrong-password';
  const words = await whyNot({
    DATABASE_URL: wrong.href,
    BANKS: 'x',
    BANK_X_URL: 'https://bank.example',
    BANK_X_API_KEY: 'key',
    BANK_X_WEBHOOK_SECRETS: 'a secret that is long enough to be one',
    BANK_X_AMOUNT_FORMAT: 'MINOR_UNITS',
    BANK_X_CURRENCIES: 'XOF,EUR',
    BANK_X_AMOUNT_EXPONENTS: 'XOF=2',
  });
  expect(words).toContain('bank-x: XOF 15000 will be sent as 1500000');
  expect(words).toContain('bank-x: EUR 10.99 will be sent as 1099');
});

describe('a start that can’t be says why in a sentence, and ends with 1', () => {
  itWithNobody('the data folder is not writable', async () => {
    const dataFolder = join(folder, 'not-yours');
    const words = await whyNot({ DATA_FOLDER: dataFolder }, { account: NOBODY });
    expect(words).toBe(
      `The data folder ${dataFolder} can't be written (EACCES). Make it writable, or set DATA_FOLDER to another one.`,
    );
  });

  it('the data folder is a file', async () => {
    const words = await whyNot({ DATA_FOLDER: join(import.meta.dirname, 'start.test.ts') });
    expect(words).toMatch(/^The data folder .*start\.test\.ts can't be written \(E(NOTDIR|EXIST)\)\. Make/);
  });

  it('the database does not answer', async () => {
    const words = await whyNot({ DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/shop' });
    expect(words).toMatch(
      /^The database shop on 127\.0\.0\.1:1 does not answer: .*ECONNREFUSED.*DATABASE_URL\.$/,
    );
    expect(words).not.toContain('secret');
  });

  it('the database refuses the password', async () => {
    const wrong = new URL(TEST_DATABASE);
    wrong.password = 'wrong-password';
    const words = await whyNot({ DATABASE_URL: wrong.href });
    expect(words).toMatch(
      /^The database postgres on .* refuses us: password authentication failed.*DATABASE_URL\.$/,
    );
    expect(words).not.toContain('wrong-password');
  });

  it('a provider is half set', async () => {
    const words = await whyNot({
      STRIPE_SECRET_KEY: 'sk_test_1',
      PAYDUNYA_MASTER_KEY: 'key',
      PAWAPAY_TOKEN: 'token',
      BANKS: 'x',
    });
    expect(words.split('\n')).toEqual([
      'The configuration is not usable:',
      '  - STRIPE_PUBLISHABLE_KEY is missing: Stripe is only half set',
      '  - STRIPE_WEBHOOK_SECRETS is missing: Stripe is only half set',
      '  - PAYDUNYA_PRIVATE_KEY is missing: PayDunya is only half set',
      '  - PAYDUNYA_TOKEN is missing: PayDunya is only half set',
      '  - PAYDUNYA_STORE_NAME is missing: PayDunya is only half set',
      '  - PAWAPAY_ENVIRONMENT is missing: PawaPay is only half set',
      '  - BANK_X_URL is needed, because BANKS names x',
      '  - BANK_X_API_KEY is needed, because BANKS names x',
      '  - BANK_X_WEBHOOK_SECRETS is needed, because BANKS names x',
    ]);
  });

  it('production has nothing set: everything that is missing is listed at once', async () => {
    const words = await whyNot({ NODE_ENV: 'production' });
    expect(words.split('\n')).toEqual([
      'The configuration is not usable:',
      '  - DATABASE_URL must be set in production',
      '  - QUITTANCE_SECRET must be set in production',
      '  - PUBLIC_URL must be set in production',
      '  - ALLOWED_ORIGINS must be set in production',
      '  - OPERATOR_JWT_SECRET or OPERATOR_JWKS_URL must be set in production',
      '  - at least one provider must be set in production: STRIPE_SECRET_KEY …, PAYDUNYA_MASTER_KEY …, PAWAPAY_TOKEN … or BANKS …',
    ]);
  });
});

function start(environment: Record<string, string>, options: ProgramOptions = {}): Program {
  return product.start('main.js', { ...options, environment });
}

async function startServer(): Promise<{ server: Program; url: string }> {
  const server = start({ PORT: '0', DATA_FOLDER: folder });
  const [, url] = await server.until(/GraphQL +(http:\S+)\/graphql[^]*npm run demo/);
  return { server, url: url! };
}

/** @param commands that print an order's reference, and what there is to see of it in the end. */
async function expectPaid(commands: string): Promise<void> {
  const run = promisify(execFile)('bash', ['-c', `set -eu\n${commands}`], { timeout: 10_000 });
  const [reference, answer] = (await run).stdout.trim().split('\n');
  expect(reference).toMatch(/^ORD-[0-9A-Z]{26}$/);
  expect(JSON.parse(answer!)).toEqual({
    data: {
      order: {
        status: 'CONFIRMED',
        formatted: 'F\u202fCFA\u00a015,000',
        paymentIntents: [{ id: expect.any(String), status: 'PAID', paidAt: expect.any(String) }],
      },
    },
  });
}

async function whyNot(environment: Record<string, string>, options: ProgramOptions = {}): Promise<string> {
  const program = start({ PORT: '0', DATA_FOLDER: join(folder, 'errors'), ...environment }, options);
  expect(await program.ended()).toBe(1);
  return program.output.trim();
}

/** What it said after its log. */
function lastWords(program: Program): string {
  return program.output.trim().split('\n\n').at(-1)!.trim();
}

/** The process of the PostgreSQL on this data folder; undefined when none runs. */
async function postgresOf(dataFolder: string): Promise<number | undefined> {
  const file = join(dataFolder, 'postgres/cluster/data/postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  return !Number.isNaN(pid) && (await postgresProcessExists(pid)) ? pid : undefined;
}

async function expectReady(url: string): Promise<void> {
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready' });
}

function commandsIn(page: string): string[] {
  return [...page.matchAll(/^\d\. .*\n\n((?: {3}.*\n)+)/gm)].map(([, command]) => command!.trim());
}

async function ask(url: string, query: string, token?: string): Promise<any> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as any;
  expect(errors).toBeUndefined();
  return data;
}

async function createOrder(url: string): Promise<string> {
  const lines = '[{ sku: "EBOOK", quantity: 1 }]';
  return (await ask(url, `mutation { createOrder(input: { lines: ${lines} }) { order { id } } }`)).createOrder
    .order.id;
}

async function statusOfOrder(url: string, id: string, token: string): Promise<string> {
  return (await ask(url, `{ order(id: "${id}") { status } }`, token)).order.status;
}

/** A request whose last byte is held back until `finish`, so that it is surely under way. */
async function beginRequest(port: number): Promise<{ finish(): Promise<string> }> {
  const body = JSON.stringify({ query: '{ products { sku } }' });
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  // The server's "go on" shows that it has the head and waits for the body.
  await once(socket, 'data');
  socket.write(body.slice(0, -1));
  return {
    async finish() {
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.write(body.slice(-1));
      await once(socket, 'end');
      socket.destroy();
      return answer;
    },
  };
}
