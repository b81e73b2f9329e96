import { randomUUID } from 'node:crypto';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createApiKey } from '../src/access/api-keys.js';
import { OPERATOR_ROLES } from '../src/access/operator-roles.js';
import { signOperatorToken } from '../src/access/operator-token.js';
import { kindsOf, type Permission } from '../src/access/permission.js';
import { INPUTS, OPERATIONS } from '../src/access/permissions.js';
import { ALL_SCOPES } from '../src/access/scopes.js';
import { createSchema } from '../src/graphql/schema.js';
import { dataOf, OPERATOR_JWT_SECRET, startTestApp, type RunningApp } from './support/running-app.js';
import { smallestOperations, type SmallestOperation } from './support/smallest-operation.js';

/**
 * Every operation of the schema, by every kind of caller, over both transports: who may is `access/permissions.ts`, and who is
 * let in is asked of a running server. A field that is new is asked too, and has to be entered there first.
 */
interface Caller {
  readonly name: string;
  readonly token?: string;
  /** What the table says of them. */
  readonly may: (permission: Permission) => boolean;
}

let app: RunningApp;
let schema: GraphQLSchema;
let callers: Caller[];
const sockets = new Map<string, Client>();

beforeAll(async () => {
  app = await startTestApp();
  schema = await createSchema();
  callers = await everyCaller();
});
afterAll(async () => {
  for (const socket of sockets.values()) await socket.dispose();
  await app.stop();
});

async function everyCaller(): Promise<Caller[]> {
  const { token: orderToken } = await app.order((await app.addProduct()).sku);
  const customer = `mutation { createCustomer(input: { externalId: "${randomUUID()}" }) { id } }`;
  const { id } = dataOf(await app.graphql(customer, {}, app.apiKey)).createCustomer;
  const customerToken = `mutation { createCustomerToken(customerId: "${id}") }`;
  const keys = ALL_SCOPES.map(async (scope): Promise<Caller> => ({
    name: `backend with ${scope}`,
    token: await createApiKey(app.dataSource.manager, { name: scope, scopes: [scope] }),
    may: ({ backend }) => backend === scope || backend === 'ANY_SCOPE',
  }));
  const operators = OPERATOR_ROLES.map(async (role, index): Promise<Caller> => ({
    name: role,
    token: await signOperatorToken(OPERATOR_JWT_SECRET, role, 600_000, role),
    may: ({ operator }) => operator !== undefined && OPERATOR_ROLES.indexOf(operator) <= index,
  }));
  return [
    { name: 'anonymous', may: ({ anonymous }) => anonymous === true },
    { name: 'payer', token: orderToken, may: ({ payer }) => payer === true },
    {
      name: 'customer',
      token: dataOf(await app.graphql(customerToken, {}, app.apiKey)).createCustomerToken,
      may: (permission) => permission.customer === true,
    },
    ...(await Promise.all([...keys, ...operators])),
  ];
}

function socketOf({ name, token }: Caller): Client {
  const known = sockets.get(name);
  if (known) return known;
  const socket = createClient({
    url: app.webSocketUrl,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    connectionParams: token ? { authorization: `Bearer ${token}` } : undefined,
  });
  sockets.set(name, socket);
  return socket;
}

interface Answer {
  readonly errors?: readonly GraphQLFormattedError[];
}

/** The first that is said to an operation over a WebSocket. */
async function firstAnswer(caller: Caller, { query, variables }: SmallestOperation): Promise<Answer> {
  for await (const answer of socketOf(caller).iterate({ query, variables })) return answer;
  return {};
}

const overWebSocket = (caller: Caller, operation: SmallestOperation): Promise<Answer> =>
  firstAnswer(caller, operation).catch((errors: unknown) => ({
    errors: errors as Answer['errors'],
  }));

const overHttp = (caller: Caller, { query, variables }: SmallestOperation): Promise<Answer> =>
  app.graphql(query, variables, caller.token) as Promise<Answer>;

/** Whether the caller was let in; what the operation then found is another matter. */
function isLetIn({ errors }: Answer): boolean {
  const error = errors?.[0];
  const code = error?.extensions?.code;
  const isFault =
    code === undefined || (typeof code === 'string' && /^(INTERNAL|GRAPHQL_|BAD_REQUEST|QUERY_)/.test(code));
  if (error && isFault) throw new Error(JSON.stringify(error));
  const isOfAnotherKind =
    code === 'NOT_FOUND' && /: (your token is that of|you have sent no token)/.test(error!.message);
  return code !== 'UNAUTHENTICATED' && code !== 'FORBIDDEN' && !isOfAnotherKind;
}

/** Those who were let in and should not have been, and those who were refused and may. */
async function differences(
  operation: SmallestOperation,
  ask: (caller: Caller, operation: SmallestOperation) => Promise<Answer>,
  permissions: readonly Permission[] = [OPERATIONS[operation.name]!],
): Promise<string[]> {
  const found = await Promise.all(
    callers.map(async (caller) => {
      const isIn = isLetIn(await ask(caller, operation));
      return isIn === permissions.every(caller.may)
        ? null
        : `${caller.name} was ${isIn ? 'let in' : 'refused'}`;
    }),
  );
  return found.filter((difference) => difference !== null);
}

/** Of these nothing is said before something happens. */
const SAYS_NOTHING_AT_FIRST = 'Subscription.paymentIntentsChanged';

test('who may begin each operation is said, and of nothing else', () => {
  const operations = smallestOperations(schema).map(({ name }) => name);
  expect(Object.keys(OPERATIONS).toSorted()).toEqual(operations.toSorted());
});

test('every operation lets in who may over HTTP, and nobody else', async () => {
  const wrong: Record<string, string[]> = {};
  for (const operation of smallestOperations(schema).filter(({ kind }) => kind !== 'subscription')) {
    const found = await differences(operation, overHttp);
    if (found.length > 0) wrong[operation.name] = found;
  }
  expect(wrong).toEqual({});
}, 60_000);

test('every operation lets in who may over WebSocket, and nobody else', async () => {
  const wrong: Record<string, string[]> = {};
  for (const operation of smallestOperations(schema).filter(({ name }) => name !== SAYS_NOTHING_AT_FIRST)) {
    const found = await differences(operation, overWebSocket);
    if (found.length > 0) wrong[operation.name] = found;
  }
  expect(wrong).toEqual({});
}, 60_000);

test('the changes of every payment are heard by who may, and by nobody else', async () => {
  const operation = smallestOperations(schema).find(({ name }) => name === SAYS_NOTHING_AT_FIRST)!;
  let isOver = false;
  const found = differences(operation, overWebSocket).finally(() => (isOver = true));
  const { sku } = await app.addProduct();
  // Once everybody listens, one change is enough; until then, some are missed.
  while (!isOver) {
    const { orderId, token } = await app.order(sku);
    await app.pay(orderId, token, { method: 'CARD' });
  }
  expect(await found).toEqual([]);
}, 60_000);

test.each(Object.entries(INPUTS))('%s is given by who may, and by nobody else', async (name, permission) => {
  const value = permission.value ?? (name.endsWith('Lines') ? [] : VALUES[name]);
  const input = name.slice(0, name.indexOf('.'));
  const operation = smallestOperations(schema, { [name]: value ?? 'nowhere' }).find(
    ({ name: whole, query }) => name.startsWith(`${whole}.`) || query.includes(`: ${input}!`),
  )!;
  for (const ask of [overHttp, overWebSocket]) {
    expect(await differences(operation, ask, [OPERATIONS[operation.name]!, permission])).toEqual([]);
  }
});

const VALUES: Readonly<Record<string, unknown>> = {
  'CreateOrderInput.metadata': { vip: true },
  'Query.paymentOptions.includeUnavailable': true,
  'Query.savedPaymentMethods.refresh': true,
  'CreatePaymentIntentInput.offSession': true,
  'CreatePaymentIntentInput.saveMethod': true,
};

describe('the schema’s descriptions', () => {
  const described = () => {
    const all = new Map<string, string>();
    for (const type of Object.values(schema.getTypeMap())) {
      if (!('getFields' in type)) continue;
      for (const field of Object.values(type.getFields())) {
        all.set(`${type.name}.${field.name}`, field.description ?? '');
        const args = 'args' in field ? field.args : [];
        for (const argument of args) {
          all.set(`${type.name}.${field.name}.${argument.name}`, argument.description ?? '');
        }
      }
    }
    return all;
  };

  test.each(Object.entries({ ...OPERATIONS, ...INPUTS }))(
    'say who may, as the code does: %s',
    (name, permission) => {
      const description = described().get(name);
      const [, said] = /^For ([^:]+): /.exec(description ?? '') ?? [];
      // Where the caller's own thing is meant, the word "for" isn't needed.
      const needsWords = !permission.payer && !permission.customer && !('value' in permission);
      if (said !== undefined || needsWords) expect(said).toBe(kindsOf(permission));
      if (permission.backend && permission.backend !== 'ANY_SCOPE' && name in OPERATIONS) {
        expect(description).toContain(`the scope \`${permission.backend}\``);
      }
      if (permission.operator && permission.operator !== 'viewer' && name in OPERATIONS) {
        expect(description).toContain(`the role \`${permission.operator}\``);
      }
    },
  );

  test('promise nothing that nobody enforces', () => {
    const promising = [...described()].filter(([, text]) =>
      /^For (backends|operators|the (payer|customer))/.test(text),
    );
    const promised = promising.map(([name]) => name);
    expect(promised.filter((name) => !(name in OPERATIONS) && !(name in INPUTS))).toEqual([]);
  });
});
