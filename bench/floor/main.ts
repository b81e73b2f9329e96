/**
 * The floor: a bare `node:http` and `pg` handler that writes what Quittance writes, and does nothing else. It checks no
 * token, reads no order, decides nothing, and tells nobody; what it is told to write, it writes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { bestCreate, plainCreate, type Create } from './create.js';
import { openAtProvider, withoutProvider } from './provider.js';
import { isSigned, type SignedNotification } from './signature.js';
import { bestWebhook, plainWebhook, type Webhook } from './webhook.js';

export interface FloorSettings {
  readonly databaseUrl: string;
  readonly poolSize: number;
  readonly providerPort: number;
  readonly providerKey: string;
  readonly webhookSecret: string;
}

type Handler = (request: IncomingMessage, body: string) => Promise<object>;

function handlers(settings: FloorSettings, pool: pg.Pool): Readonly<Record<string, Handler>> {
  const provider = openAtProvider(settings.providerPort, settings.providerKey);
  const creating =
    (create: Create, call = provider): Handler =>
    async (_request, body) => ({ data: await create(pool, JSON.parse(body), call) });
  const receiving =
    (receive: Webhook): Handler =>
    async (request, body) => {
      const signature = String(request.headers['stripe-signature']);
      if (!isSigned(settings.webhookSecret, signature, body)) throw new Error('not signed');
      await receive(pool, JSON.parse(body) as SignedNotification, signature, body);
      return { received: true };
    };
  return {
    '/create/plain': creating(plainCreate),
    '/create/plain/no-call': creating(plainCreate, withoutProvider),
    '/create/best': creating(bestCreate),
    '/create/best/no-call': creating(bestCreate, withoutProvider),
    '/webhook/plain': receiving(plainWebhook),
    '/webhook/best': receiving(bestWebhook),
  };
}

async function serve(settings: FloorSettings): Promise<number> {
  const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: settings.poolSize });
  const byPath = handlers(settings, pool);
  const server = createServer((request, response) => {
    readBody(request)
      .then((body) => byPath[request.url!]!(request, body))
      .then(
        (answer) => send(response, 200, answer),
        (error: unknown) => send(response, 500, { error: String(error) }),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

function send(response: ServerResponse, status: number, answer: object): void {
  const body = JSON.stringify(answer);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}

const port = await serve(JSON.parse(process.argv[2]!) as FloorSettings);
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});
process.send?.({ port });
