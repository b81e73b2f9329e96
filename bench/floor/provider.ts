import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

export interface OpenedAtProvider {
  readonly id: string;
  readonly client_secret: string;
}

/** With what went over the wire, as JSON: Quittance keeps it, too. */
export interface AnsweredCall {
  readonly opened: OpenedAtProvider;
  readonly exchanges: string;
}

const PATH = '/v1/payment_intents';

function answeredCall(url: string, request: string, answer: string, opened: OpenedAtProvider): AnsweredCall {
  const exchange = { method: 'POST', url, request, status: 200, answer, milliseconds: 1 };
  return { opened, exchanges: JSON.stringify([exchange]) };
}

export type CallProvider = (reference: string, amount: number, key: string) => Promise<AnsweredCall>;

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
        path: PATH,
        method: 'POST',
        headers,
      };
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode !== 200) return reject(new Error(answer));
          const url = `http://127.0.0.1:${port}${PATH}`;
          resolve(answeredCall(url, body, answer, JSON.parse(answer) as OpenedAtProvider));
        });
      });
      call.on('error', reject);
      call.end(body);
    });
  };
}

/** About as long as the double's. */
const ANSWER_BYTES = 1_100;
const REQUEST_BYTES = 160;

export const withoutProvider: CallProvider = () => {
  const id = `pi_${randomUUID().replaceAll('-', '')}`;
  const opened = { id, client_secret: `${id}_secret_${randomUUID().replaceAll('-', '')}` };
  const text = (bytes: number) => randomBytes(bytes / 2).toString('hex');
  return Promise.resolve(answeredCall(PATH, text(REQUEST_BYTES), text(ANSWER_BYTES), opened));
};
