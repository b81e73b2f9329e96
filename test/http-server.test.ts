import { createConnection } from 'node:net';
import { once } from 'node:events';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { startApp } from '../src/app.js';
import { createDataSource } from '../src/database/data-source.js';
import { startCuttableProxy } from './support/cuttable-proxy.js';
import { SECRET, SHOP_ORIGIN, startTestApp, type RunningApp } from './support/running-app.js';
import { watch } from './support/subscriber.js';

const EVIL_ORIGIN = 'https://evil.example';
const QUERY = JSON.stringify({ query: '{ products { sku } }' });

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const graphql = (init: RequestInit, path = '') =>
  fetch(`${app.url}/graphql${path}`, { method: 'POST', body: QUERY, ...init });

const JSON_BODY = { 'content-type': 'application/json' };

function startServer(more: Partial<Parameters<typeof startApp>[0]> = {}) {
  return startApp({
    dataSource: app.dataSource,
    providers: [],
    secret: SECRET,
    allowedOrigins: 'LOCALHOST',
    introspection: false,
    reservationMilliseconds: 60_000,
    orderTokenMilliseconds: 60_000,
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
    ...more,
  });
}

/** What becomes of a WebSocket that a page of this origin opens: open, or the status that it was refused with. */
async function openWebSocket(url: string, origin?: string): Promise<'open' | number> {
  const socket = new WebSocket(url, 'graphql-transport-ws', origin === undefined ? {} : { origin });
  return new Promise((resolve) => {
    socket.once('open', () => {
      socket.once('close', () => resolve('open'));
      socket.close();
    });
    socket.on('error', () => undefined);
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode!);
    });
  });
}

describe('health', () => {
  test('the process lives, and can serve', async () => {
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  });

  test('without its database the process lives and can’t serve, and says no more than that', async () => {
    const { hostname, port } = new URL(app.databaseUrl);
    const cable = await startCuttableProxy({ host: hostname, port: Number(port) });
    const url = new URL(app.databaseUrl);
    url.port = String(cable.port);
    const dataSource = await createDataSource({ url: url.href, poolSize: 4 }).initialize();
    const server = await startServer({ dataSource });
    const readiness = () => fetch(`http://127.0.0.1:${server.port}/readyz`);
    expect((await readiness()).status).toBe(200);

    await cable.cut();
    const notReady = await readiness();
    expect(notReady.status).toBe(503);
    expect(await notReady.text()).not.toMatch(/ECONN|127\.0\.0\.1|postgres/i);
    expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);

    await cable.restore();
    expect((await readiness()).status).toBe(200);
    await server.close();
    await dataSource.destroy();
    await cable.cut();
  });
});

describe('every answer', () => {
  test.each(['/healthz', '/graphql', '/webhooks/stripe', '/nowhere'])(
    'of %s keeps browsers from sniffing, framing and caching',
    async (path) => {
      const { headers } = await fetch(`${app.url}${path}`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('strict-transport-security')).toMatch(/^max-age=/);
      expect(headers.get('x-powered-by')).toBeNull();
    },
  );

  test('to a path that there is not is 404', async () => {
    expect((await fetch(`${app.url}/nowhere`)).status).toBe(404);
    expect((await fetch(`${app.url}/graphql/nowhere`)).status).toBe(404);
  });

  test('to JSON that is none is 400, without a stack', async () => {
    const response = await graphql({ headers: JSON_BODY, body: '{ "query": ' });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toMatch(/\n\s+at |\.js/);
  });
});

describe('a page of another origin', () => {
  const preflight = (origin: string) =>
    fetch(`${app.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  test('may ask when it is on the list', async () => {
    const { headers } = await preflight(SHOP_ORIGIN);
    expect(headers.get('access-control-allow-origin')).toBe(SHOP_ORIGIN);
    expect(headers.get('access-control-allow-headers')).toMatch(/authorization.*content-type/);
    expect(headers.get('vary')).toMatch(/origin/i);
    const answer = await graphql({ headers: { ...JSON_BODY, origin: SHOP_ORIGIN } });
    expect(answer.headers.get('access-control-allow-origin')).toBe(SHOP_ORIGIN);
  });

  test.each([EVIL_ORIGIN, 'null', `${SHOP_ORIGIN}.evil.example`, 'http://shop.example', 'http://localhost'])(
    'may not when it is %s',
    async (origin) => {
      const allowed = 'access-control-allow-origin';
      expect((await preflight(origin)).headers.get(allowed)).toBeNull();
      expect((await graphql({ headers: { ...JSON_BODY, origin } })).headers.get(allowed)).toBeNull();
    },
  );

  test('never sends cookies along', async () => {
    const { headers } = await preflight(SHOP_ORIGIN);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('opens a WebSocket only when it is on the list', async () => {
    expect(await openWebSocket(app.webSocketUrl, SHOP_ORIGIN)).toBe('open');
    for (const origin of [EVIL_ORIGIN, 'null', `${SHOP_ORIGIN}.evil.example`, 'http://localhost:3000']) {
      expect([origin, await openWebSocket(app.webSocketUrl, origin)]).toEqual([origin, 401]);
    }
  });

  test('is nobody’s concern where there is no browser', async () => {
    expect(await openWebSocket(app.webSocketUrl)).toBe('open');
  });

  test('may be any of this machine in development, and no other', async () => {
    const server = await startServer();
    const url = `ws://127.0.0.1:${server.port}/graphql`;
    for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5173', 'http://[::1]:80']) {
      expect([origin, await openWebSocket(url, origin)]).toEqual([origin, 'open']);
    }
    for (const origin of [EVIL_ORIGIN, 'http://localhost.evil.example', 'http://notlocalhost']) {
      expect([origin, await openWebSocket(url, origin)]).toEqual([origin, 401]);
    }
    await server.close();
  });
});

describe('a request that a browser sends for another site without asking first', () => {
  test.each([
    ['text/plain', 400],
    ['text/plain; charset=utf-8', 400],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
  ])('is refused: a POST of %s', async (contentType, status) => {
    const response = await graphql({ headers: { 'content-type': contentType } });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain('"data"');
  });

  test('may be a GET, whose answer the page can’t read unless it is on the list', async () => {
    const query = `?query=${encodeURIComponent('{ products { sku } }')}`;
    const response = await graphql(
      { method: 'GET', body: undefined, headers: { origin: EVIL_ORIGIN } },
      query,
    );
    expect(await response.json()).toEqual({ data: { products: [] } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('can’t change anything by GET, whatever it sends', async () => {
    const query = `?query=${encodeURIComponent('mutation { cancelOrder(id: "x") { id } }')}`;
    for (const headers of [new Headers(), new Headers({ 'apollo-require-preflight': 'yes' })]) {
      const response = await graphql({ method: 'GET', body: undefined, headers }, query);
      expect(response.status).toBe(405);
    }
  });
});

describe('the server', () => {
  test('does not start on a port that is taken, and leaves nothing behind', async () => {
    const { port } = new URL(app.url);
    await expect(startServer({ port: Number(port) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('finishes what is under way before it stops', async () => {
    const server = await startServer();
    const body = JSON.stringify({ query: '{ products { sku } }' });
    const socket = createConnection(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
    );
    // Another request on another connection is answered: so the first one has been accepted.
    await fetch(`http://127.0.0.1:${server.port}/healthz`);
    const closing = server.close();
    socket.write(body.slice(5));
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('{"data":{"products":[]}}');
    await closing;
    await expect(fetch(`http://127.0.0.1:${server.port}/healthz`)).rejects.toThrow();
  });

  test('sends watchers elsewhere when it stops', async () => {
    const server = await startServer();
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    const { id } = await app.pay(orderId, token, { method: 'CARD' });
    const watcher = watch({ webSocketUrl: `ws://127.0.0.1:${server.port}/graphql` }, id, token);
    await watcher.until((heard) => heard.length === 1);
    await server.close();
    await watcher.untilEnded();
    expect(watcher.errors).toMatchObject([{ code: 1001 }]);
    await watcher.close();
    await app.dataSource.query('UPDATE product SET active = false');
  });
});
