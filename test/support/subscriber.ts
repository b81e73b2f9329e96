import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';

/** A real graphql-ws client on a real socket, that notes everything it is told. */
export interface Subscriber<Data = any> {
  readonly heard: readonly Data[];
  /** Everything that came as an error: of the operation, or of the socket. */
  readonly errors: readonly any[];
  /** Whether the server ended it. */
  readonly ended: boolean;
  /** Waits until what was heard satisfies this. */
  until(satisfied: (heard: readonly Data[]) => boolean, milliseconds?: number): Promise<readonly Data[]>;
  untilEnded(milliseconds?: number): Promise<void>;
  close(): Promise<void>;
}

export const WATCH_PAYMENT = `
  subscription ($id: ID!, $sinceVersion: Int) {
    paymentStatusChanged(paymentIntentId: $id, sinceVersion: $sinceVersion) {
      status previousStatus version occurredAt paymentIntent { id status version amount capturedAmount paidAt }
    }
  }`;

export function subscribe(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
  token?: string,
): Subscriber {
  const heard: any[] = [];
  const errors: any[] = [];
  const waiting = new Set<() => void>();
  let ended = false;
  const notice = () => waiting.forEach((look) => look());
  const client: Client = createClient({
    url,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: token ? { authorization: `Bearer ${token}` } : undefined,
  });
  const unsubscribe = client.subscribe(
    { query, variables },
    {
      next: ({ data, errors: faults }) => {
        if (faults) errors.push(...faults);
        const [change] = Object.values(data ?? {});
        if (change !== null && change !== undefined) heard.push(change);
        notice();
      },
      error: (error) => {
        errors.push(error);
        ended = true;
        notice();
      },
      complete: () => {
        ended = true;
        notice();
      },
    },
  );
  const wait = (isThere: () => boolean, milliseconds: number) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(
          new Error(
            `waited ${milliseconds} ms; heard ${JSON.stringify(heard)}, errors ${JSON.stringify(errors)}`,
          ),
        );
      }, milliseconds);
      const look = () => {
        if (!isThere()) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    heard,
    errors,
    get ended() {
      return ended;
    },
    until: async (satisfied, milliseconds = 5_000) => {
      await wait(() => satisfied(heard), milliseconds);
      return heard;
    },
    untilEnded: (milliseconds = 5_000) => wait(() => ended, milliseconds),
    close: async () => {
      unsubscribe();
      await client.dispose();
    },
  };
}

/** Watches one payment. */
export function watch(
  app: { readonly webSocketUrl: string },
  id: string,
  token: string,
  sinceVersion?: number,
): Subscriber<{
  status: string;
  previousStatus: string | null;
  version: number;
  occurredAt: string;
  paymentIntent: any;
}> {
  return subscribe(app.webSocketUrl, WATCH_PAYMENT, { id, sinceVersion }, token);
}
