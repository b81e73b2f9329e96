import { randomBytes } from 'node:crypto';
import type { BankConfig, PawaPayConfig, PayDunyaConfig, StripeConfig } from '../config.js';
import { returnPage } from './pages/return-page.js';
import { startBankDouble } from './bank/bank-double.js';
import { startPawaPayDouble } from './pawapay/pawapay-double.js';
import { startPayDunyaDouble } from './paydunya/paydunya-double.js';
import { startStripeDouble } from './stripe/stripe-double.js';

/** Doubles in place of the providers that have no keys, and the keys with which ours talks to them. */
export interface Sandbox {
  readonly stripe?: StripeConfig;
  readonly pawapay?: PawaPayConfig;
  readonly paydunya?: PayDunyaConfig;
  readonly banks: readonly BankConfig[];
  /** For the page that is printed at the start. */
  readonly pages: readonly SandboxPage[];
  /** HTML, for payers who come back: no shop runs beside a local server. */
  readonly returnPage: string;
  stop(): Promise<void>;
}

/** Where a person can see what a double does, and play its payers. */
export interface SandboxPage {
  readonly name: string;
  readonly url: string;
  /** Where what waits on payers' phones is approved, at doubles that ask there. */
  readonly phoneUrl?: string;
}

export interface SandboxOptions {
  /** Whether this provider has keys of its own, and needs no double. */
  readonly hasStripe: boolean;
  readonly hasPawaPay: boolean;
  readonly hasPayDunya: boolean;
  readonly hasBank: boolean;
  /** The server that the doubles notify, without a slash at the end. */
  readonly serverUrl: () => string;
  readonly log: (message: string) => void;
}

const BANK_NAME = 'bank-x';

/** One of them: what ours needs to talk to it, and where a person can play. */
interface StartedDouble<Config> {
  readonly name: string;
  readonly config: Config;
  readonly pageUrl: URL;
  readonly phoneUrl?: URL;
  stop(): Promise<void>;
}

/** Local, on free ports, with keys that exist for this run alone. Nothing here is ever part of a production start. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const stripe = options.hasStripe ? undefined : await startStripe(options);
  const pawapay = options.hasPawaPay ? undefined : await startPawaPay(options);
  const paydunya = options.hasPayDunya ? undefined : await startPayDunya(options);
  const bank = options.hasBank ? undefined : await startBank(options);
  const started = [stripe, pawapay, paydunya, bank].filter((double) => double !== undefined);
  return {
    stripe: stripe?.config,
    pawapay: pawapay?.config,
    paydunya: paydunya?.config,
    banks: bank ? [bank.config] : [],
    pages: started.map(({ name, pageUrl, phoneUrl }) => ({
      name,
      url: pageUrl.href,
      phoneUrl: phoneUrl?.href,
    })),
    returnPage: returnPage(),
    async stop() {
      await Promise.all(started.map((double) => double.stop()));
    },
  };
}

async function startStripe({ serverUrl, log }: SandboxOptions): Promise<StartedDouble<StripeConfig>> {
  const secretKey = `sk_test_${randomKey()}`;
  const publishableKey = `pk_test_${randomKey()}`;
  const webhookSecret = `whsec_${randomKey()}`;
  const webhookUrl = () => `${serverUrl()}/webhooks/stripe`;
  const double = await startStripeDouble({ secretKey, publishableKey, webhookSecret, webhookUrl, log });
  return {
    name: 'Stripe',
    config: { secretKey, publishableKey, webhookSecrets: [webhookSecret], apiBase: double.url },
    pageUrl: double.url,
    stop: () => double.stop(),
  };
}

async function startPawaPay({ serverUrl, log }: SandboxOptions): Promise<StartedDouble<PawaPayConfig>> {
  const token = randomKey();
  const webhookUrl = () => `${serverUrl()}/webhooks/pawapay`;
  const double = await startPawaPayDouble({ token, webhookUrl, log });
  const notificationUrl = () => new URL(webhookUrl());
  return {
    name: 'PawaPay',
    config: { token, baseUrl: double.url, requireSignatures: true, notificationUrl },
    pageUrl: double.url,
    phoneUrl: new URL('/phone', double.url),
    stop: () => double.stop(),
  };
}

async function startPayDunya({ serverUrl, log }: SandboxOptions): Promise<StartedDouble<PayDunyaConfig>> {
  const keys = { masterKey: randomKey(), privateKey: `test_private_${randomKey()}`, token: randomKey() };
  const webhookUrl = () => `${serverUrl()}/webhooks/paydunya`;
  const double = await startPayDunyaDouble({ ...keys, mode: 'test', webhookUrl, log });
  return {
    name: 'PayDunya',
    config: { ...keys, mode: 'test', baseUrl: double.url, storeName: 'Quittance', softPayInTest: true },
    pageUrl: double.pageUrl,
    phoneUrl: new URL('/phone', double.pageUrl),
    stop: () => double.stop(),
  };
}

async function startBank({ serverUrl, log }: SandboxOptions): Promise<StartedDouble<BankConfig>> {
  const [apiKey, webhookSecret] = [randomKey(), randomKey()];
  const webhookUrl = () => `${serverUrl()}/webhooks/${BANK_NAME}`;
  const displayName = 'Bank X';
  const double = await startBankDouble({
    apiKey,
    webhookSecret,
    name: BANK_NAME,
    displayName,
    webhookUrl,
    log,
  });
  return {
    name: displayName,
    config: { name: BANK_NAME, displayName, baseUrl: double.url, apiKey, webhookSecrets: [webhookSecret] },
    pageUrl: double.url,
    stop: () => double.stop(),
  };
}

function randomKey(): string {
  return randomBytes(32).toString('hex');
}
