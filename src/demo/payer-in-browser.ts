import { DemoError, reach } from './demo-error.js';

export interface CardResult {
  /** Stripe's word: `succeeded`, `requires_payment_method` after a decline. */
  readonly status: string;
  readonly message?: string;
}

/** Types a card into the Payment Element: what Stripe.js sends from the payer's browser, sent to Stripe's double. */
export async function payByCard(stripeUrl: string, clientSecret: string, card: string): Promise<CardResult> {
  const response = await reach(new URL('/_double/pay', stripeUrl), {
    method: 'POST',
    body: new URLSearchParams({ payment_intent: clientSecret, card }),
  });
  const result = (await response.json()) as CardResult & { error?: { message: string } };
  if (response.ok) return result;
  throw new DemoError(
    `Stripe's double did not take the card: ${result.error?.message ?? response.status}.\n` +
      'Was the server started again meanwhile? Then run the demo once more: npm run demo',
  );
}

/** What stands on a provider's page. */
export interface PaymentPage {
  readonly amount: string;
  readonly buttons: readonly string[];
  /** Where pressing Pay leads, and what it says there beside what was filled in. */
  readonly payUrl: URL;
  readonly payFields: Readonly<Record<string, string>>;
}

export async function openPage(url: string): Promise<PaymentPage> {
  const page = await (await reach(url)).text();
  const form = page.split('<form').find((part) => part.includes('<button class="pay"'));
  if (form === undefined) {
    throw new DemoError(`The page has no Pay button: open ${url} in a browser and see what it says.`);
  }
  const [, amount = ''] = /<p class="amount">(.*?)<\/p>/.exec(page) ?? [];
  const [, action = url] = / action="([^"]*)"/.exec(form) ?? [];
  const [, name, value = ''] = /<button class="pay" name="([^"]*)" value="([^"]*)"/.exec(form) ?? [];
  return {
    amount,
    buttons: [...page.matchAll(/<button[^>]*>([^<]*)</g)].map(([, label = '']) => label),
    payUrl: new URL(action, url),
    payFields: name === undefined ? {} : { [name]: value },
  };
}

/** Presses Pay. @param choices what was filled in. @returns where the payer is sent then. */
export async function pressPay(
  { payUrl, payFields }: PaymentPage,
  choices: Readonly<Record<string, string>>,
): Promise<string> {
  const body = new URLSearchParams({ ...choices, ...payFields });
  const response = await reach(payUrl, { method: 'POST', body, redirect: 'manual' });
  const backTo = response.headers.get('location');
  if (backTo !== null) return backTo;
  throw new DemoError(`${payUrl.origin} answered ${response.status} and did not send us back.`);
}
