import { randomBytes } from 'node:crypto';
import type { BankConfig, StripeConfig } from '../config.js';
import { startBankDouble, type BankDouble } from './bank/bank-double.js';
import { startStripeDouble, type StripeDouble } from './stripe/stripe-double.js';

/** Doubles in place of the providers that have no keys, and the keys with which ours talks to them. */
export interface Sandbox {
  readonly stripe?: StripeConfig;
  readonly banks: readonly BankConfig[];
  /** Where a person can see and pay: for the page that is printed at the start. */
  readonly pages: readonly { readonly name: string; readonly url: string }[];
  stop(): Promise<void>;
}

export interface SandboxOptions {
  /** Whether this provider has keys of its own, and needs no double. */
  readonly hasStripe: boolean;
  readonly hasBank: boolean;
  /** The server that the doubles notify, without a slash at the end. */
  readonly serverUrl: () => string;
  readonly log: (message: string) => void;
}

const BANK_NAME = 'bank-x';

/** Local, on free ports, with keys that exist for this run alone. Nothing here is ever part of a production start. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const stripe = options.hasStripe ? undefined : await startStripe(options);
  const bank = options.hasBank ? undefined : await startBank(options);
  return {
    stripe: stripe?.config,
    banks: bank ? [bank.config] : [],
    pages: [
      ...(stripe ? [{ name: 'Stripe', url: stripe.double.url.href }] : []),
      ...(bank ? [{ name: 'Bank X', url: bank.double.url.href }] : []),
    ],
    async stop() {
      await Promise.all([stripe?.double.stop(), bank?.double.stop()]);
    },
  };
}

async function startStripe({
  serverUrl,
  log,
}: SandboxOptions): Promise<{ double: StripeDouble; config: StripeConfig }> {
  const keys = {
    secretKey: `sk_test_${randomKey()}`,
    publishableKey: `pk_test_${randomKey()}`,
    webhookSecret: `whsec_${randomKey()}`,
  };
  const double = await startStripeDouble({
    ...keys,
    webhookUrl: () => `${serverUrl()}/webhooks/stripe`,
    log,
  });
  const { secretKey, publishableKey, webhookSecret } = keys;
  return {
    double,
    config: { secretKey, publishableKey, webhookSecrets: [webhookSecret], apiBase: double.url },
  };
}

async function startBank({
  serverUrl,
  log,
}: SandboxOptions): Promise<{ double: BankDouble; config: BankConfig }> {
  const keys = { apiKey: randomKey(), webhookSecret: randomKey() };
  const webhookUrl = () => `${serverUrl()}/webhooks/${BANK_NAME}`;
  const double = await startBankDouble({ ...keys, name: BANK_NAME, displayName: 'Bank X', webhookUrl, log });
  return {
    double,
    config: {
      name: BANK_NAME,
      displayName: 'Bank X',
      baseUrl: double.url,
      apiKey: keys.apiKey,
      webhookSecrets: [keys.webhookSecret],
    },
  };
}

function randomKey(): string {
  return randomBytes(32).toString('hex');
}
