import { BoundedMap } from '../bounded-map.js';
import type { Misbehaviour } from '../misbehaviour.js';
import { PendingWork } from '../pending-work.js';
import { type WebhookCounts, type WebhookMessage, WebhookSender } from '../webhook-sender.js';
import type { NotificationShape } from './dialect.js';
import type { Invoice, JsonObject } from './invoice.js';
import { randomName } from './invoice-ledger.js';
import { magicOf } from './magic-amounts.js';
import type { PayDunyaAccount } from './paydunya-account.js';
import { SOMEBODY } from './payer.js';
import { buildFormWithBareBrackets, buildPhpForm } from './php-form.js';
import { presentInvoice } from './presentation.js';

export interface NotificationsOptions {
  /** Where those go whose invoice named no `callback_url`: the dashboard's setting. */
  readonly webhookUrl: (() => string) | undefined;
  readonly firstRetryMilliseconds: number | undefined;
  readonly maximumInvoices: number;
  readonly log: (line: string) => void;
}

/** A notification that nothing happened for. */
export interface Forgery {
  /** `completed` unless told. */
  readonly status?: string;
  /** RIGHT unless told: whoever ever saw a notification knows it. */
  readonly hash?: 'RIGHT' | 'WRONG' | 'MISSING';
  /** Whole francs; the invoice's own unless told. */
  readonly amount?: number;
}

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/** What PayDunya tells the merchant (IPN), with a hash that is the same each time. */
export class Notifications {
  readonly #options: NotificationsOptions;
  readonly #work = new PendingWork();
  readonly #sender: WebhookSender;
  readonly #lastOfToken: Map<string, WebhookMessage>;

  constructor(options: NotificationsOptions) {
    const { webhookUrl, firstRetryMilliseconds, log, maximumInvoices } = options;
    this.#options = options;
    this.#lastOfToken = new BoundedMap(maximumInvoices);
    this.#sender = new WebhookSender(
      {
        url: () => webhookUrl?.() ?? '',
        headers: () => ({}),
        firstRetryMilliseconds,
        logRetry: log,
        logGivenUp: log,
      },
      this.#work,
    );
  }

  get counts(): WebhookCounts {
    return this.#sender.counts;
  }

  /** How the invoice ended. */
  tell(account: PayDunyaAccount, invoice: Invoice): void {
    const { notifying } = magicOf(invoice.totalAmount);
    if (notifying === 'NEVER') return;
    const message = this.#messageAbout(
      invoice,
      presentInvoice(account, invoice),
      account.dialect.notification,
    );
    if (!message) return;
    this.#lastOfToken.set(invoice.token, message);
    this.#sender.send(message);
    if (notifying === 'TWICE') this.#sender.send(message);
  }

  /** The last notification about this invoice once more, byte for byte. */
  tellAgain({ token }: Invoice): void {
    const message = this.#lastOfToken.get(token);
    if (!message) throw new Error(`there is no notification about ${token} to deliver again`);
    this.#sender.send(message);
  }

  forge(account: PayDunyaAccount, invoice: Invoice, forgery: Forgery): void {
    const said = lie(account, invoice, forgery);
    const message = this.#messageAbout(invoice, said, account.dialect.notification);
    if (message) this.#sender.send(message);
  }

  misbehave(misbehaviour: Misbehaviour): void {
    this.#sender.misbehave(misbehaviour);
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

  #messageAbout(invoice: Invoice, data: JsonObject, shape?: NotificationShape): WebhookMessage | undefined {
    const url = invoice.actions.callback_url;
    if (url === undefined && !this.#options.webhookUrl) return undefined;
    const id = `${invoice.token} ${invoice.status}`;
    return { id, subject: invoice.token, url, ...write(invoice, data, shape) };
  }
}

function write({ token }: Invoice, data: JsonObject, shape: NotificationShape = 'FORM') {
  switch (shape) {
    case 'FORM':
      return { contentType: FORM, body: buildPhpForm({ data }) };
    case 'FORM_WITH_BARE_BRACKETS':
      return { contentType: FORM, body: buildFormWithBareBrackets({ data }) };
    case 'FORM_WITH_JSON':
      return { contentType: FORM, body: buildPhpForm({ data: JSON.stringify(data) }) };
    case 'FORM_WITH_TOKEN_AT_THE_TOP':
      return { contentType: FORM, body: buildPhpForm({ data: { token, ...data } }) };
    case 'JSON':
      return { contentType: JSON_TYPE, body: JSON.stringify({ data }) };
    case 'JSON_WITHOUT_DATA':
      return { contentType: JSON_TYPE, body: JSON.stringify(data) };
  }
}

/** As convincing as can be: only asking PayDunya shows that it is not so. */
function lie(account: PayDunyaAccount, invoice: Invoice, forgery: Forgery): JsonObject {
  const { status = 'completed', hash = 'RIGHT', amount = invoice.totalAmount } = forgery;
  const payment = {
    amount,
    customer: SOMEBODY,
    channel: 'forged',
    receiptIdentifier: randomName(),
    providerReference: randomName(),
  };
  const said = presentInvoice(account, { ...invoice, payment });
  const { hash: rightHash, ...rest } = said;
  return {
    ...rest,
    status,
    ...(hash === 'RIGHT' && { hash: rightHash }),
    ...(hash === 'WRONG' && { hash: '0'.repeat(128) }),
  };
}
