import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { startMerchantBackend } from '../src/demo/merchant-backend.js';
import { readMail } from '../src/demo/read-mail.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { buildProduct, type BuiltProduct, type Program } from './support/program.js';

const WIDEST_LINE = 100;
const STRIPE_KEYS = {
  STRIPE_SECRET_KEY: 'sk_test_of_nobody',
  STRIPE_PUBLISHABLE_KEY: 'pk_test_of_nobody',
  STRIPE_WEBHOOK_SECRETS: 'whsec_of_nobody',
};

const PAWAPAY_KEYS = {
  PAWAPAY_TOKEN: 'token-of-nobody',
  PAWAPAY_ENVIRONMENT: 'sandbox',
  PAWAPAY_API_URL: 'http://127.0.0.1:9',
};
const PAYDUNYA_KEYS = {
  PAYDUNYA_MASTER_KEY: 'key-of-nobody',
  PAYDUNYA_PRIVATE_KEY: 'test_private_of_nobody',
  PAYDUNYA_TOKEN: 'token-of-nobody',
  PAYDUNYA_STORE_NAME: 'Nobody',
  PAYDUNYA_API_URL: 'http://127.0.0.1:9',
};

const PRODUCTION = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  PUBLIC_URL: 'https://pay.shop.example',
  QUITTANCE_SECRET: randomUUID(),
  OPERATOR_JWT_SECRET: randomUUID(),
  ALLOWED_ORIGINS: 'https://shop.example',
  ...STRIPE_KEYS,
};

let folder: string;
let product: BuiltProduct;
let database: TestDatabase;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quittance-demo-'));
  await chmod(folder, 0o755);
  [product, database] = await Promise.all([buildProduct(), createTestDatabase()]);
});

afterAll(async () => {
  await product.remove();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

it('plays all stories on a server of its own when none runs, and leaves nothing running', async () => {
  const demo = play({ DATA_FOLDER: join(folder, 'fresh') });
  expect(await demo.ended()).toBe(0);
  const [byCard, byPhone, byBank, providerDown, trouble, told] = storiesIn(demo.output);
  expectInOrder(byCard!, ['createOrder', 'PENDING', 'declined', 'may try again', 'PAID', 'CONFIRMED']);
  expectInOrder(byPhone!, ['MTN MoMo asks you on your phone', 'PENDING', 'PIN', 'PAID', 'CONFIRMED']);
  expectInOrder(byBank!, ['createOrder', 'PENDING', 'shows its page', 'PAID', 'CONFIRMED']);
  expectInOrder(providerDown!, ['1 at pawapay: FAILED', '2 at paydunya: PENDING', 'PAID', 'CONFIRMED']);
  expectInOrder(providerDown!, ['paymentTimeline', 'opened', 'UNAVAILABLE', 'was taken, at paydunya']);
  expectInOrder(trouble!, ['one payment', 'PENDING', 'connection lost', 'PAID', 'CONFIRMED']);
  expectInOrder(told!, [
    'createWebhookEndpoint',
    'PARKING',
    'PAID',
    'order is CONFIRMED',
    'BKG-',
    'CONFIRMED',
  ]);
  expectInOrder(told!, [
    'mail',
    'to awa@example.com: “Order ORD-',
    '.eml',
    'Hello Awa Diop',
    '€49.00',
    'Booking BKG-',
  ]);
  expectInOrder(told!, [
    'took payment.paid',
    'webhook-id: msg_',
    'webhook-signature: v1,',
    '"status": "PAID"',
  ]);
  await expect(stat(join(folder, 'fresh/postgres/cluster/data/postmaster.pid'))).rejects.toThrow('ENOENT');
  expect(byCard).toContain('stock of MUG: 500 before, 498 now');
  expect(demo.output).toMatch(/No server was running.*6 orders, 6 payments.*README\.md/s);
  const lines = demo.output.replaceAll(folder, '').split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(WIDEST_LINE);
});

it('plays against the server that runs on its data folder, and leaves it running', async () => {
  const environment = { DATA_FOLDER: join(folder, 'shared'), DATABASE_URL: database.url, PORT: '0' };
  const server = product.start('main.js', { environment });
  const [, url] = await server.until(/GraphQL +(http:\S+)\/graphql/);
  const demo = play({ DATA_FOLDER: join(folder, 'shared') });
  expect(await demo.ended()).toBe(0);
  expect(demo.output).toContain(`It plays against the server that runs at ${url}.`);
  expect(storiesIn(demo.output)).toHaveLength(6);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(await webhookEndpointsOf(url!, server)).toEqual([]);
  expect(await server.kill('SIGTERM')).toBe(0);
});

it('says what to do where the running server sends no webhooks to this machine', async () => {
  const environment = { DATA_FOLDER: join(folder, 'closed'), DATABASE_URL: database.url, PORT: '0' };
  const server = product.start('main.js', { environment: { ...environment, WEBHOOKS_ALLOW_PRIVATE: 'no' } });
  await server.until(/npm run demo/);
  const demo = play({ DATA_FOLDER: join(folder, 'closed') });
  expect(await demo.ended()).toBe(1);
  expect(demo.output).toContain('start the server again with WEBHOOKS_ALLOW_PRIVATE=yes npm start');
  expect(await server.kill('SIGTERM')).toBe(0);
});

it('takes no webhook without its signature', async () => {
  const backend = await startMerchantBackend();
  backend.trust(`whsec_${Buffer.from(randomUUID()).toString('base64')}`);
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
    'webhook-signature': 'v1,AAAA',
  };
  for (const given of [headers, {}]) {
    const response = await fetch(backend.url, { method: 'POST', headers: given, body: '{}' });
    expect(response.status).toBe(401);
  }
  expect(backend.taken).toEqual([]);
  await backend.stop();
});

it('shows a mail as mail programs do, whatever is in it', async () => {
  const subject = 'Votre commande ORD-01KAJ0ABCDEFGHJKMNPQRSTVWX est confirmée à 49,00 €';
  for (const text of [
    `Bonjour Été = 49,00 €\n${'très long '.repeat(20)}\n\n--\nBoutique`,
    'Γειά σου, Κόσμε',
  ]) {
    const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
    const mail = { from: 'a@shop.example', to: 'awa@example.com', subject, text, html: '<p>autre chose</p>' };
    const { message } = await transport.sendMail(mail);
    const shown = readMail((message as Buffer).toString('latin1'));
    expect({ ...shown, text: shown.text.replaceAll('\r\n', '\n') }).toEqual({ to: mail.to, subject, text });
  }
});

it('refuses to play against a production server', async () => {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const environment = { ...PRODUCTION, PORT: String(port), DATABASE_URL: database.url };
  const server = product.start('main.js', { environment });
  await server.until(/Quittance is ready/);
  const demo = play({ DATA_FOLDER: join(folder, 'elsewhere') }, ['--url', url]);
  expect(await demo.ended()).toBe(1);
  expect(demo.output).toMatch(`The server at ${url} has no sandbox that this folder knows of`);
  expect(demo.output).not.toContain('createOrder');
  expect(await server.kill('SIGTERM')).toBe(0);
});

it.each([
  ['production', PRODUCTION, [], /does not run with NODE_ENV=production/],
  [
    'a server that is not there',
    {},
    ['--url', 'http://localhost:1'],
    /Nothing answers at http:\/\/localhost:1\./,
  ],
  ['an address that is none', {}, ['--url', 'shop'], /one argument: npm run demo -- --url/],
  ['an unknown argument', {}, ['--fast'], /one argument: npm run demo -- --url/],
  ['real keys of Stripe', STRIPE_KEYS, [], /real providers configured, and the demo plays only with doubles/],
  [
    'real keys of PawaPay',
    PAWAPAY_KEYS,
    [],
    /real providers configured, and the demo plays only with doubles/,
  ],
  [
    'real keys of PayDunya',
    PAYDUNYA_KEYS,
    [],
    /real providers configured, and the demo plays only with doubles/,
  ],
])('refuses %s with a sentence', async (_what, environment, parameters, sentence) => {
  const demo = play(
    { DATA_FOLDER: join(folder, 'refused'), DATABASE_URL: database.url, ...environment },
    parameters,
  );
  expect(await demo.ended()).toBe(1);
  expect(demo.output).toMatch(sentence);
  expect(demo.output).not.toMatch(/\n +at /);
});

it('takes the server that it started with it when it is interrupted', async () => {
  const demo = play({ DATA_FOLDER: join(folder, 'interrupted'), DATABASE_URL: database.url });
  const [, url] = await demo.until(/it started one at (http:\S+) /);
  expect(await demo.kill('SIGINT')).toBe(130);
  await expect(fetch(url!)).rejects.toThrow();
});

async function webhookEndpointsOf(url: string, server: Program): Promise<unknown> {
  const [, apiKey] = /backend key +(\S+)/.exec(server.output)!;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ query: '{ webhookEndpoints { url } }' }),
  });
  return ((await response.json()) as any).data.webhookEndpoints;
}

/** On a port where nobody's server is, so that a developer's own is never played with. */
function play(environment: Record<string, string>, parameters: readonly string[] = []): Program {
  return product.start('demo/main.js', { environment: { PORT: '1', ...environment }, arguments: parameters });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function storiesIn(output: string): string[] {
  return output.split(/^\d {2}(?=\S)/m).slice(1);
}

function expectInOrder(story: string, words: readonly string[]): void {
  let rest = story.slice(story.indexOf('\n'));
  for (const word of words) {
    expect(rest).toContain(word);
    rest = rest.slice(rest.indexOf(word) + word.length);
  }
}
