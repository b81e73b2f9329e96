import { createHmac, hkdfSync } from 'node:crypto';

/** What is stored in place of a client's address: it tells clients apart, and only our secret makes it. */
export type DigestClient = (clientAddress: string) => string;

/** @param secret the installation's. */
export function clientDigests(secret: string): DigestClient {
  const key = Buffer.from(hkdfSync('sha256', secret, 'quittance', 'client addresses', 32));
  return (clientAddress) => createHmac('sha256', key).update(clientAddress).digest('base64url').slice(0, 22);
}
