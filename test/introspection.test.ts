import { buildClientSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from 'graphql';
import { codeOf, dataOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import { createSchema } from '../src/graphql/schema.js';
import { subscribe } from './support/subscriber.js';

let app: RunningApp;
let closed: RunningApp;
beforeAll(async () => {
  [app, closed] = await Promise.all([startTestApp(), startTestApp({ introspection: false })]);
});
afterAll(() => Promise.all([app.stop(), closed.stop()]));

type Ask = (asked: RunningApp, query: string) => Promise<GraphQLAnswer>;

const overHttp: Ask = (asked, query) => asked.graphql(query);

const overGet: Ask = async (asked, query) => {
  const response = await fetch(`${asked.url}/graphql?query=${encodeURIComponent(query)}`);
  return (await response.json()) as GraphQLAnswer;
};

const overWebSocket: Ask = async (asked, query) => {
  const subscriber = subscribe(asked.webSocketUrl, query);
  await subscriber.untilEnded();
  await subscriber.close();
  const errors = subscriber.errors.flat();
  return { data: { __schema: subscriber.heard[0] }, ...(errors.length > 0 && { errors }) };
};

/** As the tools ask: graphql-codegen and GraphQL Inspector with these, GraphiQL with its own. */
const OPTIONS = {
  'no options': {},
  'those of graphql-codegen': {
    descriptions: true,
    schemaDescription: false,
    specifiedByUrl: false,
    directiveIsRepeatable: false,
    inputValueDeprecation: false,
  },
  'those of GraphiQL': { schemaDescription: true, inputValueDeprecation: true, specifiedByUrl: true },
  all: {
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  },
  'twice the depth': { inputValueDeprecation: true, typeDepth: 18 },
};

describe.each([
  ['HTTP POST', overHttp],
  ['HTTP GET', overGet],
  ['WebSocket', overWebSocket],
])('over %s', (_transport, ask) => {
  test.each(Object.entries(OPTIONS))(
    'graphql-js’s own query with %s gives the whole schema',
    async (_what, options) => {
      const data = dataOf(await ask(app, getIntrospectionQuery(options)));
      const read = printSchema(lexicographicSortSchema(buildClientSchema(data as never)));
      const own = printSchema(lexicographicSortSchema(await createSchema()));
      const bare = (text: string) => text.replace(/ @specifiedBy\(url: "[^"]*"\)| @oneOf/g, '');
      expect(bare(read)).toBe(bare(own));
    },
  );

  test('where the schema may not be read, it isn’t', async () => {
    expect(codeOf(await ask(closed, getIntrospectionQuery()))).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  const types = (inside: string) => `types { name fields { name type { name ${inside} } } }`;

  test.each([
    [
      'types in types',
      `{ __schema { ${types(`fields { type { ${'fields { type { '.repeat(5)} name ${'} } '.repeat(5)} } }`)} } }`,
      'QUERY_TOO_COMPLEX',
    ],
    [
      'the whole of it, ten times',
      `{ ${Array.from({ length: 10 }, (_, n) => `a${n}: __schema { ...s }`).join(' ')} } ${fragmentOfAll()}`,
      'QUERY_TOO_COMPLEX',
    ],
    [
      'the whole of it ten times, within one field',
      `{ __schema { ${Array.from({ length: 10 }, (_, n) => `a${n}: types { ...FullType }`).join(' ')} } } ${fragmentOfAll()}`,
      'QUERY_TOO_COMPLEX',
    ],
  ])('a schema bomb is refused: %s', async (_what, query, code) => {
    const started = performance.now();
    expect(codeOf(await ask(app, query))).toBe(code);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

/** The fragments of graphql-js's query, and one of all that it asks. */
function fragmentOfAll(): string {
  const query = getIntrospectionQuery();
  const fragments = query.slice(query.indexOf('fragment FullType'));
  return `fragment s on __Schema { types { ...FullType } } ${fragments}`;
}
