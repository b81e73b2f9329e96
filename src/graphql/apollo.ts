import { ApolloServer, type ApolloServerPlugin, type GraphQLRequestListener } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyError, FastifyInstance } from 'fastify';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import { AccessError } from '../access/access-error.js';
import { authenticate } from '../access/authenticate.js';
import type { RefusedLogIns } from '../audit/refused-log-ins.js';
import type { ReadClientAddress } from '../access/client-address.js';
import type { RateLimits } from '../limits/rate-limits.js';
import type { Turnstile } from '../limits/turnstile.js';
import type { AdmitOperation } from './admit-operation.js';
import type { Context, ContextOfServer } from './context.js';
import { STATUS_BY_MEDIA_TYPE } from './http-status.js';
import { INTROSPECTION_LIMIT } from './introspection-limit.js';
import { withHttpStatus } from './limit-over-http.js';
import { refuseOversized } from './refuse-oversized.js';
import { publicError, withoutSuggestions } from './public-error.js';
import { MAX_TOKENS, QUERY_LIMITS } from './query-limits.js';
import { waitForPlace } from './wait-for-place.js';
import { refuseSubscription, type AskedOverHttp } from './refuse-subscription.js';

/** Ours are a few kilobytes; Stripe's own API takes no more either. */
const MAX_BODY_BYTES = 100 * 1_024;

export interface GraphQLOverHttp {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly context: ContextOfServer;
  readonly clientAddress: ReadClientAddress;
  readonly admit: AdmitOperation;
  readonly rateLimits: RateLimits;
  readonly refusedLogIns: RefusedLogIns;
  readonly turnstile: Turnstile;
  readonly log: Logger;
}

/** GraphQL over HTTP, on `/graphql`. @returns how to stop it, once no request is under way any more. */
export async function serveGraphQL(
  server: FastifyInstance,
  {
    schema,
    introspection,
    context,
    clientAddress,
    admit,
    rateLimits,
    refusedLogIns,
    turnstile,
    log,
  }: GraphQLOverHttp,
): Promise<() => Promise<void>> {
  const apollo = new ApolloServer<Context>({
    schema,
    introspection,
    // Without introspection, a mistyped name must not be answered with the right one.
    hideSchemaDetailsFromClientErrors: !introspection,
    // A browser that is misused by another site has nothing of ours to send along, for we use no cookies; and what it may
    // send without asking first (forms, text) is refused as no JSON. So a GET needs no header of its own.
    csrfPrevention: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    validationRules: [...QUERY_LIMITS, INTROSPECTION_LIMIT],
    formatError: (_formatted, error) => {
      const shown = publicError(error, log);
      // Apollo hides the hints of validation only, and not those about variables.
      return introspection ? shown : withoutSuggestions(shown);
    },
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      // A page with scripts of another's, which our content security policy would leave blank.
      ApolloServerPluginLandingPageDisabled(),
      STATUS_BY_MEDIA_TYPE,
      admitBeforeExecution(admit),
    ],
    logger: log,
  });
  await apollo.start();
  server.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    bodyLimit: MAX_BODY_BYTES,
    errorHandler: (error, _request, reply) => {
      void reply.code(error.statusCode ?? 500).send(unreadable(error, log));
    },
    onRequest: waitForPlace(turnstile, clientAddress, (error) => publicError(error, log)),
    preHandler: [
      refuseOversized((error) => publicError(error, log)),
      (request, reply, done) => {
        const asked = (request.method === 'POST' ? request.body : request.query) as AskedOverHttp | null;
        const refusal = refuseSubscription(schema, asked ?? {});
        if (refusal) void reply.code(400).send({ errors: [publicError(refusal, log)] });
        else done();
      },
    ],
    handler: fastifyApolloHandler(apollo, {
      context: async (request) => ({
        ...context,
        caller: await callerOf(context, request.headers.authorization, (reason) => {
          const address = clientAddress(request.raw);
          refusedLogIns.note(address, reason);
          return rateLimits.take([{ limit: 'badTokensPerAddress', key: address }]);
        }),
        clientAddress: clientAddress(request.raw),
      }),
    }),
  });
  return () => apollo.stop();
}

/** Before anything of an operation is done. */
function admitBeforeExecution(admit: AdmitOperation): ApolloServerPlugin<Context> {
  const admitted: GraphQLRequestListener<Context> = {
    didResolveOperation: async ({ document, operation: definition, request, contextValue, response }) => {
      // An operation that there is not is Apollo's to refuse.
      if (!definition) return;
      try {
        const headers = await admit(
          { document, definition, variables: request.variables ?? {} },
          contextValue,
        );
        for (const [name, value] of Object.entries(headers)) response.http.headers.set(name, value);
      } catch (error) {
        throw withHttpStatus(error);
      }
    },
  };
  return { requestDidStart: () => Promise.resolve(admitted) };
}

/** What the HTTP layer refused before it was GraphQL, in GraphQL's form: clients read no other. */
function unreadable(error: FastifyError, log: Logger): { errors: GraphQLFormattedError[] } {
  const isTheirs = error.statusCode !== undefined && error.statusCode < 500;
  const cause = isTheirs ? new GraphQLError(error.message, { extensions: { code: 'BAD_REQUEST' } }) : error;
  return { errors: [publicError(cause, log)] };
}

/** @param countBadToken throws once there were too many. */
async function callerOf(
  { authentication }: ContextOfServer,
  authorization: string | undefined,
  countBadToken: (reason: string) => Promise<unknown>,
) {
  try {
    return await authenticate(authentication, authorization);
  } catch (error) {
    if (error instanceof AccessError && error.kind === 'UNAUTHENTICATED') {
      await countedOver(() => countBadToken(error.message));
    }
    if (error instanceof AccessError) {
      throw new GraphQLError(error.message, {
        originalError: error,
        extensions: { code: error.kind, http: { status: 401 } },
      });
    }
    throw new GraphQLError('The token could not be checked.', { originalError: error as Error });
  }
}

/** @throws {GraphQLError} with its status */
async function countedOver(count: () => Promise<unknown>): Promise<void> {
  try {
    await count();
  } catch (error) {
    throw withHttpStatus(error);
  }
}
