import { randomUUID } from 'node:crypto';
import { clientSecretOf, EMBEDDED_CARD, GOOD_CARD } from '../cards.js';
import { DemoError } from '../demo-error.js';
import { payByCard } from '../payer-in-browser.js';
import { placeOrder, showEnd, until, watch } from '../scenes.js';
import type { OpenedPayment, PlacedOrder } from '../shop-api.js';
import type { Stage, StoryEnd } from '../stage.js';

export async function lostConnectionStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('5  Trouble: a double click, and a connection that is lost while the money moves');
  const order = await placeOrder(stage, 'EBOOK', 1);
  const payment = await doubleClick(stage, order);
  const first = watch(stage, order, payment);
  const { version } = await first.until('PENDING');
  first.lose();
  narrator.step('live', `${narrator.bad('✕')} connection lost; the last version seen was ${version}`);

  const at = performance.now();
  const { status } = await payByCard(stage.stripeUrl, clientSecretOf(payment), GOOD_CARD);
  narrator.step('Stripe', `card 4242 … 4242  →  ${status}`);
  await until('the order to be confirmed', async () => (await shop.orderStatus(order)) === 'CONFIRMED');
  narrator.step('shop', 'knows; the payer, who is still away, does not');
  await first.close();
  narrator.step('live', `connects again and asks for what came since version ${version}`);
  const end = await showEnd(stage, order, { live: watch(stage, order, payment, version), at });
  return { ...end, remark: 'after a lost connection' };
}

async function doubleClick({ shop, narrator }: Stage, order: PlacedOrder): Promise<OpenedPayment> {
  const input = { ...EMBEDDED_CARD, idempotencyKey: randomUUID() };
  const [one, other] = await Promise.all([shop.pay(order, input), shop.pay(order, input)]);
  if (one.id !== other.id) {
    throw new DemoError(
      `A double click made two payments, ${one.id} and ${other.id}: please report this bug.`,
    );
  }
  narrator.step('payer', 'createPaymentIntent, twice at once with the same idempotency key');
  narrator.more(`both answers:  ${one.id}  (one payment)`);
  return one;
}
