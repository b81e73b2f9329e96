import { recogniseAttemptReference } from '../../references.js';
import { wordAt } from '../json-document.js';
import type { ParsedNotification } from '../provider.js';
import { identifierAt } from './bank-identifier.js';
import type { NotificationShape } from './notification-shape.js';

/**
 * A notification that only a token came with says whom to ask about, and nothing else of it is believed: amounts and words
 * for a status need not even be readable.
 */
export function readBankHint(
  shape: NotificationShape,
  document: unknown,
  eventId: string,
): ParsedNotification {
  const type = wordAt(document, shape.typePath);
  const known = [...(shape.paymentTypes === 'ALL' ? [] : shape.paymentTypes), ...shape.refundTypes];
  if (shape.paymentTypes !== 'ALL' && !known.includes(type ?? '')) {
    return ignored(eventId, type ?? 'unknown', 'it tells of no payment and of no refund');
  }
  const written = identifierAt(document, shape.referencePath);
  const ours = written === undefined ? undefined : recogniseAttemptReference(written);
  const attemptReference = ours ?? written;
  const providerReference = identifierAt(document, shape.providerReferencePath);
  if (attemptReference === undefined && providerReference === undefined) {
    return ignored(eventId, type ?? 'payment', 'it names no payment');
  }
  return {
    verdict: 'accepted',
    proof: 'STATIC_SECRET',
    eventId,
    type: type ?? 'payment',
    events: [
      {
        ...(attemptReference !== undefined && { attemptReference }),
        ...(providerReference !== undefined && { providerReference }),
        outcome: { kind: 'processing' },
      },
    ],
    // Others are paid on the same account.
    markedAsOurs: ours !== undefined,
  };
}

function ignored(eventId: string, type: string, reason: string): ParsedNotification {
  return { verdict: 'ignored', proof: 'STATIC_SECRET', eventId, type, reason };
}
