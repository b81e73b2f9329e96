import type Stripe from 'stripe';

type Locale = Stripe.Checkout.SessionCreateParams.Locale;

/** The languages of Stripe's payment page. Anything else makes Stripe refuse the whole request. */
const LOCALES: readonly Locale[] = [
  ...['bg', 'cs', 'da', 'de', 'el', 'en', 'en-GB', 'es', 'es-419', 'et', 'fi', 'fil', 'fr', 'fr-CA', 'hi-IN'],
  ...[
    'hr',
    'hu',
    'id',
    'it',
    'ja',
    'ko',
    'lt',
    'lv',
    'ms',
    'mt',
    'nb',
    'nl',
    'pl',
    'pt',
    'pt-BR',
    'ro',
    'ru',
  ],
  ...['sk', 'sl', 'sv', 'th', 'tr', 'vi', 'zh', 'zh-HK', 'zh-TW'],
];

/** The nearest language that Stripe's page speaks: "fr-CI" becomes "fr", and what it doesn't speak follows the browser. */
export function checkoutLocale(locale: string | undefined): Locale {
  const [language] = locale?.split('-') ?? [];
  return LOCALES.find((known) => known === locale) ?? LOCALES.find((known) => known === language) ?? 'auto';
}
