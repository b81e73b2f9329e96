import type { FastifyInstance } from 'fastify';

/** Of a local run alone: a shop has a page of its own, which is what `returnUrl` is for. */
export const RETURN_PATH = '/thanks';

/** @param page HTML with its styles and nothing else: nothing may run on it. */
export function serveReturnPage(server: FastifyInstance, page: string): void {
  server.get(RETURN_PATH, (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header(
        'content-security-policy',
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      )
      .send(page),
  );
}
