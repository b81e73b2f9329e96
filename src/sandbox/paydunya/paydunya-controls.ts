import type { FaultsByChance } from '../faults.js';
import { HttpProblem } from '../http-exchange.js';
import type { HttpFault } from '../http-fault.js';
import type { Misbehaviour } from '../misbehaviour.js';
import { checkedShare } from '../seeded-random.js';
import type { WebhookCounts } from '../webhook-sender.js';
import type { Clock } from './clock.js';
import { checkedDialect, type Dialect } from './dialect.js';
import { CARD_CHANNEL, type Invoice, type JsonObject } from './invoice.js';
import type { InvoiceCounts } from './invoice-ledger.js';
import type { Forgery, Notifications } from './notifications.js';
import type { PayDunyaOperation } from './operations.js';
import { findOperator } from './operators.js';
import type { PayDunyaAccount } from './paydunya-account.js';
import { SOMEBODY } from './payer.js';
import type { Prompt } from './phone.js';
import { decide } from './phone-page.js';
import { presentInvoice } from './presentation.js';

export interface PayDunyaCounts extends InvoiceCounts {
  readonly requests: Readonly<Record<PayDunyaOperation, number>>;
  readonly webhooks: WebhookCounts;
}

/** Something that waits on a payer's phone. */
export interface WaitingPrompt {
  readonly id: string;
  readonly token: string;
  /** The operator's path; `opr` for an onsite invoice. */
  readonly channel: string;
  readonly phone: string;
  /** To type in somewhere; without it, it is a question to approve or decline. */
  readonly code?: string | undefined;
}

/**
 * What a test does in place of the payer, PayDunya and bad luck. An invoice is named by its token, or by its
 * `custom_data.attempt`: then it is the last one made for that.
 */
export interface PayDunyaDoubleControls {
  /**
   * On the hosted page, by card. Does nothing to an invoice that is over.
   * @param how.amount whole francs, when the total turns out to be another.
   */
  pay(tokenOrAttempt: string, how?: { readonly amount?: number }): void;
  /** Money that arrives although the invoice is over: cancelled, or failed. */
  payLate(tokenOrAttempt: string): void;
  fail(tokenOrAttempt: string): void;
  cancel(tokenOrAttempt: string): void;
  /** What the payer does with the last question on their phone, or on the operator's page. */
  approve(tokenOrAttempt: string): void;
  decline(tokenOrAttempt: string): void;
  /** All that waits, the oldest first. */
  prompts(): WaitingPrompt[];
  /** Unpaid invoices that grow too old are cancelled, and what nobody approved in time is over. */
  playTimeForward(milliseconds: number): void;
  /** The last notification about an invoice once more, byte for byte. */
  deliverAgain(tokenOrAttempt: string): void;
  /** A notification of something that did not happen. */
  forge(tokenOrAttempt: string, forgery?: Forgery): void;
  pauseWebhooks(): void;
  resumeWebhooks(): void;
  /** From now on; with nothing in it, all is well again. */
  misbehave(misbehaviour: Misbehaviour): void;
  /** From now on; what is left out is as documented. @throws {RangeError} for what there is not. */
  speak(dialect: Dialect): void;
  /** From now on the payer pays this share of the total in addition, from 0 to 1: the total becomes another. */
  payerBearsFees(share: number): void;
  /** The operator's country is taken away from the merchant, or given back. @param path as in `softpay/<path>`. */
  withdrawOperator(path: string, withdrawn?: boolean): void;
  answerNext(operation: PayDunyaOperation, fault: HttpFault, times?: number): void;
  /** From now on, a share of the API's requests goes wrong; 0 ends it. */
  faultsByChance(chance: FaultsByChance): void;
  /** When no notification is under way or to be retried. */
  settled(): Promise<void>;
  counts(): PayDunyaCounts;
  /** As confirm would show it. */
  invoice(tokenOrAttempt: string): JsonObject;
}

export function createControls(
  account: PayDunyaAccount,
  notifications: Notifications,
  clock: Clock,
): PayDunyaDoubleControls {
  const { ledger, payer, phone, faults } = account;
  const find = (tokenOrAttempt: string) => findInvoice(account, tokenOrAttempt);
  return {
    pay: (tokenOrAttempt, how = {}) => pay(account, find(tokenOrAttempt), how),
    payLate: (tokenOrAttempt) => payLate(account, find(tokenOrAttempt)),
    fail: (tokenOrAttempt) => payer.decline(find(tokenOrAttempt), CARD_CHANNEL),
    cancel: (tokenOrAttempt) => ledger.cancel(find(tokenOrAttempt)),
    approve: (tokenOrAttempt) => decide(phone, promptAbout(account, find(tokenOrAttempt)), 'approve'),
    decline: (tokenOrAttempt) => decide(phone, promptAbout(account, find(tokenOrAttempt)), 'decline'),
    prompts: () => phone.prompts().map(showPrompt),
    playTimeForward: (milliseconds) => {
      clock.playForward(milliseconds);
      ledger.cancelOverdue();
      phone.endOverdue();
    },
    deliverAgain: (tokenOrAttempt) => notifications.tellAgain(find(tokenOrAttempt)),
    forge: (tokenOrAttempt, forgery = {}) => notifications.forge(account, find(tokenOrAttempt), forgery),
    pauseWebhooks: () => notifications.pause(),
    resumeWebhooks: () => notifications.resume(),
    misbehave: (misbehaviour) => notifications.misbehave(misbehaviour),
    speak: (dialect) => void (account.dialect = checkedDialect({ ...dialect })),
    payerBearsFees: (share) => void (payer.feeShare = checkedShare('share', share)),
    withdrawOperator: (path, withdrawn = true) => withdrawOperator(account, path, withdrawn),
    answerNext: (operation, fault, times = 1) => faults.add(operation, fault, times),
    faultsByChance: (chance) => faults.byChance(chance),
    settled: () => notifications.settled(),
    counts: () => ({
      ...ledger.counts(),
      requests: { ...account.requests },
      webhooks: notifications.counts,
    }),
    invoice: (tokenOrAttempt) => presentInvoice(account, find(tokenOrAttempt)),
  };
}

function findInvoice({ ledger }: PayDunyaAccount, tokenOrAttempt: string): Invoice {
  const invoice = ledger.find(tokenOrAttempt) ?? ledger.findByAttempt(tokenOrAttempt);
  if (!invoice) throw new HttpProblem(404, `no_such_invoice: ${tokenOrAttempt}`);
  return invoice;
}

function pay({ ledger, payer }: PayDunyaAccount, invoice: Invoice, { amount }: { amount?: number }): void {
  if (amount === undefined) return payer.pay(invoice, CARD_CHANNEL);
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new HttpProblem(422, 'bad_amount');
  ledger.complete(invoice, { amount, customer: SOMEBODY, channel: CARD_CHANNEL });
}

function payLate({ ledger, payer }: PayDunyaAccount, invoice: Invoice): void {
  const amount = invoice.totalAmount + payer.feesOf(invoice);
  ledger.complete(invoice, { amount, customer: SOMEBODY, channel: CARD_CHANNEL }, true);
}

function promptAbout({ phone }: PayDunyaAccount, invoice: Invoice): Prompt {
  const prompt = phone.lastAbout(invoice);
  if (!prompt) throw new HttpProblem(404, `no_prompt_about: ${invoice.token}`);
  return prompt;
}

function showPrompt({ id, invoice, channel, customer, code }: Prompt): WaitingPrompt {
  return { id, token: invoice.token, channel, phone: customer.phone, code };
}

function withdrawOperator(account: PayDunyaAccount, path: string, withdrawn: boolean): void {
  if (!findOperator(path)) throw new HttpProblem(404, `no_such_operator: ${path}`);
  if (withdrawn) account.withdrawn.add(path);
  else account.withdrawn.delete(path);
}
