import { createHash } from 'node:crypto';
import type { Country } from '../provider.js';

export interface PayDunyaOptions {
  /** The same in both modes. The three keys are trimmed: pasted white space also breaks the hash of notifications. */
  readonly masterKey: string;
  readonly privateKey: string;
  readonly token: string;
  /** Up to and including `/api/v1` or `/sandbox-api/v1`. */
  readonly baseUrl: URL;
  /** What PayDunya must say of an invoice before its money is believed. */
  readonly mode: PayDunyaMode;
  /** For the payer to read on PayDunya's page. */
  readonly storeName: string;
  /** For people. Default: `PayDunya`. */
  readonly displayName?: string;
  /** Sent with every invoice. Absent: what the account's dashboard says. */
  readonly notificationUrl?: URL | (() => URL);
  /** Those that the account takes mobile money in. */
  readonly countries?: readonly Country[];
  /** For a whole exchange: connecting, asking, and reading the answer. */
  readonly timeoutMilliseconds?: number;
  /** PayDunya's own sandbox has no operators, so without this the PHONE way is offered in mode `live` only. */
  readonly softPayInTest?: boolean;
  /** Who bears PayDunya's fees, as its dashboard is set. Default: the merchant. */
  readonly fees?: FeesBorneBy;
  /** SoftPay wants an e-mail address of every payer: this one for those who gave none. Absent: they are refused. */
  readonly fallbackEmail?: string;
}

/** The payer: PayDunya adds its fees to the invoice, so that more is paid than the shop asked for. */
export type FeesBorneBy = 'merchant' | 'payer';

export type PayDunyaMode = 'test' | 'live';

export interface PayDunya {
  readonly name: string;
  readonly displayName: string;
  readonly masterKey: string;
  readonly privateKey: string;
  readonly token: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly mode: PayDunyaMode;
  readonly storeName: string;
  readonly notificationUrl: () => URL | undefined;
  readonly countries: readonly Country[];
  readonly timeoutMilliseconds: number;
  readonly offersSoftPay: boolean;
  readonly fees: FeesBorneBy;
  readonly fallbackEmail: string | undefined;
  /** What every notification carries: hexadecimal SHA-512 of the master key, and a secret like the key itself. */
  readonly notificationHash: string;
}

const COUNTRIES: readonly Country[] = ['SN', 'CI', 'BJ', 'BF', 'TG', 'ML'];

const TIMEOUT_MILLISECONDS = 10_000;

/** @throws {TypeError} when a key is empty. */
export function completePayDunyaOptions(options: PayDunyaOptions): PayDunya {
  const { notificationUrl } = options;
  const [masterKey, privateKey, token] = [options.masterKey, options.privateKey, options.token].map((key) =>
    key.trim(),
  );
  // Without a master key, anybody could compute what notifications are proven with.
  if (!masterKey || !privateKey || !token) throw new TypeError('a key of PayDunya is empty');
  return {
    name: 'paydunya',
    displayName: options.displayName ?? 'PayDunya',
    masterKey,
    privateKey,
    token,
    baseUrl: options.baseUrl.href.replace(/\/+$/, ''),
    mode: options.mode,
    storeName: options.storeName,
    notificationUrl: typeof notificationUrl === 'function' ? notificationUrl : () => notificationUrl,
    countries: options.countries ?? COUNTRIES,
    timeoutMilliseconds: options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
    offersSoftPay: options.mode === 'live' || options.softPayInTest === true,
    fees: options.fees ?? 'merchant',
    fallbackEmail: options.fallbackEmail,
    notificationHash: createHash('sha512').update(masterKey).digest('hex'),
  };
}

/** A text of PayDunya's, without any secret of ours that it may repeat. */
export function withoutSecrets(paydunya: PayDunya, text: string): string {
  const { masterKey, privateKey, token, notificationHash } = paydunya;
  return [notificationHash, masterKey, privateKey, token].reduce(
    (rest, secret) => rest.replaceAll(secret, '[removed]'),
    text,
  );
}
