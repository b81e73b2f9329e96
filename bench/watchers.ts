import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { PaymentToSettle } from './supply.js';
import { tokenOf } from './requests.js';

const WATCH = `subscription ($id: ID!) {
  paymentStatusChanged(paymentIntentId: $id) {
    status previousStatus version occurredAt paymentIntent { id status version amount capturedAmount paidAt }
  }
}`;

const HEARD_WITHIN_MILLISECONDS = 30_000;

/** How many connect at the same time while a crowd comes. */
const DOOR_WIDTH = 50;

/** One payer with a socket of their own, who watches one payment over the protocol of graphql-ws. */
export interface Watcher {
  readonly payment: PaymentToSettle;
  /** When they heard that it is PAID. */
  readonly paid: Promise<number>;
  close(): void;
}

/** @returns once the watcher has heard the present state. */
export async function watchPayment(port: number, payment: PaymentToSettle): Promise<Watcher> {
  const authorization = `Bearer ${await tokenOf(payment.orderReference)}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
  });
  await once(socket, 'open');
  const present = hear(socket, (status) => status !== 'PAID');
  const paid = hear(socket, (status) => status === 'PAID');
  // Whoever doesn't wait for it any more doesn't mind how it ends.
  paid.catch(() => {});
  socket.on('message', (data: Buffer) => {
    if (messageOf(data).type !== 'connection_ack') return;
    const variables = { id: payment.intentReference };
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: WATCH, variables } }));
  });
  const timer = setTimeout(() => socket.terminate(), HEARD_WITHIN_MILLISECONDS);
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
  await present.finally(() => clearTimeout(timer));
  return { payment, paid, close: () => socket.close() };
}

/** When a status came that is wanted. */
function hear(socket: WebSocket, isWanted: (status: string) => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      const now = performance.now();
      const { type, payload } = messageOf(data);
      if (type !== 'next' && type !== 'error') return;
      const change = payload.data?.paymentStatusChanged;
      if (!change) reject(new Error(`a watcher heard ${data.toString('utf8')}`));
      else if (isWanted(change.status)) resolve(now);
    });
    socket.on('close', (code) => reject(new Error(`a watcher was cut off (${code})`)));
  });
}

function messageOf(data: Buffer): { type: string; payload?: any } {
  return JSON.parse(data.toString('utf8'));
}

export async function watchAll(
  port: number,
  payments: readonly PaymentToSettle[],
  came: (count: number) => void = () => {},
): Promise<Watcher[]> {
  const watchers: Watcher[] = [];
  for (let start = 0; start < payments.length; start += DOOR_WIDTH) {
    const next = payments.slice(start, start + DOOR_WIDTH);
    watchers.push(...(await Promise.all(next.map((payment) => watchPayment(port, payment)))));
    came(watchers.length);
  }
  return watchers;
}
