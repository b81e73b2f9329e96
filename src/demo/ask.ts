import { DemoError, reach } from './demo-error.js';

const START_AFRESH =
  'Earlier demos bought it all: start afresh with DATA_FOLDER=.quittance-2 PORT=4001 npm run demo';

/** By the code of the error, and the field where that is not enough. */
const WHAT_TO_DO: Readonly<Record<string, string>> = {
  OUT_OF_STOCK: START_AFRESH,
  FULLY_BOOKED: START_AFRESH,
  'BAD_USER_INPUT url':
    'The demo’s backend is on this machine: start the server again with WEBHOOKS_ALLOW_PRIVATE=yes npm start',
};

/** Plain GraphQL over HTTP, as anybody would write it. @throws {DemoError} */
export async function ask<Data>(
  url: string,
  query: string,
  variables: object = {},
  credential?: string,
): Promise<Data> {
  const response = await reach(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential && { authorization: `Bearer ${credential}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as {
    data: Data;
    errors?: { message: string; extensions?: { code?: string; fields?: { path: string }[] } }[];
  };
  const [error] = errors ?? [];
  if (!error) return data;
  const { code = '', fields = [] } = error.extensions ?? {};
  const whatToDo = WHAT_TO_DO[code] ?? WHAT_TO_DO[`${code} ${fields[0]?.path}`];
  if (whatToDo !== undefined) throw new DemoError(`${error.message}\n${whatToDo}`);
  throw new DemoError(
    `The server refused a request of the demo: ${error.message} (${code})\n` +
      'If the server is of another version than the demo, stop it and start it again: npm start',
  );
}
