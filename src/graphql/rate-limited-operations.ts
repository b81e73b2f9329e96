import type { FieldNode } from 'graphql';
import type { Caller } from '../access/caller.js';
import type { Taking } from '../limits/rate-limits.js';
import type { Context } from './context.js';

type Asking = Pick<Context, 'caller' | 'clientAddress'>;

/** What an operation is counted as, and for whom. Staff is not counted: it is few, and known by name. */
export function takingsOf(
  fields: readonly FieldNode[],
  cost: number,
  { caller, clientAddress }: Asking,
): readonly Taking[] {
  if (caller.kind === 'operator') return [];
  if (caller.kind === 'backend') return [{ limit: 'operationsPerApiKey', key: caller.apiKeyId }];
  const times = (name: string) => fields.filter((field) => field.name.value === name).length;
  const order = orderOf(caller);
  const all: readonly Taking[] = [
    { limit: 'ordersPerAddress', key: clientAddress, points: times('createOrder') },
    // By the token and not by the id that is asked for: nobody can use up what is another's.
    ...(order === null
      ? []
      : ([
          { limit: 'paymentsPerOrder', key: order, points: times('createPaymentIntent') },
          { limit: 'verifiesPerOrder', key: order, points: times('verifyPaymentIntent') },
        ] as const)),
    { limit: 'paymentsPerAddress', key: clientAddress, points: times('createPaymentIntent') },
    { limit: 'costPerAddress', key: clientAddress, points: cost },
  ];
  return all.filter(({ points }) => points !== 0);
}

function orderOf(caller: Caller): string | null {
  return caller.kind === 'payer' ? caller.orderReference : null;
}
