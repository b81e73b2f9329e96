import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface Answer {
  readonly status: number;
  readonly body: any;
  readonly milliseconds: number;
}

/** A client at an address of its own. */
export class Client {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: Infinity });

  constructor(
    private readonly url: string,
    readonly address: string,
    private readonly onAnswer: (status: number) => void = () => undefined,
  ) {}

  graphql(query: string, variables: object = {}, token?: string): Promise<Answer> {
    return this.post('/graphql', JSON.stringify({ query, variables }), {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    });
  }

  async post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    const start = performance.now();
    const outgoing = request(this.url + path, {
      method: 'POST',
      agent: this.agent,
      headers: { ...headers, 'content-length': Buffer.byteLength(body), 'x-forwarded-for': this.address },
    });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const answered = await text(response);
    this.onAnswer(response.statusCode!);
    return {
      status: response.statusCode!,
      body: answered.startsWith('{') ? JSON.parse(answered) : answered,
      milliseconds: performance.now() - start,
    };
  }

  close(): void {
    this.agent.destroy();
  }
}

export const CREATE_ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
export const CREATE_PAYMENT = `
  mutation ($input: CreatePaymentIntentInput!) {
    createPaymentIntent(input: $input) {
      paymentIntent { id status }
      nextAction { ... on ConfirmWithStripe { clientSecret } }
    }
  }`;
const WATCH = 'subscription ($id: ID!) { paymentStatusChanged(paymentIntentId: $id) { version } }';
const VERIFY = 'mutation ($id: ID!) { verifyPaymentIntent(id: $id) { status } }';

const aliases = (count: number, field: string) =>
  `{ ${Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ')} }`;

export interface Prey {
  readonly url: string;
  /** With stock, and with places on each day. */
  readonly sku: string;
  readonly skuOfDays: string;
}

interface Attacker extends Prey {
  readonly client: Client;
  readonly random: () => number;
  readonly open: (WebSocket | Socket)[];
}

type Attack = (attacker: Attacker) => Promise<unknown>;

const year = ({ skuOfDays }: Prey) =>
  `freePlaces(sku: "${skuOfDays}", from: "2027-01-01", to: "2027-12-31") { day free }`;
const order = ({ sku }: Prey) => ({ input: { lines: [{ sku, quantity: 1 }] } });

/** All that anybody can do for nothing. */
const ATTACKS: readonly Attack[] = [
  (attacker) => attacker.client.graphql(CREATE_ORDER, order(attacker)),
  (attacker) => burst(20, () => attacker.client.graphql(CREATE_ORDER, order(attacker))),
  (attacker) => attacker.client.graphql(aliases(90, year(attacker))),
  (attacker) => attacker.client.graphql(aliases(6, year(attacker))),
  ({ client, sku }) =>
    client.graphql(
      `mutation ${aliases(90, `createOrder(input: { lines: [{ sku: "${sku}", quantity: 1 }] }) { orderToken }`)}`,
    ),
  (attacker) =>
    attacker.client.graphql(CREATE_ORDER, {
      input: { ...order(attacker).input, idempotencyKey: 'x'.repeat(17_000) },
    }),
  ({ client }) => burst(10, () => client.graphql('{ products { sku } }', {}, `qk_${randomUUID()}`)),
  ({ client }) => burst(10, () => client.graphql('{ products { sku } }', {}, 'eyJhbGciOiJIUzI1NiJ9.e30.x')),
  ({ client }) => burst(10, () => client.post('/webhooks/stripe', '{"id":"evt_1","type":"x"}')),
  ({ client }) => client.post('/webhooks/paydunya', 'a&'.repeat(5_000)),
  ({ client }) => client.graphql(`{ ${'...{ '.repeat(300)}__typename${' }'.repeat(300)} }`),
  ({ client }) => client.graphql(`{ ${'products{sku} '.repeat(480)}}`),
  ({ client }) => client.graphql('{ products {'),
  ({ client }) =>
    client.post('/graphql', `{"query":"${'x'.repeat(150_000)}"}`, { 'content-type': 'application/json' }),
  payAgainAndAgain,
  halfSentRequests,
  floodSocket,
  manySubscriptions,
];

async function burst(count: number, act: () => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, act));
}

async function payAgainAndAgain({ client, ...prey }: Attacker): Promise<void> {
  const { body } = await client.graphql(CREATE_ORDER, order(prey));
  const made = body.data?.createOrder;
  if (!made) return;
  const input = { orderId: made.order.id, method: 'CARD' };
  const { body: paid } = await client.graphql(CREATE_PAYMENT, { input }, made.orderToken);
  await burst(20, () => client.graphql(CREATE_PAYMENT, { input }, made.orderToken));
  const id: string | undefined = paid.data?.createPaymentIntent?.paymentIntent.id;
  if (id) await burst(40, () => client.graphql(VERIFY, { id }, made.orderToken));
}

async function halfSentRequests({ url, open }: Attacker): Promise<void> {
  const { hostname, port } = new URL(url);
  for (let count = 0; count < 3; count += 1) {
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.on('error', () => undefined);
    socket.write('POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{"query":');
    open.push(socket);
  }
  await sleep(10);
}

async function openSocket(
  { url, client, open }: Attacker,
  authorization?: string,
): Promise<WebSocket | null> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    headers: { 'x-forwarded-for': client.address },
  });
  open.push(socket);
  socket.on('error', () => undefined);
  const acknowledged = new Promise<boolean>((resolve) => {
    socket.once('message', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
  socket.once('open', () =>
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } })),
  );
  return (await acknowledged) ? socket : null;
}

async function floodSocket(attacker: Attacker): Promise<void> {
  const socket = await openSocket(attacker);
  if (!socket) return;
  for (const count of [90, 6]) {
    const query = aliases(count, year(attacker));
    for (let id = 0; id < 40; id += 1) {
      socket.send(JSON.stringify({ id: `${count}-${id}`, type: 'subscribe', payload: { query } }));
    }
  }
  await untilQuiet(socket);
  socket.close();
}

async function manySubscriptions(attacker: Attacker): Promise<void> {
  const { client } = attacker;
  const { body } = await client.graphql(CREATE_ORDER, order(attacker));
  const made = body.data?.createOrder;
  if (!made) return;
  const input = { orderId: made.order.id, method: 'CARD' };
  const { body: paid } = await client.graphql(CREATE_PAYMENT, { input }, made.orderToken);
  const id: string | undefined = paid.data?.createPaymentIntent?.paymentIntent.id;
  const socket = id === undefined ? null : await openSocket(attacker, `Bearer ${made.orderToken}`);
  if (!socket) return;
  for (let count = 0; count < 300; count += 1) {
    const payload = { query: WATCH, variables: { id } };
    socket.send(JSON.stringify({ id: String(count), type: 'subscribe', payload }));
  }
  await untilQuiet(socket);
}

/** Its last message is long past, or it is closed. */
async function untilQuiet(socket: WebSocket): Promise<void> {
  let last = performance.now();
  socket.on('message', () => (last = performance.now()));
  while (socket.readyState === socket.OPEN && performance.now() - last < 300) await sleep(50);
}

export interface Flood {
  /** How often each status was answered, and how many attacks were made. */
  counts(): Readonly<Record<string, number>>;
}

/** So many clients that do all of it, one thing after the other, each at an address of its own, for ever. */
export function startFlood(prey: Prey, clients: number, randoms: readonly (() => number)[]): Flood {
  const counts: Record<string, number> = { attacks: 0 };
  const count = (name: string | number) => (counts[name] = (counts[name] ?? 0) + 1);
  const open: (WebSocket | Socket)[] = [];
  const run = async (index: number): Promise<void> => {
    const client = new Client(prey.url, `198.51.100.${index}`, count);
    const random = randoms[index]!;
    for (;;) {
      const attack = ATTACKS[Math.floor(random() * ATTACKS.length)]!;
      // Cut off by the server is what an attacker has to expect.
      await attack({ ...prey, client, random, open }).catch(() => undefined);
      count('attacks');
    }
  };
  for (let index = 0; index < clients; index += 1) void run(index);
  return { counts: () => counts };
}
