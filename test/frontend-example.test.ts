import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import { OrderTokens } from '../src/access/order-token.js';
import { startCuttableProxy } from './support/cuttable-proxy.js';
import { eventually } from './support/eventually.js';
import { dataOf, SECRET, startTestApp, type RunningApp } from './support/running-app.js';

const root = join(import.meta.dirname, '..');
const README = readFileSync(join(root, 'README.md'), 'utf8');

interface Page {
  orderToken(isExpired: boolean): Promise<string>;
  showCardForm(clientSecret: string, publishableKey: string): void;
  showSteps(instructions: readonly string[]): void;
  showStatus(status: string): void;
}

/** It is compiled for browsers, with their types, and can't be imported by its name from here. */
interface Example {
  pay(server: string, page: Page, input: object): Promise<string>;
  watch(server: string, page: Page, id: string, done: (status: string) => boolean): Promise<void>;
}

describe('the frontend of the README', () => {
  let app: RunningApp;
  let example: Example;
  const visited: string[] = [];

  beforeAll(async () => {
    app = await startTestApp({ allowedOrigins: 'LOCALHOST' });
    await app.addProduct({ sku: 'MUG', unitAmount: 1_450 });
    // What a browser has, and Node 20 has not.
    Object.assign(globalThis, { WebSocket, location: { assign: (url: string) => visited.push(url) } });
    example = (await import(pathToFileURL(join(root, 'examples/frontend/pay.ts')).href)) as Example;
  });

  afterAll(async () => {
    Object.assign(globalThis, { WebSocket: undefined, location: undefined });
    await app.stop();
  });

  /** The body of the README's curl command, with the order's id in its place. */
  const requestOfStep = (step: number, orderId = '') => {
    const [, body] = [...README.matchAll(/ -d '(\{\n[\s\S]+?\n\})'\n/g)][step - 1]!;
    return JSON.parse(body!.replace(`'$ORDER'`, orderId)) as { query: string; variables: { input: object } };
  };

  const order = async () => {
    const { query, variables } = requestOfStep(1);
    const { order, orderToken } = dataOf(await app.graphql(query, variables)).createOrder;
    return { orderId: order.id as string, token: orderToken as string };
  };

  const pageOf = ({ orderId, token }: { orderId: string; token: string }) => {
    const shown: string[] = [];
    const asked: boolean[] = [];
    const page: Page = {
      async orderToken(isExpired) {
        asked.push(isExpired);
        if (!isExpired) return token;
        const renew = 'mutation ($id: ID!) { createOrderToken(orderId: $id) }';
        return dataOf(await app.graphql(renew, { id: orderId }, app.apiKey)).createOrderToken as string;
      },
      showCardForm: (clientSecret) => shown.push(`card form with ${clientSecret.slice(0, 3)}…`),
      showSteps: (steps) => shown.push(...steps),
      showStatus: (status) => shown.push(status),
    };
    return { page, shown, asked };
  };

  const bank = (orderId: string) => ({
    ...requestOfStep(2, orderId).variables.input,
    idempotencyKey: randomUUID(),
  });

  it('is shown as it stands in its file', () => {
    const [, shown] = /```ts\n([\s\S]+?)```/.exec(README)!;
    expect(readFileSync(join(root, 'examples/frontend/pay.ts'), 'utf8')).toContain(shown);
  });

  it('pays the order of the first step, and shows each status once though the connection is lost in between', async () => {
    const placed = await order();
    const { page, shown } = pageOf(placed);
    const { hostname, port } = new URL(app.url);
    const proxy = await startCuttableProxy({ host: hostname, port: Number(port) });
    const server = `http://127.0.0.1:${proxy.port}`;
    const id = await example.pay(server, page, bank(placed.orderId));
    const watched = example.watch(server, page, id, (status) => status === 'PAID');
    await eventually(() => expect(shown).toEqual(['PENDING']));
    await proxy.cut();
    const paid = await fetch(`${visited.at(-1)}/pay`, { method: 'POST', redirect: 'manual' });
    expect(paid.headers.get('location')).toMatch('http://localhost:4000/thanks?');
    const read = 'query ($id: ID!) { paymentIntent(id: $id) { status } }';
    await eventually(async () =>
      expect(dataOf(await app.graphql(read, { id }, placed.token)).paymentIntent.status).toBe('PAID'),
    );
    await proxy.restore();
    await watched;
    expect(shown).toEqual(['PENDING', 'PAID']);
    await proxy.cut();
  });

  it('opens the payment of the second step, however often the button is pressed', async () => {
    const placed = await order();
    const { page } = pageOf(placed);
    const { query, variables } = requestOfStep(2, placed.orderId);
    const { paymentIntent } = dataOf(await app.graphql(query, variables, placed.token)).createPaymentIntent;
    const input = bank(placed.orderId);
    const ids = await Promise.all([1, 2, 3].map(() => example.pay(app.url, page, input)));
    expect(new Set(ids)).toEqual(new Set([paymentIntent.id]));
  });

  it('gets a new token when its own has expired, to pay and to watch, and while it watches', async () => {
    const placed = await order();
    const expired = await new OrderTokens(SECRET, -1_000).sign(placed.orderId);
    const paying = pageOf({ ...placed, token: expired });
    const id = await example.pay(app.url, paying.page, bank(placed.orderId));
    expect(paying.asked).toEqual([false, true]);

    const watching = pageOf({ ...placed, token: expired });
    const soonExpired = pageOf({
      ...placed,
      token: await new OrderTokens(SECRET, 2_000).sign(placed.orderId),
    });
    const watched = [watching, soonExpired].map(({ page }) =>
      example.watch(app.url, page, id, (status) => status === 'PAID'),
    );
    await eventually(() =>
      expect([watching.asked, soonExpired.asked].map((asked) => asked.at(-1))).toEqual([true, true]),
    );
    await eventually(() => expect(watching.shown).toEqual(['PENDING']));
    await fetch(`${visited.at(-1)}/pay`, { method: 'POST', redirect: 'manual' });
    await Promise.all(watched);
    expect([watching.shown, soonExpired.shown]).toEqual([
      ['PENDING', 'PAID'],
      ['PENDING', 'PAID'],
    ]);
  });

  it('shows the card form where the payer pays by card', async () => {
    const placed = await order();
    const { page, shown } = pageOf(placed);
    await example.pay(app.url, page, { ...bank(placed.orderId), method: 'CARD' });
    expect(shown).toEqual(['card form with pi_…']);
  });
});
