import { once } from 'node:events';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { expectErrors } from './support/unexpected-errors.js';

expectErrors(/refused a request to a webhook address: Error: aborted/);

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ requestMilliseconds: 300 });
});
afterAll(() => app.stop());

/** Sends this much of a request, and waits for what comes of it. */
async function sendAndWait(part: string): Promise<string> {
  const { hostname, port } = new URL(app.url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  socket.write(part);
  return text(socket);
}

const HEAD = 'host: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n';

// That it ends at all is what is shown: without a limit, Node waits for five minutes, and Fastify for ever.
test.each([
  ['of GraphQL, in its body', `POST /graphql HTTP/1.1\r\n${HEAD}\r\n{"query":`],
  ['of a webhook, in its body', `POST /webhooks/stripe HTTP/1.1\r\n${HEAD}\r\n{"id":`],
  ['in its headers', `POST /graphql HTTP/1.1\r\n${HEAD}`],
])('a request %s that is never finished is cut off, with 408', async (_where, part) => {
  expect(await sendAndWait(part)).toMatch(/^HTTP\/1\.1 408 /);
});
