import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { WebhookError } from '../../webhooks/webhook-error.js';
import { EmailMessage } from './email-message.js';
import type { EmailMessageConnection, EmailMessageFilter, EmailMessagesArgs } from './email-types.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The newest first. @throws {WebhookError} CURSOR_UNKNOWN */
export async function listEmails(
  manager: EntityManager,
  { filter, first, after }: EmailMessagesArgs,
): Promise<EmailMessageConnection> {
  const query = withPayment(manager)
    .orderBy('email.createdAt', 'DESC')
    .addOrderBy('email.id', 'DESC')
    // One more than is shown tells whether there is a next page.
    .limit(first + 1);
  narrow(query, filter ?? {});
  if (after) await beginAfter(manager, query, after);
  const found = await query.getMany();
  const edges = found.slice(0, first).map((node) => ({ cursor: node.id, node }));
  return {
    edges,
    pageInfo: { hasNextPage: found.length > first, endCursor: edges.at(-1)?.cursor ?? null },
  };
}

/** With its order and payment. Null when there is none with this id. */
export async function findEmail(manager: EntityManager, id: string): Promise<EmailMessage | null> {
  return UUID.test(id) ? withPayment(manager).where('email.id = :id', { id }).getOne() : null;
}

function withPayment(manager: EntityManager): SelectQueryBuilder<EmailMessage> {
  return manager
    .createQueryBuilder(EmailMessage, 'email')
    .innerJoinAndSelect('email.order', 'order')
    .innerJoinAndSelect('email.intent', 'intent');
}

const CONDITIONS: Readonly<Record<keyof EmailMessageFilter, string>> = {
  status: 'email.status = :status',
  template: 'email.template = :template',
  orderId: 'email.orderId = (SELECT o.id FROM orders o WHERE o.reference = :orderId)',
  paymentIntentId:
    'email.intentId = (SELECT i.id FROM payment_intent i WHERE i.reference = :paymentIntentId)',
};

function narrow(query: SelectQueryBuilder<EmailMessage>, filter: EmailMessageFilter): void {
  for (const [name, condition] of Object.entries(CONDITIONS)) {
    const value = filter[name as keyof EmailMessageFilter];
    if (value !== undefined && value !== null) query.andWhere(condition, { [name]: value });
  }
}

/** A cursor is the id of the last e-mail that was shown, and the database knows when that one was caused. */
async function beginAfter(
  manager: EntityManager,
  query: SelectQueryBuilder<EmailMessage>,
  after: string,
): Promise<void> {
  const isKnown = UUID.test(after) && (await manager.existsBy(EmailMessage, { id: after }));
  if (!isKnown) {
    throw new WebhookError('CURSOR_UNKNOWN', 'There is no such cursor. Begin again without one.');
  }
  query.andWhere(
    '(email.createdAt, email.id) < ((SELECT e.created_at FROM email_message e WHERE e.id = :after), :after::uuid)',
    { after },
  );
}
