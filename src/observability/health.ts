import type { FastifyInstance } from 'fastify';
import pg from 'pg';

const TIMEOUT_MILLISECONDS = 2_000;

/**
 * `GET /healthz`: the process lives; restart it if not. `GET /readyz`: it can serve, that is, it reaches its database;
 * send it no traffic if not.
 */
export function serveHealth(server: FastifyInstance, databaseUrl: string): void {
  // Of its own: it must not wait behind those whose readiness it tells.
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: TIMEOUT_MILLISECONDS,
    query_timeout: TIMEOUT_MILLISECONDS,
    application_name: 'quittance health',
  });
  // Lost while nobody asks: the next one connects again.
  pool.on('error', () => undefined);
  server.addHook('onClose', () => pool.end());
  /** Those who ask at the same time are given one answer. */
  let asking: Promise<unknown> | undefined;
  const ask = () => (asking ??= pool.query('SELECT 1').finally(() => (asking = undefined)));
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    try {
      await ask();
      return { status: 'ready' };
    } catch {
      return reply.code(503).send({ status: 'not ready', reason: 'The database can’t be reached.' });
    }
  });
}
