import type { Country } from '../provider.js';
import { ALL_COUNTRIES, type PawaPayCountry } from './pawapay-countries.js';

export interface PawaPayProviderOptions {
  readonly token: string;
  /** `https://api.sandbox.pawapay.io` or `https://api.pawapay.io`. */
  readonly baseUrl: URL;
  /** For people. */
  readonly displayName?: string;
  /** Where the world reaches our webhook route: what a signed callback was sent to. No `Host` header is believed. */
  readonly notificationUrl?: URL | (() => URL);
  /** Whether callbacks without a signature are refused. To be set once pawaPay's dashboard is told to sign them. */
  readonly requireSignatures?: boolean;
  /** Alpha-2. Default: all that are known here. */
  readonly countries?: readonly Country[];
  /** For each exchange: connecting, asking, and reading the answer. */
  readonly timeoutMilliseconds?: number;
}

/** Our account at pawaPay, and how we use it. */
export interface PawaPayAccount {
  readonly name: 'pawapay';
  readonly displayName: string;
  readonly token: string;
  readonly baseUrl: URL;
  readonly notificationUrl: () => URL | undefined;
  readonly requireSignatures: boolean;
  readonly countries: readonly PawaPayCountry[];
  readonly timeoutMilliseconds: number;
}

/** @throws {TypeError} for options that could never work. */
export function completePawaPayOptions(options: PawaPayProviderOptions): PawaPayAccount {
  const { notificationUrl, requireSignatures = false } = options;
  if (options.token === '') throw new TypeError('pawaPay needs a token');
  if (requireSignatures && notificationUrl === undefined) {
    throw new TypeError('signatures of callbacks can only be required when our own webhook URL is given');
  }
  return {
    name: 'pawapay',
    displayName: options.displayName ?? 'pawaPay',
    token: options.token,
    baseUrl: options.baseUrl,
    notificationUrl: typeof notificationUrl === 'function' ? notificationUrl : () => notificationUrl,
    requireSignatures,
    countries: countriesOf(options.countries),
    timeoutMilliseconds: options.timeoutMilliseconds ?? 10_000,
  };
}

function countriesOf(wanted: readonly Country[] | undefined): readonly PawaPayCountry[] {
  if (wanted === undefined) return ALL_COUNTRIES;
  return wanted.map((code) => {
    const country = ALL_COUNTRIES.find(({ alpha2 }) => alpha2 === code);
    if (!country) throw new TypeError(`pawaPay is not known to take payments in ${code}`);
    return country;
  });
}
