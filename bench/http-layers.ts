/**
 * What does the HTTP layer cost? One small mutation is served over each candidate, each in a process of its own,
 * with what the real server needs: CSRF prevention, a CORS allow list, a body limit, and the `Authorization`
 * header in the context. The load comes from this process, in short rounds that visit every candidate in turn,
 * so that a busy machine slows all of them alike. Compare CPU per request and the ratios; requests per second
 * depend on what else the machine is doing.
 *
 *     node --import @swc-node/register/esm-register bench/http-layers.ts
 */
import 'reflect-metadata';
import { ApolloServer, HeaderMap, type ApolloServerOptions, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import fastifyApollo from '@as-integrations/fastify';
import fastifyCors from '@fastify/cors';
import fastifyHelmet from '@fastify/helmet';
import autocannon from 'autocannon';
import Fastify, { type FastifyInstance } from 'fastify';
import { type DocumentNode, type ExecutionArgs, execute, GraphQLError, parse, validate } from 'graphql';
import { getComplexity, simpleEstimator } from 'graphql-query-complexity';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import * as gql from 'type-graphql';

const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_SECONDS = 3;
const WARM_UP_SECONDS = 3;

const BODY_LIMIT_BYTES = 100 * 1024;
const ALLOWED_ORIGINS = ['https://shop.example', 'https://admin.example'];
const MAX_TOKENS = 1_000;
const MAX_COST = 500;

// --- The schema -----------------------------------------------------------------------------------------------

@gql.InputType()
class TakePaymentInput {
  @gql.Field(() => String) orderId: string;
  @gql.Field(() => gql.Int) amount: number;
  @gql.Field(() => String) currency: string;
  @gql.Field(() => String) provider: string;
  @gql.Field(() => String) idempotencyKey: string;
  @gql.Field(() => String, { nullable: true }) returnUrl?: string;
}

@gql.ObjectType()
class Payment {
  @gql.Field(() => gql.ID) id: string;
  @gql.Field(() => String) orderId: string;
  @gql.Field(() => gql.Int) amount: number;
  @gql.Field(() => String) currency: string;
  @gql.Field(() => String) provider: string;
  @gql.Field(() => String) status: string;
  @gql.Field(() => String, { nullable: true }) checkoutUrl?: string;
  @gql.Field(() => gql.GraphQLISODateTime) createdAt: Date;
}

interface Context {
  authorization: string | undefined;
}

@gql.Resolver()
class PaymentResolver {
  @gql.Query(() => Boolean)
  healthy(): boolean {
    return true;
  }

  @gql.Mutation(() => Payment)
  async takePayment(
    @gql.Arg('input', () => TakePaymentInput) input: TakePaymentInput,
    @gql.Ctx() context: Context,
  ): Promise<Payment> {
    await Promise.resolve();
    if (!context.authorization) throw new GraphQLError('Who are you?');
    return paymentFor(input);
  }
}

function paymentFor(input: TakePaymentInput): Payment {
  return {
    id: '01939f5e-0000-7000-8000-000000000001',
    orderId: input.orderId,
    amount: input.amount,
    currency: input.currency,
    provider: input.provider,
    status: 'PENDING',
    checkoutUrl: input.returnUrl,
    createdAt: new Date(),
  };
}

function paymentSchema() {
  return gql.buildSchema({ resolvers: [PaymentResolver], validate: false });
}

const REQUEST_BODY = JSON.stringify({
  query: `mutation TakePayment($input: TakePaymentInput!) {
    takePayment(input: $input) { id orderId amount currency provider status checkoutUrl createdAt }
  }`,
  operationName: 'TakePayment',
  variables: {
    input: {
      orderId: '01939f5e-0000-7000-8000-0000000000aa',
      amount: 1099,
      currency: 'EUR',
      provider: 'sandbox',
      idempotencyKey: 'order-42-attempt-1',
      returnUrl: 'https://shop.example/thanks',
    },
  },
});

const REQUEST_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json',
  origin: 'https://shop.example',
  authorization: 'Bearer qt_test_0123456789abcdef',
};

// --- The layers: each serves POST /graphql on a free port and answers that port ----------------------------------

type Layer = (options?: ApolloServerOptions<Context>) => Promise<number>;

/**
 * Express 5 with its own JSON parser and the official integration. In its favour, CORS is ours instead of the
 * `cors` package, and it makes no ETags.
 */
const apolloOnExpress: Layer = async (options) => {
  interface Express extends RequestListener {
    use(...handlers: unknown[]): void;
    disable(setting: string): void;
  }
  // Express brings no types, and only this file uses it.
  const require = createRequire(import.meta.url);
  const express = require('express') as { (): Express; json(options: { limit: number }): unknown };
  const { expressMiddleware } = require('@as-integrations/express5') as {
    expressMiddleware(server: ApolloServer<Context>, options: unknown): unknown;
  };

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (!answeredPreflight(request, response)) next();
  });
  app.use(
    '/graphql',
    express.json({ limit: BODY_LIMIT_BYTES }),
    expressMiddleware(await startedApollo(options), {
      context: ({ req }: { req: IncomingMessage }) => contextLater(req),
    }),
  );
  // Express knows an error handler by its four parameters.
  app.use((error: { status: number }, _: IncomingMessage, response: ServerResponse, _next: unknown) => {
    response.writeHead(error.status).end();
  });
  return listen(app);
};

/** Fastify 5 with @fastify/cors and the official integration. */
const apolloOnFastify: Layer = async (options) => {
  const app = await fastifyWithCors();
  await app.register(fastifyApollo(await startedApollo(options)), { context: contextLater });
  return portOf(await app.listen({ port: 0, host: '127.0.0.1' }));
};

/** The same with @fastify/helmet. */
const apolloOnFastifyWithHelmet: Layer = async (options) => {
  const app = await fastifyWithCors();
  await app.register(fastifyHelmet);
  await app.register(fastifyApollo(await startedApollo(options)), { context: contextLater });
  return portOf(await app.listen({ port: 0, host: '127.0.0.1' }));
};

/** The same with the few headers that a JSON API has a use for. */
const apolloOnFastifyWithOwnHeaders: Layer = async (options) => {
  const app = await fastifyWithCors();
  sendSecurityHeaders(app);
  await app.register(fastifyApollo(await startedApollo(options)), { context: contextLater });
  return portOf(await app.listen({ port: 0, host: '127.0.0.1' }));
};

/** Fastify for routes, bodies and CORS, with a dozen lines of ours between it and Apollo. */
const apolloOnFastifyByHand: Layer = async (options) => {
  const app = await fastifyWithCors();
  handApolloRequests(app, await startedApollo(options));
  return portOf(await app.listen({ port: 0, host: '127.0.0.1' }));
};

/** All of it together, as a real server would have it. */
const apolloOnFastifyInFull: Layer = async () => {
  const app = await fastifyWithCors();
  sendSecurityHeaders(app);
  const options = {
    parseOptions: { maxTokens: MAX_TOKENS },
    plugins: [noCacheControl, costLimit({ cached: true })],
  };
  handApolloRequests(app, await startedApollo(options));
  return portOf(await app.listen({ port: 0, host: '127.0.0.1' }));
};

/** Apollo's own entry point, everything around it by hand. */
const apolloOnNode: Layer = async (options) => {
  const apollo = await startedApollo(options);
  return serveJson(async (request, body, response) => {
    const answer = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: apolloRequest(request, body),
      context: () => contextLater(request),
    });
    for (const [name, value] of answer.headers) response.setHeader(name, value);
    if (answer.body.kind !== 'complete') throw new Error('@defer is not offered');
    response.writeHead(answer.status ?? 200).end(answer.body.string);
  });
};

/** graphql-js alone, documents cached by their text: what a request costs before Apollo. */
const graphqlJsOnNode: Layer = async () => {
  const schema = await paymentSchema();
  const documents = new Map<string, DocumentNode>();
  const documentOf = (query: string) => {
    let document = documents.get(query);
    if (!document) {
      document = parse(query, { maxTokens: MAX_TOKENS });
      if (validate(schema, document).length > 0) throw new Error('This benchmark sends only valid documents');
      documents.set(query, document);
    }
    return document;
  };
  return serveJson(async (request, body, response) => {
    const { query, operationName, variables } = body as {
      query: string;
      operationName: string;
      variables: ExecutionArgs['variableValues'];
    };
    const result = await execute({
      schema,
      document: documentOf(query),
      operationName,
      variableValues: variables,
      contextValue: contextOf(request),
    });
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.writeHead(200).end(JSON.stringify(result));
  });
};

/** The floor: JSON in, JSON of the same shape out, no GraphQL. */
const bareNode: Layer = () =>
  serveJson((request, body, response) => {
    const { variables } = body as { variables: { input: TakePaymentInput } };
    const authorized = contextOf(request).authorization !== undefined;
    const payload = JSON.stringify({ data: { takePayment: paymentFor(variables.input) } });
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.writeHead(authorized ? 200 : 401).end(payload);
    return Promise.resolve();
  });

// --- What the layers share --------------------------------------------------------------------------------------

async function startedApollo(options: Partial<ApolloServerOptions<Context>> = {}) {
  const schema = await paymentSchema();
  const defaults = { schema, csrfPrevention: true, introspection: false, stopOnTerminationSignals: false };
  const apollo = new ApolloServer<Context>({ ...defaults, ...options } as ApolloServerOptions<Context>);
  await apollo.start();
  return apollo;
}

async function fastifyWithCors() {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES });
  await app.register(fastifyCors, { origin: ALLOWED_ORIGINS, credentials: true, maxAge: 600 });
  return app;
}

function handApolloRequests(app: FastifyInstance, apollo: ApolloServer<Context>): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    handler: async (request, reply) => {
      const { status, headers, body } = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: apolloRequest(request.raw, request.body),
        context: () => contextLater(request),
      });
      if (body.kind !== 'complete') throw new Error('@defer is not offered');
      for (const [name, value] of headers) reply.header(name, value);
      reply.code(status ?? 200);
      return body.string;
    },
  });
}

function sendSecurityHeaders(app: FastifyInstance): void {
  const headers = {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
  };
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

function contextOf(request: { headers: IncomingMessage['headers'] }): Context {
  return { authorization: request.headers.authorization };
}

/** Apollo and its integrations want the context as a promise. */
function contextLater(request: { headers: IncomingMessage['headers'] }): Promise<Context> {
  return Promise.resolve(contextOf(request));
}

function apolloRequest(request: IncomingMessage, body: unknown) {
  const headers = new HeaderMap();
  for (const name in request.headers) {
    const value = request.headers[name];
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return { method: request.method ?? 'GET', headers, search: query < 0 ? '' : url.slice(query), body };
}

/** The hand-written edge: CORS, path, body limit, JSON. */
function serveJson(
  handle: (request: IncomingMessage, body: unknown, response: ServerResponse) => Promise<void>,
): Promise<number> {
  return listen((request, response) => {
    if (answeredPreflight(request, response)) return;
    if (!request.url?.startsWith('/graphql')) return void response.writeHead(404).end();
    let size = 0;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_LIMIT_BYTES) return void chunks.push(chunk);
      if (!response.headersSent) response.writeHead(413, { connection: 'close' }).end();
    });
    request.on('end', () => {
      if (size > BODY_LIMIT_BYTES) return;
      const isJson = request.headers['content-type']?.startsWith('application/json');
      let body: unknown;
      try {
        body = isJson && size > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
      } catch {
        return void response.writeHead(400).end();
      }
      handle(request, body, response).catch(() => response.writeHead(500).end());
    });
  });
}

/** Sets the CORS headers; true if the request was a preflight and has its answer. */
function answeredPreflight(request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  response.setHeader('vary', 'Origin');
  if (origin !== undefined && ALLOWED_ORIGINS.includes(origin)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
  }
  if (request.method !== 'OPTIONS') return false;
  response.setHeader('access-control-allow-methods', 'GET,POST');
  response.setHeader('access-control-allow-headers', 'authorization,content-type');
  response.setHeader('access-control-max-age', '600');
  response.writeHead(204).end();
  return true;
}

async function listen(handler: RequestListener): Promise<number> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function portOf(address: string): number {
  return Number(new URL(address).port);
}

// --- What can be added to Apollo --------------------------------------------------------------------------------

/**
 * The cost of an operation, computed for each request or once per document. The cache is for measuring only: a
 * cost that was counted under `@include(if: false)` would be believed when the same document comes with `true`.
 */
function costLimit(options: { cached: boolean }): ApolloServerPlugin<Context> {
  const costs = new WeakMap<DocumentNode, number>();
  return {
    requestDidStart: () =>
      Promise.resolve({
        didResolveOperation({ schema, document, request }) {
          let cost = options.cached ? costs.get(document) : undefined;
          if (cost === undefined) {
            const { operationName, variables } = request;
            const estimators = [simpleEstimator({ defaultComplexity: 1 })];
            cost = getComplexity({ schema, query: document, operationName, variables, estimators });
            costs.set(document, cost);
          }
          if (cost > MAX_COST)
            throw new GraphQLError(`This operation costs ${cost}; the limit is ${MAX_COST}`);
          return Promise.resolve();
        },
      }),
  };
}

/** A plugin that only listens: what the hook itself costs. */
const emptyPlugin: ApolloServerPlugin<Context> = {
  requestDidStart: () => Promise.resolve({ didResolveOperation: () => Promise.resolve() }),
};

const noCacheControl = ApolloServerPluginCacheControlDisabled();

type Candidate = () => Promise<number>;

function withApollo(layer: Layer, options: Partial<ApolloServerOptions<Context>>): Candidate {
  return () => layer(options as ApolloServerOptions<Context>);
}

const FLOOR = 'bare node:http, no GraphQL (floor)';

const LAYERS: Record<string, Candidate> = {
  [FLOOR]: bareNode,
  'graphql-js on node:http, no Apollo': graphqlJsOnNode,
  'Apollo on node:http': apolloOnNode,
  'Apollo on Fastify, own handler': apolloOnFastifyByHand,
  'Apollo on Fastify': apolloOnFastify,
  'Apollo on Express': apolloOnExpress,
};

const BASE = 'Apollo on Fastify';

const ADDITIONS: Record<string, Candidate> = {
  '+ @fastify/helmet': apolloOnFastifyWithHelmet,
  '+ five constant headers': apolloOnFastifyWithOwnHeaders,
  '+ maxTokens': withApollo(apolloOnFastify, { parseOptions: { maxTokens: MAX_TOKENS } }),
  '+ empty plugin': withApollo(apolloOnFastify, { plugins: [emptyPlugin] }),
  '+ cost, for each request': withApollo(apolloOnFastify, { plugins: [costLimit({ cached: false })] }),
  '+ cost, once per document': withApollo(apolloOnFastify, { plugins: [costLimit({ cached: true })] }),
  '− cache control plugin': withApollo(apolloOnFastify, { plugins: [noCacheControl] }),
  'own handler, headers, maxTokens, cost once, − cache control': apolloOnFastifyInFull,
  '− document cache': withApollo(apolloOnFastify, { documentStore: null }),
  '− document cache + maxTokens': withApollo(apolloOnFastify, {
    documentStore: null,
    parseOptions: { maxTokens: MAX_TOKENS },
  }),
};

// --- Server process ---------------------------------------------------------------------------------------------

/** Serves one candidate: sends its port, then its CPU time whenever the parent asks. */
async function serve(name: string): Promise<void> {
  const candidate = LAYERS[name] ?? ADDITIONS[name];
  if (!candidate) throw new Error(`No candidate is called ${name}`);
  process.send?.(await candidate());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
}

// --- Load process -----------------------------------------------------------------------------------------------

interface Round {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuMicrosPerRequest: number;
}

interface Subject {
  name: string;
  server: ChildProcess;
  url: string;
  rounds: Round[];
}

async function start(name: string): Promise<Subject> {
  const server = fork(fileURLToPath(import.meta.url), [], {
    env: { ...process.env, NODE_ENV: 'production', SERVE: name },
  });
  const [port] = (await once(server, 'message')) as [number];
  const subject = { name, server, url: `http://127.0.0.1:${port}/graphql`, rounds: [] };
  await refuseIfLess(subject);
  return subject;
}

/** A candidate that does less than the others must not win. */
async function refuseIfLess({ name, url }: Subject): Promise<void> {
  const expectThat = (what: string, holds: boolean) => {
    if (!holds) throw new Error(`${name}: ${what}`);
  };
  const post = (headers: Record<string, string>, body: string) =>
    fetch(url, { method: 'POST', headers: { ...REQUEST_HEADERS, ...headers }, body });

  const answer = await post({}, REQUEST_BODY);
  const { data } = (await answer.json()) as { data?: { takePayment?: { status?: string } } };
  expectThat('takes a payment', data?.takePayment?.status === 'PENDING');
  const allowed = answer.headers.get('access-control-allow-origin');
  expectThat('admits an origin on the list', allowed === REQUEST_HEADERS.origin);

  const foreign = await post({ origin: 'https://elsewhere.example' }, REQUEST_BODY);
  expectThat('admits no other origin', foreign.headers.get('access-control-allow-origin') === null);

  const tooLarge = await post({}, JSON.stringify({ query: ' '.repeat(BODY_LIMIT_BYTES) }));
  expectThat('refuses a large body', tooLarge.status === 413);

  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: { origin: REQUEST_HEADERS.origin, 'access-control-request-method': 'POST' },
  });
  expectThat('answers a preflight', preflight.status === 204);

  if (name === FLOOR || name.includes('no Apollo')) return;
  const forged = await fetch(`${url}?query={healthy}`, { headers: { accept: '*/*' } });
  expectThat('refuses a request that a foreign page could forge', forged.status === 400);
}

async function cpuMicros(server: ChildProcess): Promise<number> {
  server.send('cpu');
  const [micros] = (await once(server, 'message')) as [number];
  return micros;
}

async function load({ name, server, url }: Subject, seconds: number): Promise<Round> {
  const before = await cpuMicros(server);
  const result = await autocannon({
    url,
    method: 'POST',
    headers: REQUEST_HEADERS,
    body: REQUEST_BODY,
    connections: CONNECTIONS,
    duration: seconds,
  });
  const after = await cpuMicros(server);
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${name}: requests failed under load`);
  return {
    requestsPerSecond: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuMicrosPerRequest: (after - before) / result['2xx'],
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Ratios and differences are taken within each round, where both met the same machine. */
function report(subjects: Subject[], reference: Subject): void {
  const cpu = (subject: Subject) => subject.rounds.map((round) => round.cpuMicrosPerRequest);
  const referenceCpu = cpu(reference);
  console.log(
    `\n| | requests/s | p50 ms | p99 ms | CPU µs/request | min–max | more than ${reference.name} | times |`,
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const subject of subjects) {
    const differences = cpu(subject).map((micros, round) => micros - (referenceCpu[round] ?? NaN));
    const ratios = cpu(subject).map((micros, round) => micros / (referenceCpu[round] ?? NaN));
    const row = [
      subject.name,
      median(subject.rounds.map((round) => round.requestsPerSecond)).toFixed(0),
      median(subject.rounds.map((round) => round.p50Ms)),
      median(subject.rounds.map((round) => round.p99Ms)),
      median(cpu(subject)).toFixed(0),
      `${Math.min(...cpu(subject)).toFixed(0)}–${Math.max(...cpu(subject)).toFixed(0)}`,
      `${median(differences).toFixed(0)} µs`,
      median(ratios).toFixed(2),
    ];
    console.log(`| ${row.join(' | ')} |`);
  }
}

async function main(): Promise<void> {
  const subjects: Subject[] = [];
  try {
    for (const name of Object.keys({ ...LAYERS, ...ADDITIONS })) subjects.push(await start(name));
    for (const subject of subjects) await load(subject, WARM_UP_SECONDS);
    for (let round = 1; round <= ROUNDS; round += 1) {
      console.error(`round ${round} of ${ROUNDS}`);
      for (const subject of subjects) subject.rounds.push(await load(subject, ROUND_SECONDS));
    }
  } finally {
    for (const { server } of subjects) server.kill();
  }
  const named = (name: string) => subjects.filter((subject) => subject.name === name);
  const [floor] = named(FLOOR);
  const [base] = named(BASE);
  if (!floor || !base) throw new Error('The references were not measured');
  report(Object.keys(LAYERS).flatMap(named), floor);
  report(Object.keys(ADDITIONS).flatMap(named), base);
}

await (process.env['SERVE'] ? serve(process.env['SERVE']) : main());
