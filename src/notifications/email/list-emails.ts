import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { isUuid } from '../../database/uuid.js';
import { narrow, readPage } from '../../paging/read-page.js';
import { EmailMessage } from './email-message.js';
import type { EmailMessageConnection, EmailMessageFilter, EmailMessagesArgs } from './email-types.js';

/** The newest first. @throws {PagingError} CURSOR_UNKNOWN */
export function listEmails(
  manager: EntityManager,
  { filter, ...page }: EmailMessagesArgs,
): Promise<EmailMessageConnection> {
  const query = withPayment(manager);
  narrow(query, CONDITIONS, filter);
  return readPage(query, { by: 'createdAt', cursor: 'id' }, page);
}

/** With its order and payment, where it is about one. Null when there is none with this id. */
export async function findEmail(manager: EntityManager, id: string): Promise<EmailMessage | null> {
  return isUuid(id) ? withPayment(manager).where('email.id = :id', { id }).getOne() : null;
}

function withPayment(manager: EntityManager): SelectQueryBuilder<EmailMessage> {
  return manager
    .createQueryBuilder(EmailMessage, 'email')
    .leftJoinAndSelect('email.order', 'order')
    .leftJoinAndSelect('email.intent', 'intent');
}

const CONDITIONS: Readonly<Record<keyof EmailMessageFilter, string>> = {
  status: 'email.status = :status',
  template: 'email.template = :template',
  orderId: 'email.orderId = (SELECT o.id FROM orders o WHERE o.reference = :orderId)',
  paymentIntentId:
    'email.intentId = (SELECT i.id FROM payment_intent i WHERE i.reference = :paymentIntentId)',
};
