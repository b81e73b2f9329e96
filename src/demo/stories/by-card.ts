import { payByCard } from '../payer-in-browser.js';
import { DECLINED_CARD, EMBEDDED_CARD, GOOD_CARD, clientSecretOf } from '../cards.js';
import { findProduct, placeOrder, showEnd, until, watch } from '../scenes.js';
import type { AttemptShown, OpenedPayment, PlacedOrder, ShopApi } from '../shop-api.js';
import type { Stage, StoryEnd } from '../stage.js';

export async function payByCardStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('1  By card: the payer stays on the shop’s page, and the first card is declined');
  await showCatalogue(stage);
  const before = await findProduct(shop, 'MUG');
  const order = await placeOrder(stage, 'MUG', 2);
  const payment = await shop.pay(order, EMBEDDED_CARD);
  narrator.step('payer', `createPaymentIntent  →  ${payment.id}`);
  narrator.more(
    `holds the stock: ${(await findProduct(shop, 'MUG')).available} ${before.sku} left to others`,
  );
  const live = watch(stage, order, payment);
  await live.until('PENDING');

  const declined = await payByCard(stage.stripeUrl, clientSecretOf(payment), DECLINED_CARD);
  narrator.step('Stripe', `card 4000 … 0002  →  ${narrator.bad('declined')}: “${declined.message}”`);
  const { failureCode } = await untilDeclineIsKnown(shop, order, payment);
  narrator.step('shop', `heard of it (${failureCode}); the payment stays PENDING: they may try again`);

  const at = performance.now();
  const accepted = await payByCard(stage.stripeUrl, clientSecretOf(payment), GOOD_CARD);
  narrator.step('Stripe', `card 4242 … 4242  →  ${accepted.status}`);
  const end = await showEnd(stage, order, { live, at });
  const after = await findProduct(shop, 'MUG');
  narrator.more(`stock of ${after.sku}: ${before.available} before, ${after.available} now`);
  return end;
}

async function showCatalogue({ shop, narrator }: Stage): Promise<void> {
  narrator.step('payer', 'looks at the catalogue');
  for (const { sku, name, formatted, available } of await shop.products()) {
    const left = available === null ? '' : `${String(available).padStart(5)} left`;
    narrator.more(
      `${sku.padEnd(11)}${name.padEnd(28)}${formatted.padStart(11)}${left.padStart(13)}`.trimEnd(),
    );
  }
}

/** A decline ends nothing, so it is not pushed; it stands with the attempt once Stripe's webhook has come. */
async function untilDeclineIsKnown(
  shop: ShopApi,
  order: PlacedOrder,
  { id }: OpenedPayment,
): Promise<AttemptShown> {
  let attempt: AttemptShown | undefined;
  await until('the webhook about the declined card', async () => {
    [attempt] = await shop.attempts(order, id);
    return typeof attempt?.failureCode === 'string';
  });
  return attempt!;
}
