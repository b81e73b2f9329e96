import type { ApolloServerPlugin } from '@apollo/server';
import type { FormattedExecutionResult } from 'graphql';
import Negotiator from 'negotiator';

const JSON_TYPE = 'application/json; charset=utf-8';
const GRAPHQL_RESPONSE_TYPE = 'application/graphql-response+json; charset=utf-8';

/** Faults of the request itself, and not of the GraphQL in it: they are 400 under each media type. */
const FAULTS_OF_REQUEST: ReadonlySet<unknown> = new Set([
  'BAD_REQUEST',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/**
 * Statuses as GraphQL over HTTP says. Under `application/json` a request that could be read is answered with 200,
 * whatever is wrong with its query, for a proxy's 400 looks the same; under `application/graphql-response+json`, which no
 * proxy writes, with 400. Apollo answers 400 under both.
 */
export const STATUS_BY_MEDIA_TYPE: ApolloServerPlugin = {
  requestDidStart: () =>
    Promise.resolve({
      willSendResponse: ({ request, response: { http, body } }) => {
        if (http.status === 400 && body.kind === 'single' && isOfGraphQL(body.singleResult)) {
          http.status = statusOfFault(request.http?.headers.get('accept'));
        }
        return Promise.resolve();
      },
    }),
};

/** Of a request that could be read, and whose query could not be taken. @param accept the request's header. */
export function statusOfFault(accept: string | undefined): 200 | 400 {
  return !accept || preferredOf(accept) === JSON_TYPE ? 200 : 400;
}

function isOfGraphQL({ errors = [] }: FormattedExecutionResult): boolean {
  return !errors.some(({ extensions }) => FAULTS_OF_REQUEST.has(extensions?.code));
}

/** The one that Apollo writes then. Undefined: neither. */
function preferredOf(accept: string): string | undefined {
  return new Negotiator({ headers: { accept } }).mediaType([JSON_TYPE, GRAPHQL_RESPONSE_TYPE]);
}
