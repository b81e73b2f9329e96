import type { EntityManager } from 'typeorm';
import { fromRow } from '../../database/rows.js';
import { run, statement } from '../../database/statement.js';
import { addJobs } from '../../jobs/add-jobs.js';
import type { Task } from '../../jobs/job-runner.js';
import type { OrderStatus } from '../../orders/order.js';
import { DeliveryFailed, type OutgoingEmail } from './email-delivery.js';
import type { EmailDependencies } from './email-dependencies.js';
import type { OrderFacts } from './email-facts.js';
import type { EmailMessage } from './email-message.js';
import { asksForPayment } from './email-template.js';
import { emailVariables, endpointVariables, notificationVariables } from './email-variables.js';
import { domainOf } from './mailbox.js';
import { paymentLink } from './payment-link.js';
import { MAX_TRIES, pauseMillisecondsAfter } from './retry-schedule.js';
import { SEND_EMAIL, sendingJob } from './sending-job.js';

/** A try is over before the claim is: nobody else begins meanwhile. */
const CLAIM_MARGIN_MILLISECONDS = 15_000;

export function sendEmailTask(dependencies: EmailDependencies): Task {
  return {
    name: SEND_EMAIL,
    run: (payload, signal) => sendEmail(dependencies, (payload as { emailId: string }).emailId, signal),
  };
}

/** Tries an e-mail once, if it is due and nobody else is trying it. */
async function sendEmail(
  dependencies: EmailDependencies,
  emailId: string,
  stopping: AbortSignal,
): Promise<void> {
  const { manager, settings, timing, log } = dependencies;
  const claimed = await claim(manager, emailId, timing.tryMilliseconds + CLAIM_MARGIN_MILLISECONDS);
  if (!claimed) return;
  const { email, orderStatus, underReview } = claimed;
  if (asksForPayment(email.template) && (orderStatus !== 'OPEN' || underReview)) {
    await settle(manager, email, 'DROPPED');
    return;
  }
  try {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(timing.tryMilliseconds)]);
    await settings.delivery.deliver(await write(dependencies, email), signal);
  } catch (error) {
    await takeFailure(dependencies, email, error);
    return;
  }
  // Should we die just here, it goes out again: the same message, by its Message-ID.
  await settle(manager, email, 'SENT');
  log.info({ email: email.id, template: email.template }, 'an e-mail was sent');
}

async function write(
  { settings, orderTokens, timeZone }: EmailDependencies,
  { id, edition, template, recipient, locale, data }: EmailMessage,
): Promise<OutgoingEmail> {
  const { from, checkoutUrl, templates } = settings;
  const shop = { name: from.name ?? domainOf(from), address: from.address, timeZone };
  const linkOf = async ({ isPayable, reference }: OrderFacts) =>
    asksForPayment(template) && isPayable !== false ? paymentLink(orderTokens, checkoutUrl, reference) : null;
  const variablesOf = async () => {
    if ('endpoint' in data) return endpointVariables(data, locale, shop);
    if ('notification' in data) return notificationVariables(data, locale, shop);
    return emailVariables(data, locale, shop, await linkOf(data.order));
  };
  const variables = await variablesOf();
  const written = await templates.write(template, variables);
  const messageId = `${id}.${edition}@${domainOf(from)}`;
  return { id, messageId, from, to: recipient, language: variables.language, ...written };
}

async function takeFailure(
  { manager, timing, log }: EmailDependencies,
  email: EmailMessage,
  error: unknown,
): Promise<void> {
  const fields = { email: email.id, template: email.template, tries: email.tries };
  const why = String(error instanceof Error ? error.message : error);
  const isFinal = error instanceof DeliveryFailed && error.isFinal;
  if (isFinal || email.tries >= MAX_TRIES) {
    await settle(manager, email, 'FAILED', why);
    log.error(
      { ...fields, why: withoutAddresses(why) },
      'an e-mail was given up: a person has to look at it',
    );
    return;
  }
  log.warn({ ...fields, why: withoutAddresses(why) }, 'an e-mail could not be sent; it is tried again');
  await tryAgainLater(
    manager,
    email,
    why,
    pauseMillisecondsAfter(email.tries, timing.firstPauseMilliseconds),
  );
}

/** Servers repeat whom they refuse. */
function withoutAddresses(text: string): string {
  return text.replace(/[^\s<>@]+@[^\s<>@]+/g, '…@…');
}

interface ClaimedRow {
  readonly email: Record<string, unknown>;
  /** Null where it is about no order. */
  readonly order_status: OrderStatus | null;
  /** Whether money of the order may be there: nobody is asked to pay beside it. */
  readonly under_review: boolean;
}

const CLAIM = statement<ClaimedRow>(
  'claim_email_message',
  `UPDATE email_message m SET tries = tries + 1, claimed_until = now() + make_interval(secs => $2)
   WHERE m.id = $1 AND m.status = 'QUEUED' AND m.next_try_at <= now()
     AND (m.claimed_until IS NULL OR m.claimed_until < now())
   RETURNING to_jsonb(m) AS email, (SELECT o.status FROM orders o WHERE o.id = m.order_id) AS order_status,
     EXISTS (SELECT FROM payment_intent i WHERE i.order_id = m.order_id AND i.status = 'REVIEW') AS under_review`,
);

async function claim(manager: EntityManager, id: string, milliseconds: number) {
  const [row] = await run(manager, CLAIM, [id, milliseconds / 1_000]);
  return (
    row && {
      email: fromRow<EmailMessage>(row.email),
      orderStatus: row.order_status,
      underReview: row.under_review,
    }
  );
}

/** Only for whoever has claimed it: `tries` tells which claim it was. */
const SETTLE = statement(
  'settle_email_message',
  `UPDATE email_message SET status = $3, last_error = $4, next_try_at = NULL, claimed_until = NULL,
     sent_at = CASE WHEN $3 = 'SENT' THEN now() ELSE sent_at END
   WHERE id = $1 AND tries = $2 AND status = 'QUEUED'`,
);

async function settle(
  manager: EntityManager,
  { id, tries }: EmailMessage,
  status: 'SENT' | 'FAILED' | 'DROPPED',
  error: string | null = null,
): Promise<void> {
  await run(manager, SETTLE, [id, tries, status, error && shortened(error)]);
}

/** In whole milliseconds, which is what a job's time is told in: else the job would come a moment too early. */
const TRY_AGAIN = statement<{ next_try_at: Date }>(
  'try_email_message_again',
  `UPDATE email_message SET last_error = $3, claimed_until = NULL,
     next_try_at = date_trunc('milliseconds', now() + make_interval(secs => $4))
   WHERE id = $1 AND tries = $2 AND status = 'QUEUED' RETURNING next_try_at`,
);

async function tryAgainLater(
  manager: EntityManager,
  { id, tries }: EmailMessage,
  error: string,
  pauseMilliseconds: number,
): Promise<void> {
  await manager.transaction(async (transaction) => {
    const values = [id, tries, shortened(error), pauseMilliseconds / 1_000];
    const [row] = await run(transaction, TRY_AGAIN, values);
    if (row) await addJobs(transaction, [sendingJob(id, row.next_try_at)]);
  });
}

const LONGEST_ERROR = 500;

function shortened(error: string): string {
  return error.slice(0, LONGEST_ERROR);
}
