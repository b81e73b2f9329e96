import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

export interface OpenedAtProvider {
  readonly id: string;
  readonly client_secret: string;
}

export type CallProvider = (reference: string, amount: number, key: string) => Promise<OpenedAtProvider>;

/** The call that Quittance makes through Stripe's SDK, over bare `node:http` with connections kept alive. */
export function openAtProvider(port: number, secretKey: string): CallProvider {
  const agent = new Agent({ keepAlive: true });
  return (reference, amount, key) => {
    const body = new URLSearchParams({
      amount: String(amount),
      currency: 'eur',
      'automatic_payment_methods[enabled]': 'true',
      description: reference,
      'metadata[quittance_attempt]': reference,
    }).toString();
    const headers = {
      authorization: `Bearer ${secretKey}`,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': key,
    };
    return new Promise((resolve, reject) => {
      const options = {
        agent,
        port,
        host: '127.0.0.1',
        path: '/v1/payment_intents',
        method: 'POST',
        headers,
      };
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(answer) as OpenedAtProvider);
          else reject(new Error(answer));
        });
      });
      call.on('error', reject);
      call.end(body);
    });
  };
}

export const withoutProvider: CallProvider = () => {
  const id = `pi_${randomUUID().replaceAll('-', '')}`;
  return Promise.resolve({ id, client_secret: `${id}_secret_${randomUUID().replaceAll('-', '')}` });
};
