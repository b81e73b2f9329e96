import type { BankConfig, StripeConfig } from './config.js';
import { createBankProvider } from './providers/bank/bank-provider.js';
import type { Provider } from './providers/provider.js';
import { createStripeProvider } from './providers/stripe/stripe-provider.js';

/**
 * The adapters of the providers that are configured, in the order in which they are offered to payers.
 * @param publicUrl where banks send their notifications; left out for those that know it already.
 */
export function createProviders(
  { stripe, banks }: { readonly stripe?: StripeConfig; readonly banks: readonly BankConfig[] },
  publicUrl?: string,
): Provider[] {
  return [
    ...(stripe ? [createStripeProvider(stripe)] : []),
    ...banks.map((bank) =>
      createBankProvider({
        ...bank,
        notificationUrl: publicUrl ? new URL(`${publicUrl}/webhooks/${bank.name}`) : undefined,
      }),
    ),
  ];
}
