import { createServer, isIPv6, type AddressInfo, type LookupFunction, type Server } from 'node:net';
import { once } from 'node:events';
import { loadConfig, type ConfigError } from '../src/config.js';
import { refusalOfUrl } from '../src/notifications/merchant-webhooks/endpoint-url.js';
import { postMessage } from '../src/notifications/merchant-webhooks/post-message.js';
import { publicNetwork } from '../src/notifications/merchant-webhooks/receiver-network.js';
import { addEndpoint, makeDue, sendTest, untilTried } from './support/merchant-webhooks.js';
import { codeOf, startTestApp, type RunningApp } from './support/running-app.js';

const NOT_PUBLIC = 'The host leads to an address that is not public.';

/** Nobody is there; nothing that is sent to it arrives anywhere. */
const PUBLIC_ADDRESS = '8.8.8.8';

/** A name server that answers what it is told to, and counts how often it is asked. */
class NameServer {
  readonly asked: string[] = [];
  private readonly answers: string[][] = [];

  /** To the next questions; the last of them to all that follow. */
  answer(...answers: string[][]): void {
    this.answers.splice(0, Infinity, ...answers);
  }

  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.asked.push(hostname);
    const addresses = this.answers.length > 1 ? this.answers.shift()! : this.answers[0]!;
    const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
    if (options.all) callback(null, found);
    else callback(null, found[0]!.address, found[0]!.family);
  };
}

/** Whatever listens within our network; it counts who connects. */
let inside: Server;
let connections = 0;
let port: number;
const names = new NameServer();
let app: RunningApp;
beforeAll(async () => {
  inside = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined).end();
  });
  inside.listen(0, '::');
  await once(inside, 'listening');
  ({ port } = inside.address() as AddressInfo);
  app = await startTestApp({ merchantWebhooks: { lookup: names.lookup, timeoutMilliseconds: 300 } });
});
afterAll(async () => {
  await app.stop();
  const closed = once(inside, 'close');
  inside.close();
  await closed;
});
beforeEach(() => {
  connections = 0;
  names.asked.length = 0;
});
afterEach(() => app.dataSource.query('DELETE FROM webhook_endpoint'));

const never = new AbortController().signal;

/** What comes of a message to a host that the name server gives this address for. */
async function errorFor(address: string): Promise<string | null> {
  names.answer([address]);
  const message = { url: `https://backend.example:${port}/`, headers: {}, text: '{}' };
  return (await postMessage(message, publicNetwork(names.lookup), 300, never)).error;
}

describe('a host that leads', () => {
  test.each([
    ['to loopback', '127.0.0.1'],
    ['to loopback, by another of its addresses', '127.8.8.8'],
    ['to “this host”', '0.0.0.0'],
    ['to “this network”', '0.1.2.3'],
    ['to a private address', '10.0.0.1'],
    ['to a private address', '172.16.0.1'],
    ['to a private address', '192.168.1.1'],
    ['to the metadata of a cloud', '169.254.169.254'],
    ['to the metadata of Alibaba’s cloud', '100.100.100.200'],
    ['to the metadata of Oracle’s cloud', '192.0.0.192'],
    ['to the wire server of Azure', '168.63.129.16'],
    ['to an address shared by carriers', '100.64.0.1'],
    ['to an address for measuring', '198.18.0.1'],
    ['to many', '224.0.0.1'],
    ['to all', '255.255.255.255'],
    ['to a reserved address', '240.0.0.1'],
    ['to loopback of IPv6', '::1'],
    ['nowhere', '::'],
    ['to a link-local address', 'fe80::1'],
    ['to a unique local address', 'fc00::1'],
    ['to the metadata of Amazon’s cloud', 'fd00:ec2::254'],
    ['to a site-local address', 'fec0::1'],
    ['to many of IPv6', 'ff02::1'],
    ['to loopback as a mapped address', '::ffff:127.0.0.1'],
    ['to loopback as a mapped address in hexadecimals', '::ffff:7f00:1'],
    ['to loopback as a compatible address', '::7f00:1'],
    ['to loopback as a translated address', '64:ff9b::7f00:1'],
    ['to loopback as a locally translated address', '64:ff9b:1::7f00:1'],
    ['to loopback through 6to4', '2002:7f00:1::'],
    ['to loopback through Teredo', '2001:0:7f00:1::'],
    ['to an address that nobody has', '4000::1'],
  ])('%s (%s) is not connected to', async (_where, address) => {
    expect(await errorFor(address)).toBe(NOT_PUBLIC);
    expect(connections).toBe(0);
  });

  test.each([PUBLIC_ADDRESS, '2001:4860:4860::8888'])('to a public address (%s) is', async (address) => {
    const error = await errorFor(address);
    expect(error).not.toBe(NOT_PUBLIC);
    expect(error).toEqual(expect.any(String));
  });

  test('to a public and a private address is not connected to', async () => {
    names.answer([PUBLIC_ADDRESS, '127.0.0.1']);
    const endpoint = await addEndpoint(app, `https://backend.example:${port}/`);
    const delivery = await untilTried(app, endpoint, await sendTest(app, endpoint));
    expect(delivery.tries).toMatchObject([{ answerStatus: null, answerBody: null, error: NOT_PUBLIC }]);
    expect(connections).toBe(0);
  });

  test('elsewhere at each question is judged by the very answer that is connected to', async () => {
    names.answer([PUBLIC_ADDRESS], ['127.0.0.1']);
    const endpoint = await addEndpoint(app, `https://backend.example:${port}/`);
    const id = await sendTest(app, endpoint);
    const first = await untilTried(app, endpoint, id);
    expect(first.tries[0].error).not.toBe(NOT_PUBLIC);
    await makeDue(app, id);
    const second = await untilTried(app, endpoint, id, 2);
    expect(second.tries[1].error).toBe(NOT_PUBLIC);
    // Once for each connection: what is looked up to be judged and again to connect can be two things.
    expect(names.asked).toEqual(['backend.example', 'backend.example']);
    expect(connections).toBe(0);
  });
});

describe('an endpoint', () => {
  test.each([
    'http://backend.example/',
    'https://localhost/',
    'https://localhost.:8443/',
    'https://api.localhost/',
    'https://database:8443/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://017700000001/',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://8.8.8.8/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[2606:4700:4700::1111]/',
    'https://backend.example:22/',
    'https://backend.example:25/',
  ])('can’t be at %s', async (url) => {
    const create = 'mutation ($url: String!) { createWebhookEndpoint(input: { url: $url }) { secret } }';
    const answer = await app.graphql(create, { url }, app.apiKey);
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
  });

  test.each([
    'https://backend.example',
    'https://backend.example:443/x?y=z',
    'https://backend.example:8443/',
  ])('can be at %s', (url) => expect(refusalOfUrl(url, false)).toBeNull());

  test('that was registered while any address was allowed is refused where only public ones are', async () => {
    const endpoint = await addEndpoint(app, 'https://backend.example/');
    const url = `http://127.0.0.1:${port}/`;
    await app.dataSource.query('UPDATE webhook_endpoint SET url = $1', [url]);
    const delivery = await untilTried(app, endpoint, await sendTest(app, endpoint));
    expect(delivery.tries).toMatchObject([{ url, error: expect.stringContaining('not allowed') }]);
    expect(connections).toBe(0);
  });
});

const TEST_KEYS = {
  STRIPE_SECRET_KEY: 'sk_test_1',
  STRIPE_PUBLISHABLE_KEY: 'pk_test_1',
  STRIPE_WEBHOOK_SECRETS: 'whsec_1',
  PAYDUNYA_MASTER_KEY: 'master',
  PAYDUNYA_PRIVATE_KEY: 'test_private_1',
  PAYDUNYA_TOKEN: 'token',
  PAYDUNYA_STORE_NAME: 'Ma Boutique',
  PAWAPAY_TOKEN: 'token',
  PAWAPAY_ENVIRONMENT: 'sandbox',
  BANKS: 'x',
  BANK_X_URL: 'https://gateway.bank.example/api',
  BANK_X_API_KEY: 'key',
  BANK_X_WEBHOOK_SECRETS: 'a secret of thirty-two characters or more',
};

test('addresses that are not public are allowed where only this machine reaches us, and never in production', () => {
  const faults = (environment: Record<string, string>) => {
    try {
      return loadConfig(environment).webhooksAllowPrivate;
    } catch (error) {
      return (error as ConfigError).faults;
    }
  };
  expect(faults({})).toBe(true);
  expect(faults({ HOST: '::1', PUBLIC_URL: 'http://[::1]:4000/' })).toBe(true);
  expect(faults({ WEBHOOKS_ALLOW_PRIVATE: 'no' })).toBe(false);
  // Other machines reach us only where no double is needed.
  const reachable = { HOST: '0.0.0.0', ...TEST_KEYS };
  expect(faults(reachable)).toBe(false);
  expect(faults({ ...reachable, WEBHOOKS_ALLOW_PRIVATE: 'yes' })).toBe(true);
  const refusal = expect.stringMatching(/^WEBHOOKS_ALLOW_PRIVATE/);
  expect(faults({ NODE_ENV: 'production', WEBHOOKS_ALLOW_PRIVATE: 'yes' })).toContainEqual(refusal);
  expect(faults({ NODE_ENV: 'production', HOST: '127.0.0.1' })).not.toContainEqual(refusal);
});
