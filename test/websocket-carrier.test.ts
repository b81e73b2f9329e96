import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, GraphQLScalarType, parse } from 'graphql';
import { handleProtocols, makeServer } from 'graphql-ws';
import { pino } from 'pino';
import { WebSocketServer } from 'ws';
import { carryMessages, type Connected } from '../src/graphql/carry-messages.js';
import { publicError } from '../src/graphql/public-error.js';
import { connectRawSocket } from './support/raw-socket.js';

/** A schema whose results can be what JSON can't say, and whose executions can throw. */
function oddProtocol() {
  const schema = buildSchema('scalar Any type Query { big: Any } type Subscription { big: Any tick: Int }');
  const any = schema.getType('Any') as GraphQLScalarType;
  any.serialize = (value) => value;
  return makeServer<Record<string, unknown>, Connected>({
    onSubscribe: (_context, _id, { query }) => {
      if (query === 'throw') throw new Error('the check has failed');
      return {
        schema,
        document: parse(query),
        rootValue: { big: 1n, tick: () => ticks(), ...(query.startsWith('sub') && { big: () => bigs() }) },
      };
    },
    onOperation: (_context, _id, { variables }) => {
      if (variables?.throws) throw new TypeError('the execution has failed');
    },
  });
}

async function* ticks() {
  for (let tick = 1; ; tick += 1) {
    yield { tick };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source of events is asynchronous
async function* bigs() {
  yield { big: 1n };
}

test('an operation that throws in whatever place has an error of its own, and the ones beside it go on', async () => {
  const logged: unknown[] = [];
  const log = pino({ level: 'error' }, { write: (line) => logged.push(JSON.parse(line)) });
  const protocol = oddProtocol();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols });
  const describe = (error: unknown) => publicError(error, log);
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      carryMessages(protocol, { socket: webSocket, request }, { describe, log }),
    ),
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = await connectRawSocket(`ws://127.0.0.1:${port}`);
  const ticksSeen = () => socket.messages.filter(({ id, type }) => id === 'ticks' && type === 'next').length;
  socket.send({ id: 'ticks', type: 'subscribe', payload: { query: 'subscription { tick }' } });

  const odd = [
    { query: '{ big }' },
    { query: 'subscription { big }' },
    { query: 'throw' },
    { query: '{ __typename }', variables: { throws: true } },
  ];
  for (const [number, payload] of odd.entries()) {
    const id = String(number);
    socket.send({ id, type: 'subscribe', payload });
    const [answer] = await socket.ended(id);
    expect(answer).toMatchObject({ type: 'error' });
  }
  const before = ticksSeen();
  await socket.until(() => ticksSeen() > before + 2);
  expect(socket.closed).toBeNull();
  expect(logged.length).toBeGreaterThanOrEqual(3);

  await socket.close();
  sockets.close();
  server.close();
  await once(server, 'close');
});
