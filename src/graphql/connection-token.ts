import { AccessError } from '../access/access-error.js';

/** Where clients that don't know our documents put their token. It is refused there, for it must not be taken for none. */
const OTHER_NAMES = ['authToken', 'accessToken', 'access_token', 'token', 'apiKey', 'orderToken'];

/**
 * The `Authorization` of a WebSocket's connection parameters. Clients write it at the top or under `headers`, in small
 * letters or in capitals; all of them count. Clients that aren't browsers may send the header itself with the upgrade.
 * @throws {AccessError} UNAUTHENTICATED for two that differ, for one that is no text, and for a token in another place.
 */
export function authorizationOf(
  connectionParams: Readonly<Record<string, unknown>> | undefined,
  headerOfUpgrade: string | undefined,
): string | undefined {
  const parameters = connectionParams ?? {};
  const given = [...authorizationsIn(parameters), ...authorizationsIn(parameters.headers)];
  const [first, ...others] = given;
  if (first === undefined) {
    const name = OTHER_NAMES.find((other) => typeof parameters[other] === 'string');
    if (name !== undefined) throw refused(`Send the token as authorization: "Bearer …", not as ${name}.`);
    // What a proxy in front asks for, such as Basic, is not ours.
    return /^Bearer /i.test(headerOfUpgrade ?? '') ? headerOfUpgrade : undefined;
  }
  if (typeof first !== 'string') throw refused('authorization must be a text: "Bearer" and a token.');
  if (others.some((other) => other !== first)) throw refused('Send one authorization: these differ.');
  return first;
}

function authorizationsIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .filter(
      ([name, given]) => name.toLowerCase() === 'authorization' && given !== undefined && given !== null,
    )
    .map(([, given]: [string, unknown]) => given);
}

function refused(message: string): AccessError {
  return new AccessError('UNAUTHENTICATED', message);
}
