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

/** Opens the bank's page, and finds what stands on it. */
export async function openBankPage(url: string): Promise<{ amount: string; payUrl: URL }> {
  const response = await reach(url);
  const page = await response.text();
  const [, amount = ''] = /<p class="amount">(.*?)<\/p>/.exec(page) ?? [];
  const [, action] = /<form method="post" action="([^"]*)"><button class="pay">/.exec(page) ?? [];
  if (action === undefined) {
    throw new DemoError(`The bank's page has no Pay button: open ${url} in a browser and see what it says.`);
  }
  return { amount, payUrl: new URL(action, url) };
}

/** Presses Pay. @returns where the bank sends the payer then. */
export async function pressPay(payUrl: URL): Promise<string> {
  const response = await reach(payUrl, { method: 'POST', redirect: 'manual' });
  const backTo = response.headers.get('location');
  if (backTo === null) throw new DemoError(`The bank answered ${response.status} and did not send us back.`);
  return backTo;
}
