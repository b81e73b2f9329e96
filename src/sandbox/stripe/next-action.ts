import type { StripeAccount } from './account.js';
import type { FormValues } from './form-body.js';
import { group, text } from './parameters.js';
import { invalidRequest } from './stripe-error.js';

export interface HowToAsk {
  readonly returnUrl?: string | undefined;
  /** The API's `use_stripe_sdk`. */
  readonly byStripeJs?: boolean;
}

/** How the payer is asked by their bank: on a page of its own, or by Stripe.js on the frontend's. */
export function nextAction(account: StripeAccount, clientSecret: string | null, how: HowToAsk) {
  const url = `${account.baseUrl()}/3ds/${clientSecret}`;
  if (how.byStripeJs) {
    const question = { type: 'three_d_secure_redirect', stripe_js: url };
    return { type: 'use_stripe_sdk', use_stripe_sdk: question };
  }
  return { type: 'redirect_to_url', redirect_to_url: { url, return_url: how.returnUrl ?? null } };
}

type Redirects = 'always' | 'never';

export function automaticMethodsParameter(form: FormValues): { enabled: true; allow_redirects: Redirects } {
  const automatic = group(form, 'automatic_payment_methods') ?? {};
  return {
    enabled: true,
    allow_redirects: text(automatic, 'allow_redirects') === 'never' ? 'never' : 'always',
  };
}

/** Since October 2023 Stripe wants to know where the payer comes back to, whatever they pay with. */
export function refuseWithoutReturnUrl(
  methods: { readonly allow_redirects?: string } | null,
  returnUrl: string | undefined,
): void {
  if (methods === null || methods.allow_redirects === 'never' || returnUrl !== undefined) return;
  throw invalidRequest(
    'Because some of the payment methods of automatic_payment_methods might redirect your customer off of your page, you must provide a `return_url`, or set `automatic_payment_methods[allow_redirects]` to `never`.',
    { param: 'return_url' },
  );
}
