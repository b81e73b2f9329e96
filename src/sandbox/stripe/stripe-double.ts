import Stripe from 'stripe';
import { close, listen } from '../local-http.js';
import { PendingWork } from '../pending-work.js';
import { WebhookSender } from '../webhook-sender.js';
import { StripeAccount } from './account.js';
import { StripeApi } from './api.js';
import { playTimeForward } from './billing-clock.js';
import { expireOldSessions } from './checkout-sessions.js';
import { deeds, type Deeds } from './deeds.js';
import { createDoubleServer } from './http-server.js';
import { observations, type DoubleParts, type Observations } from './observations.js';
import { pay } from './payer.js';
import { StripeDoubleError } from './stripe-error.js';

export interface StripeDoubleOptions {
  /** 0, the default, is any free port. */
  readonly port?: number;
  readonly secretKey: string;
  readonly publishableKey: string;
  readonly webhookSecret: string;
  /** Where webhooks go; asked for each delivery, so that the receiver may start later. */
  readonly webhookUrl: () => string;
  readonly webhookDelayMilliseconds?: number;
  /** Before a delivery's second try; doubled after each. 500 unless told. */
  readonly webhookRetryMilliseconds?: number;
  /** False: nothing is ever delivered. */
  readonly webhooks?: boolean;
  /** False: nothing that happens is kept or told, for a benchmark that makes its own notifications. */
  readonly events?: boolean;
  /** Somebody pays everything at once, or after a while, with this test card. */
  readonly autoConfirm?: { readonly card: string; readonly afterMilliseconds?: number };
  /** Of each kind; the oldest are forgotten. */
  readonly maxObjects?: number;
  readonly log?: (message: string) => void;
}

export interface StripeDouble extends Observations, Deeds {
  /** The base of the API, and of the pages `/pay/<client secret>` and `/c/pay/<cs_…>`. */
  readonly url: URL;
  readonly publishableKey: string;
  readonly webhookSecret: string;
  readonly webhooksSent: number;
  stop(): Promise<void>;
}

const MAX_OBJECTS = 10_000;
const SWEEP_MILLISECONDS = 30_000;

/**
 * A local Stripe: real HTTP, real signatures, the test cards, and pages for a browser. Its state is in memory and ends
 * with it. It takes only the parameters that Quittance has a use for, and refuses others as Stripe refuses unknown ones.
 */
export async function startStripeDouble(options: StripeDoubleOptions): Promise<StripeDouble> {
  let url = new URL('http://127.0.0.1');
  const parts = assemble(options, () => url.origin);
  const server = createDoubleServer(parts);
  url = await listen(server, options.port ?? 0);
  const sweep = setInterval(() => letTimePass(parts.account), SWEEP_MILLISECONDS).unref();
  return {
    url,
    publishableKey: options.publishableKey,
    webhookSecret: options.webhookSecret,
    ...observations(parts),
    get webhooksSent() {
      return parts.webhooks.counts.sent;
    },
    ...deeds(parts),
    stop: async () => {
      clearInterval(sweep);
      parts.work.stop();
      parts.webhooks.stop();
      await close(server);
    },
  };
}

function assemble(options: StripeDoubleOptions, baseUrl: () => string): DoubleParts {
  const log = options.log ?? (() => {});
  const maxObjects = options.maxObjects ?? MAX_OBJECTS;
  const work = new PendingWork();
  const account = new StripeAccount(maxObjects, work, baseUrl);
  const webhooks = new WebhookSender(
    {
      url: options.webhookUrl,
      headers: ({ body }) => signed(body, options.webhookSecret),
      delayMilliseconds: options.webhookDelayMilliseconds,
      firstRetryMilliseconds: options.webhookRetryMilliseconds,
      logGivenUp: log,
    },
    work,
  );
  account.isLive = options.secretKey.includes('_live_');
  account.keepsEvents = options.events !== false;
  if (options.webhooks !== false) account.onEvent = (event) => webhooks.send(event);
  if (options.autoConfirm) payEverything(account, options.autoConfirm, log);
  return { account, api: new StripeApi(account, options.secretKey, maxObjects), webhooks, work };
}

function letTimePass(account: StripeAccount): void {
  expireOldSessions(account);
  playTimeForward(account, 0);
}

function signed(payload: string, secret: string): Record<string, string> {
  return {
    'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret }),
    'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
  };
}

function payEverything(
  account: StripeAccount,
  { card, afterMilliseconds = 0 }: NonNullable<StripeDoubleOptions['autoConfirm']>,
  log: (message: string) => void,
): void {
  const payLater = ({ object }: { readonly object: { readonly id: string } }): void => {
    account.work.later(afterMilliseconds, () => {
      try {
        pay(account, object.id, card);
      } catch (error) {
        if (!(error instanceof StripeDoubleError)) throw error;
        log(`${object.id} was not paid automatically: ${error.message}`);
      }
    });
  };
  account.onPaymentCreated = payLater;
  account.onSessionCreated = payLater;
}
