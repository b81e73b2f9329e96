import { EventEmitter } from 'node:events';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { DemoError } from './demo-error.js';

export interface StatusChange {
  readonly status: string;
  readonly version: number;
}

/** One payment, watched with graphql-ws on a WebSocket. */
export interface LiveStatus {
  /** Waits until this status is told, or returns the change when it was told already. */
  until(status: string): Promise<StatusChange>;
  /** The connection goes, as in a tunnel: nobody says goodbye. */
  lose(): void;
  close(): Promise<void>;
}

export interface PaymentToWatch {
  readonly paymentId: string;
  readonly token: string;
  /** The last version that was seen before a connection was lost. */
  readonly sinceVersion?: number;
  readonly onChange: (change: StatusChange) => void;
}

const WATCH = `subscription ($id: ID!, $sinceVersion: Int) {
  paymentStatusChanged(paymentIntentId: $id, sinceVersion: $sinceVersion) { status version }
}`;

const TOLD_WITHIN_MILLISECONDS = 15_000;

export function watchStatus(serverUrl: string, watched: PaymentToWatch): LiveStatus {
  const { paymentId: id, token, sinceVersion, onChange } = watched;
  const heard: StatusChange[] = [];
  const news = new EventEmitter<{ change: [StatusChange]; ended: [unknown] }>();
  let socket: WebSocket | undefined;
  const client = createClient({
    url: `${serverUrl.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${token}` },
    on: { connected: (connected) => (socket = connected as WebSocket) },
  });
  client.subscribe<{ paymentStatusChanged: StatusChange | null }>(
    { query: WATCH, variables: { id, sinceVersion } },
    {
      next({ data, errors }) {
        if (!data?.paymentStatusChanged) {
          news.emit('ended', errors);
          return;
        }
        heard.push(data.paymentStatusChanged);
        onChange(data.paymentStatusChanged);
        news.emit('change', data.paymentStatusChanged);
      },
      error: (error) => news.emit('ended', error),
      complete: () => news.emit('ended', undefined),
    },
  );
  return {
    until: async (status) => heard.find((change) => change.status === status) ?? (await nextOf(news, status)),
    lose: () => socket?.terminate(),
    close: async () => client.dispose(),
  };
}

function nextOf(
  news: EventEmitter<{ change: [StatusChange]; ended: [unknown] }>,
  status: string,
): Promise<StatusChange> {
  return new Promise((resolve, reject) => {
    const giveUp = (why: string) =>
      settle(() => reject(new DemoError(`Waited for ${status}, but ${why}. Look at the server's log.`)));
    const timer = setTimeout(
      () => giveUp(`nothing came within ${TOLD_WITHIN_MILLISECONDS / 1_000} s`),
      TOLD_WITHIN_MILLISECONDS,
    );
    const onChange = (change: StatusChange) => {
      if (change.status === status) settle(() => resolve(change));
    };
    const onEnded = (reason: unknown) => giveUp(`the WebSocket was ended: ${reasonOf(reason)}`);
    const settle = (tell: () => void) => {
      clearTimeout(timer);
      news.off('change', onChange).off('ended', onEnded);
      tell();
    };
    news.on('change', onChange).on('ended', onEnded);
  });
}

/** An error, GraphQL errors, or a close event. */
function reasonOf(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  if (Array.isArray(reason)) return reason.map(reasonOf).join(', ');
  if (typeof reason !== 'object' || reason === null) return 'without a reason';
  if ('message' in reason) return String(reason.message);
  return 'code' in reason ? `code ${String(reason.code)}` : 'without a reason';
}
