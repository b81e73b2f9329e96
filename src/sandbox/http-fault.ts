import { type HttpExchange } from './http-exchange.js';
import { send } from './local-http.js';

/** How the next request is answered instead of well. */
export type HttpFault = {
  /** true: the work is done first, and only the answer goes wrong: the money may have moved. */
  readonly afterDoing?: boolean;
} & (
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      /** JSON unless told. */
      readonly contentType?: string;
    }
  /** No answer, and the connection stays open. */
  | { readonly kind: 'hang' }
  /** The connection is reset. */
  | { readonly kind: 'close' }
);

/** What goes wrong by chance, when that is asked for. */
export const FAULTS_BY_CHANCE: readonly HttpFault[] = [
  { kind: 'status', status: 502, afterDoing: true },
  { kind: 'status', status: 502 },
  { kind: 'close', afterDoing: true },
  { kind: 'close' },
  { kind: 'status', status: 429 },
];

export function answerWithFault({ request, response }: HttpExchange, fault: HttpFault): void {
  switch (fault.kind) {
    case 'status':
      return send(response, fault.status, fault.contentType ?? 'application/json', fault.body ?? '{}');
    case 'hang':
      return;
    case 'close':
      request.socket.resetAndDestroy();
  }
}
