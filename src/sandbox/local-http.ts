import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Larger than any request to a double; more is somebody else's mistake. */
const LARGEST_BODY_BYTES = 1024 * 1024;

/** @param port 0 is any free one. */
export async function listen(server: Server, port: number): Promise<URL> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** With every connection. May be called twice. */
export async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/** Rejects when the sender leaves before its request is whole, or sends too much; then nobody can be answered. */
export function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LARGEST_BODY_BYTES) request.destroy(new Error('the body is too large'));
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

export function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response
    .writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
    .end(body);
}

export function sendPage(response: ServerResponse, status: number, html: string): void {
  // Nothing may run on these pages, whatever somebody wrote into a description.
  response.setHeader('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
  send(response, status, 'text/html; charset=utf-8', html);
}

export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'content-length': 0 }).end();
}
