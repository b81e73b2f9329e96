import type { FastifyInstance } from 'fastify';
import type { DataSource } from 'typeorm';

/**
 * `GET /healthz`: the process lives; restart it if not. `GET /readyz`: it can serve, that is, it reaches its database;
 * send it no traffic if not.
 */
export function serveHealth(server: FastifyInstance, dataSource: DataSource): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    try {
      await dataSource.query('SELECT 1');
      return { status: 'ready' };
    } catch {
      return reply.code(503).send({ status: 'not ready', reason: 'The database can’t be reached.' });
    }
  });
}
