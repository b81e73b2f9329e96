import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import { addJobs } from '../../jobs/add-jobs.js';
import type { Consequence } from '../../outbox/relay.js';
import type { PaymentIntent } from '../../payments/payment-intent.js';
import { awaitsPayer } from '../../payments/transitions.js';
import {
  FAILURE_PAUSE_MINUTES,
  FREE_EMAILS_PER_DAY,
  isFree,
  lockMailboxes,
  mailboxKey,
} from './email-budget.js';
import type { EmailFacts, EndpointFacts, NotificationFacts } from './email-facts.js';
import type { EmailStatus } from './email-message.js';
import type { EmailTemplate } from './email-template.js';
import { readMailedOrders, type MailedOrder } from './read-orders.js';
import { asTransition, readTransitions, type PaymentTransition } from './read-transitions.js';
import { sendingJob } from './sending-job.js';
import { scheduleReminders } from './schedule-reminders.js';
import { mailsFor, type Mail } from './what-is-mailed.js';

/** Who writes, to whom besides customers, and when. */
export interface QueueSettings {
  /** Without it, the merchant is told by the log alone. */
  readonly merchant?: { readonly address: string; readonly locale: string };
  /** 0: nobody is reminded. */
  readonly reminderAfterMilliseconds: number;
  /** How many e-mails for which nobody had to pay one address is sent within 24 hours. Default: 5. */
  readonly freeEmailsPerDay?: number;
}

interface NewEmail {
  readonly id: string;
  /** Both null where it is about no order. */
  readonly order_id: string | null;
  readonly intent_id: string | null;
  readonly template: EmailTemplate;
  readonly transition: string;
  readonly recipient: string;
  readonly locale: string;
  readonly data: EmailFacts | EndpointFacts | NotificationFacts;
}

/** What outbox events cause here: rows, and the jobs that send them. */
export function queueEmails(settings: QueueSettings): Consequence {
  return async (manager, events) => {
    const transitions = await readTransitions(manager, events);
    await scheduleReminders(manager, settings.reminderAfterMilliseconds, transitions);
    const wanted = transitions.flatMap((transition) =>
      mailsFor(asTransition(transition)).map((mail) => ({ transition, mail })),
    );
    if (wanted.length === 0) return;
    const orders = await readMailedOrders(
      manager,
      wanted.map(({ transition }) => transition.payload.paymentIntent.orderId),
    );
    const emails = wanted.flatMap(({ transition, mail }) => {
      const order = orders.get(transition.payload.paymentIntent.orderId)!;
      return newEmail(mail, transition, order, settings) ?? [];
    });
    await insertEmails(manager, emails, settings);
  };
}

/** Null: there is nobody to write to. */
function newEmail(
  mail: Mail,
  transition: PaymentTransition,
  order: MailedOrder,
  { merchant }: QueueSettings,
): NewEmail | null {
  const { to, template } = mail;
  const { email } = order.facts.customer;
  const customer = email === null ? undefined : { address: email, locale: order.locale };
  const recipient = to === 'CUSTOMER' ? customer : merchant;
  if (!recipient) return null;
  const { payload, givenBack, byHand, dispute, failedRefund } = transition;
  const { paymentIntent, occurredAt } = payload;
  const facts = factsOf(order, keptOf(mail, transition), occurredAt);
  return {
    id: uuidv7(),
    order_id: order.id,
    intent_id: paymentIntent.id,
    template,
    transition: transition.name,
    recipient: recipient.address,
    locale: recipient.locale,
    data: {
      ...facts,
      payment: { ...facts.payment, isGivenBackByHand: byHand },
      received: receivedOf(mail, transition),
      givenBack,
      dispute,
      failedRefund,
    },
  };
}

/** An e-mail about money that goes back tells of that money; any other one of what came. */
function receivedOf({ template }: Mail, { received, goingBack }: PaymentTransition): number {
  const isAboutReturn = template === 'PAYMENT_GIVEN_BACK' || template === 'UNEXPECTED_MONEY';
  return isAboutReturn && goingBack > 0 ? goingBack : received;
}

/** Who is told that their order is confirmed is told of the money that pays it, and not of what goes back beside it. */
function keptOf({ template }: Mail, { payload, goingBack }: PaymentTransition): PaymentIntent {
  const { paymentIntent } = payload;
  if (template !== 'ORDER_CONFIRMED' && template !== 'PAID_LATE') return paymentIntent;
  return { ...paymentIntent, capturedAmount: paymentIntent.capturedAmount - goingBack };
}

export function factsOf(order: MailedOrder, payment: PaymentIntent, occurredAt: string): EmailFacts {
  const { reference, capturedAmount, refundedAmount, failureCode, failureMessage, status } = payment;
  const isUnderReview = status === 'REVIEW';
  const isPayable = !order.isOfSubscription || awaitsPayer(status);
  return {
    occurredAt,
    currency: order.currency,
    order: { ...order.facts, isPayable },
    payment: { reference, capturedAmount, refundedAmount, failureCode, failureMessage, isUnderReview },
    received: 0,
    givenBack: 0,
    dispute: null,
    failedRefund: null,
  };
}

const INSERT = statement<{ id: string; status: EmailStatus }>(
  'insert_email_messages',
  `INSERT INTO email_message
     (id, order_id, intent_id, template, transition, recipient, locale, data, budget_key, status, tries, edition,
      next_try_at, last_error)
   SELECT row.id, row.order_id, row.intent_id, row.template, row.transition, row.recipient, row.locale, row.data,
     row.budget_key, CASE WHEN why IS NULL THEN 'QUEUED' ELSE 'WITHHELD' END, 0, 1,
     CASE WHEN why IS NULL THEN now() END, why
   FROM (
       SELECT given.*, row_number() OVER (PARTITION BY budget_key ORDER BY ordinality) - 1 AS earlier_of_address,
         row_number() OVER (PARTITION BY order_id, template ORDER BY ordinality) - 1 AS earlier_of_order
       FROM jsonb_populate_recordset(NULL::email_message, $1) WITH ORDINALITY AS given
     ) AS row
     CROSS JOIN LATERAL (SELECT CASE
       WHEN row.budget_key IS NULL THEN NULL
       WHEN row.template = 'PAYMENT_FAILED' AND (row.earlier_of_order > 0 OR EXISTS (SELECT FROM email_message m
         WHERE m.order_id = row.order_id AND m.template = 'PAYMENT_FAILED' AND m.status <> 'WITHHELD'
           AND m.created_at > now() - make_interval(mins => ${FAILURE_PAUSE_MINUTES})))
         THEN 'withheld: a failed payment of this order was mailed within ${FAILURE_PAUSE_MINUTES} minutes'
       WHEN row.earlier_of_address + (SELECT count(*) FROM email_message m
         WHERE m.budget_key = row.budget_key AND m.status <> 'WITHHELD'
           AND m.created_at > now() - interval '24 hours') >= $2::integer
         THEN 'withheld: this address was sent ' || $2::integer || ' e-mails within 24 hours for which nobody had paid'
     END AS why) AS budget
   ON CONFLICT DO NOTHING
   RETURNING id, status`,
);

/**
 * Those that are there already are left as they are. What is beyond the budget of its address or order is kept, WITHHELD.
 * @param manager of a transaction: until it ends, nobody else counts what the same addresses were sent.
 */
export async function insertEmails(
  manager: EntityManager,
  emails: readonly NewEmail[],
  { freeEmailsPerDay = FREE_EMAILS_PER_DAY }: Pick<QueueSettings, 'freeEmailsPerDay'> = {},
): Promise<void> {
  if (emails.length === 0) return;
  await lockMailboxes(manager, emails);
  const rows = emails.map((email) => ({
    ...email,
    budget_key: isFree(email) ? mailboxKey(email.recipient) : null,
  }));
  const written = await run(manager, INSERT, [JSON.stringify(rows), freeEmailsPerDay]);
  await addJobs(
    manager,
    written.filter(({ status }) => status === 'QUEUED').map(({ id }) => sendingJob(id)),
  );
}
