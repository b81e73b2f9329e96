import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { isDatabaseUnavailable } from '../database/unavailable.js';
import type { LimitError } from '../limits/limit-error.js';
import { headersOf, statusOf as statusOfLimit } from '../limits/limit-over-http.js';
import type { Provider } from '../providers/provider.js';
import type { CountRefusal } from './count-refusals.js';
import { receiveNotification, type Reception, type WebhookDependencies } from './receive-notification.js';

const MAX_BODY_BYTES = 1_024 * 1_024;

/**
 * `POST /webhooks/:provider`. The raw bytes are verified before anything in them is read. Only the proof decides: whatever
 * Content-Type a notification has, or none, it is taken. Whatever is refused leaves a line in the log. What is answered, and why:
 *
 * | The notification                                        | Answer | So that the provider                       |
 * |---------------------------------------------------------|--------|--------------------------------------------|
 * | is good, and was applied                                | 200    | is content                                 |
 * | is good, and not about a payment of ours                | 200    | is content; it is kept as ignored          |
 * | is good, and of another account or mode than ours       | 200    | is content; it is kept as ignored          |
 * | names an attempt that isn't there yet                   | 200    | is content; it is kept and tried again     |
 * | is good, and a fault of ours stops it                   | 200    | is content; it is kept and tried again     |
 * | is a hint only (docs/providers.md), about a payment     | 200    | is content; the provider itself is asked   |
 * | is a hint without any proof, about nothing of ours      | 200    | (or whoever sent it) learns nothing more   |
 * | came before, or is being applied at this moment         | 200    | is content; it changes nothing             |
 * | has no signature, a wrong one, or one that is too old   | 401    | (or the sender) learns nothing more: it is the proof that fails, not the body |
 * | the same, of Stripe                                     | 400    | likewise: what its own libraries answer, and what its users expect |
 * | is genuine, and can't be read                           | 200    | is content; it is kept, and we are alerted |
 * | is no notification at all, though nothing is forged     | 400    | shows it as failed; the log has it         |
 * | goes to a provider that isn't configured                | 404    | shows that the URL is wrong                |
 * | has no body                                             | 401, 400 | is told, as of any other wrong body        |
 * | has more than 1 MiB                                     | 413    | is told, as by any HTTP server             |
 * | is refused, and many from its address were before      | 429    | (or the sender) waits                      |
 * | is no POST                                              | 405    | is told what it may do                     |
 * | can't be stored (the database is down)                  | 503    | sends it again later                       |
 */
export function serveWebhooks(
  server: FastifyInstance,
  manager: EntityManager,
  providers: ReadonlyMap<string, Provider>,
  dependencies: WebhookDependencies,
  countRefusal: CountRefusal,
): void {
  const { log } = dependencies;
  const refusal = (refused: Refused) => refuse(log, countRefusal, refused);
  void server.register((scope, _options, done) => {
    // In this scope only: a JSON parser would destroy the bytes that the signature covers.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    scope.addHook('onRequest', (request, _reply, done) => {
      // The framework would refuse a malformed one with 415. The provider is given the headers as they came.
      request.headers = { 'content-type': undefined };
      done();
    });
    scope.setErrorHandler<FastifyError>((error, request, reply) => {
      const status = error.statusCode ?? 500;
      const message = status < 500 ? error.message : 'Something went wrong.';
      return refusal({ request, reply, status, message, error });
    });
    scope.post<{ Params: { provider: string } }>(
      '/webhooks/:provider',
      { bodyLimit: MAX_BODY_BYTES },
      async (request, reply) => {
        const provider = providers.get(request.params.provider);
        if (!provider) {
          return refusal({ request, reply, status: 404, message: 'There is no such provider here.' });
        }
        const notification = {
          // An empty body never reaches the parser.
          rawBody: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
          headers: request.raw.headers,
          receivedAt: dependencies.now(),
        };
        try {
          const reception = await receiveNotification(manager, dependencies, provider, notification);
          const limit = reception.kind === 'refused' ? await countRefusal(request.raw) : null;
          if (limit) return await sendElsewhere(reply, limit);
          report(dependencies, provider, reception);
          return await reply.code(statusOf(provider, reception)).send(BODY[reception.kind]);
        } catch (error) {
          const isDown = isDatabaseUnavailable(error);
          log.error({ err: error, provider: provider.name }, 'a notification could not be stored');
          return reply.code(isDown ? 503 : 500).send({ error: 'Not stored. Send it again later.' });
        }
      },
    );
    scope.route({
      method: scope.supportedMethods.filter((method) => method !== 'POST'),
      url: '/webhooks/:provider',
      onRequest: async (request, reply) => {
        void reply.header('allow', 'POST');
        return refusal({ request, reply, status: 405, message: 'Notifications are sent here by POST.' });
      },
      handler: () => undefined,
    });
    done();
  });
}

interface Refused {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly status: number;
  readonly message: string;
  readonly error?: Error;
}

/** What comes to nothing is never only the sender's to know: it may have been money. */
async function refuse(
  log: Logger,
  countRefusal: CountRefusal,
  { request, reply, status, message, error: err }: Refused,
): Promise<FastifyReply> {
  const { method, url, raw } = request;
  const limit = status < 500 ? await countRefusal(raw) : null;
  if (limit) return sendElsewhere(reply, limit);
  const { 'content-type': contentType, 'content-length': contentLength } = raw.headers;
  // Some senders write a secret behind the question mark.
  const [path] = url.split('?');
  const line = { method, path, status, contentType, contentLength, ...(err && { err }) };
  log[status < 500 ? 'warn' : 'error'](line, 'refused a request to a webhook address');
  return reply.code(status).send({ error: message });
}

/** Without a line in the log for each: that the limit is used up stands there once. */
function sendElsewhere(reply: FastifyReply, limit: LimitError): FastifyReply {
  return reply.code(statusOfLimit(limit)).headers(headersOf(limit)).send({ error: limit.message });
}

const STATUS: Readonly<Record<Reception['kind'], number>> = {
  applied: 200,
  ignored: 200,
  duplicate: 200,
  waiting: 200,
  unknown: 200,
  unreadable: 200,
  refused: 401,
  malformed: 400,
};

function statusOf({ refusalStatus }: Provider, { kind }: Reception): number {
  return kind === 'refused' ? (refusalStatus ?? STATUS.refused) : STATUS[kind];
}

const RECEIVED = { received: true };

/** The same words for every refusal: whoever tries signatures out is told nothing. */
const BODY: Readonly<Record<Reception['kind'], object>> = {
  applied: RECEIVED,
  ignored: RECEIVED,
  duplicate: RECEIVED,
  waiting: RECEIVED,
  unknown: RECEIVED,
  unreadable: RECEIVED,
  refused: { error: 'The signature is missing or not valid.' },
  malformed: { error: 'The body is signed, but not what this provider sends.' },
};

function report({ log }: WebhookDependencies, provider: Provider, reception: Reception): void {
  const fields = { provider: provider.name, ...reception };
  if (reception.kind === 'refused' || reception.kind === 'malformed') {
    log.warn(fields, `${reception.kind} a notification`);
  } else if (reception.kind === 'unreadable') {
    log.error(fields, 'a genuine notification can’t be read: it is kept, and a person has to look at it');
  } else if (reception.kind === 'waiting') log.info(fields, 'a notification waits');
  else log.debug(fields, 'received a notification');
}
