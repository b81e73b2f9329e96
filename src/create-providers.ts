import type { BankConfig, Config, PawaPayConfig, PayDunyaConfig, StripeConfig } from './config.js';
import { createBankProvider } from './providers/bank/bank-provider.js';
import { createPawaPayProvider } from './providers/pawapay/pawapay-provider.js';
import { createPayDunyaProvider } from './providers/paydunya/paydunya-provider.js';
import type { Provider } from './providers/provider.js';
import { createStripeProvider } from './providers/stripe/stripe-provider.js';

export interface ConfiguredProviders {
  readonly stripe?: StripeConfig;
  readonly paydunya?: PayDunyaConfig;
  readonly pawapay?: PawaPayConfig;
  readonly banks: readonly BankConfig[];
}

/**
 * The adapters of the providers that are configured, in the order in which they are offered to payers.
 * @param publicUrl where providers send their notifications; left out for those that know it already.
 */
export function createProviders(
  { stripe, paydunya, pawapay, banks }: ConfiguredProviders,
  { providerTimeoutMilliseconds: timeoutMilliseconds }: Pick<Config, 'providerTimeoutMilliseconds'> = {},
  publicUrl?: string,
): Provider[] {
  const notificationUrl = (name: string) =>
    publicUrl === undefined ? undefined : new URL(`${publicUrl}/webhooks/${name}`);
  return [
    ...(stripe ? [createStripeProvider({ timeoutMilliseconds, ...stripe })] : []),
    ...(pawapay
      ? [
          createPawaPayProvider({
            timeoutMilliseconds,
            notificationUrl: notificationUrl('pawapay'),
            ...pawapay,
          }),
        ]
      : []),
    ...(paydunya
      ? [
          createPayDunyaProvider({
            timeoutMilliseconds,
            notificationUrl: notificationUrl('paydunya'),
            ...paydunya,
          }),
        ]
      : []),
    ...banks.map((bank) =>
      createBankProvider({ timeoutMilliseconds, notificationUrl: notificationUrl(bank.name), ...bank }),
    ),
  ];
}
