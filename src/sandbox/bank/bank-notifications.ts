import { createHmac } from 'node:crypto';
import { toDecimal } from '../../money.js';
import { BoundedMap } from '../bounded-map.js';
import { PendingWork } from '../pending-work.js';
import { type WebhookCounts, type WebhookMessage, WebhookSender } from '../webhook-sender.js';
import { type BankPayment, type BankPaymentStatus, randomName } from './bank-ledger.js';

export interface BankNotificationsOptions {
  readonly webhookSecret: string;
  readonly webhookUrl: () => string;
  /** false: nobody is told anything. */
  readonly webhooks: boolean;
  readonly webhookDelayMilliseconds: number | undefined;
  readonly firstRetryMilliseconds: number | undefined;
  readonly maximumPayments: number;
  readonly now: () => Date;
  readonly log: (line: string) => void;
}

const EVENT_TYPES: Readonly<Record<BankPaymentStatus, string>> = {
  CREATED: 'payment.created',
  AUTHORISING: 'payment.authorising',
  BOOKED: 'transfer.credited',
  REJECTED: 'payment.rejected',
  CANCELLED: 'payment.cancelled',
  EXPIRED: 'payment.expired',
};

/** What the bank tells the merchant, signed as in the default contract: `X-Signature: t=…,v1=…` over `{t}.{body}`. */
export class BankNotifications {
  readonly #options: BankNotificationsOptions;
  readonly #work = new PendingWork();
  readonly #sender: WebhookSender;
  /** The last message about each payment, by its id. */
  readonly #last: Map<string, WebhookMessage>;

  constructor(options: BankNotificationsOptions) {
    this.#options = options;
    this.#last = new BoundedMap(options.maximumPayments);
    this.#sender = new WebhookSender(
      {
        url: options.webhookUrl,
        headers: (message) => this.#headers(message),
        delayMilliseconds: options.webhookDelayMilliseconds,
        firstRetryMilliseconds: options.firstRetryMilliseconds,
        logRetry: options.log,
        logGivenUp: options.log,
      },
      this.#work,
    );
  }

  get counts(): WebhookCounts {
    return this.#sender.counts;
  }

  tell(payment: BankPayment): void {
    if (!this.#options.webhooks) return;
    const id = `bevt_${randomName()}`;
    const message: WebhookMessage = {
      id,
      subject: payment.id,
      url: payment.notificationUrl,
      body: JSON.stringify(notificationBody(id, payment, this.#options.now())),
    };
    this.#last.set(payment.id, message);
    this.#sender.send(message);
  }

  /** The last notification of this payment once more, with the same event id. */
  tellAgain(payment: BankPayment): void {
    const message = this.#last.get(payment.id);
    if (!message) throw new Error(`there is no notification about payment ${payment.id} to deliver again`);
    this.#sender.send(message);
  }

  pause(): void {
    this.#sender.pause();
  }

  resume(): void {
    this.#sender.resume();
  }

  settled(): Promise<void> {
    return this.#work.settled();
  }

  stop(): void {
    this.#work.stop();
    this.#sender.stop();
  }

  #headers({ id, body }: WebhookMessage): Record<string, string> {
    const timestamp = Math.floor(this.#options.now().getTime() / 1000);
    const signature = createHmac('sha256', this.#options.webhookSecret).update(`${timestamp}.${body}`);
    return { 'x-bank-event-id': id, 'x-signature': `t=${timestamp},v1=${signature.digest('hex')}` };
  }
}

function notificationBody(id: string, payment: BankPayment, now: Date): object {
  return {
    id,
    type: EVENT_TYPES[payment.status],
    created_at: now.toISOString(),
    data: {
      payment_id: payment.id,
      transfer_id: payment.transferId,
      reference: payment.reference,
      amount: toDecimal(payment.amount, payment.currency),
      currency: payment.currency,
      status: payment.status,
      ...(payment.transferId && {
        debtor: { name: 'A. DIOP', iban_last4: '1234' },
        value_date: now.toISOString().slice(0, 10),
        end_to_end_id: payment.reference,
      }),
    },
  };
}
