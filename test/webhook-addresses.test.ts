import { request } from 'node:http';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { BANK, STRIPE } from './support/notifying-provider.js';
import { storedEvents } from './support/books.js';
import { startTestApp, type RunningApp } from './support/running-app.js';

const lines: Record<string, any>[] = [];
const stream = new Writable({
  write(chunk: Buffer, _encoding, done) {
    lines.push(JSON.parse(chunk.toString()) as Record<string, any>);
    done();
  },
});

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ log: pino({ level: 'warn' }, stream) });
});
beforeEach(() => void lines.splice(0));
afterAll(() => app.stop());

async function send(method: string, path: string, headers: object = {}, body = ''): Promise<IncomingMessage> {
  const outgoing = request(`${app.url}${path}`, { method, agent: false, headers: { ...headers } });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
  'a %s of a webhook address is answered 405, with what may be done there, and leaves a line in the log',
  async (method) => {
    const body = ['PUT', 'PATCH'].includes(method) ? '{"a":1}' : '';
    const response = await send(
      method,
      '/webhooks/bank-x?token=secret',
      { 'content-length': body.length },
      body,
    );
    expect([response.statusCode, response.headers.allow]).toEqual([405, 'POST']);
    expect(lines).toMatchObject([{ method, path: '/webhooks/bank-x', status: 405 }]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  },
);

describe('a refused notification leaves a line in the log, and no row:', () => {
  const refused = async (path: string, headers: object, body: string) => {
    const before = await storedEvents(app);
    const { statusCode } = await send(
      'POST',
      path,
      { ...headers, 'content-length': Buffer.byteLength(body) },
      body,
    );
    expect(await storedEvents(app)).toEqual(before);
    return statusCode;
  };

  test('one of more than a mebibyte', async () => {
    const body = ' '.repeat(1_024 * 1_024 + 1);
    expect(await refused('/webhooks/bank-x', { 'content-type': 'text', ...BANK.sign(body) }, body)).toBe(413);
    expect(lines).toMatchObject([
      { path: '/webhooks/bank-x', status: 413, contentType: 'text', contentLength: String(body.length) },
    ]);
  });

  test('one without a signature, with a Content-Type that is none', async () => {
    expect(await refused('/webhooks/bank-x', { 'content-type': 'text' }, '{}')).toBe(401);
    expect(lines).toMatchObject([{ provider: 'bank-x', kind: 'refused' }]);
  });

  test('one for a provider that is not here', async () => {
    expect(await refused('/webhooks/bank-y', STRIPE.sign('{}'), '{}')).toBe(404);
    expect(lines).toMatchObject([{ path: '/webhooks/bank-y', status: 404 }]);
  });
});
