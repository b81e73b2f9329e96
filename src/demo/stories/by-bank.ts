import { pageOf, payOnPage, placeOrder, showEnd, watch } from '../scenes.js';
import type { Stage, StoryEnd } from '../stage.js';

export async function payByBankStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('3  By bank: the payer goes to the bank’s page, and comes back');
  const order = await placeOrder(stage, 'TSHIRT', 1);
  const payment = await shop.pay(order, { method: 'BANK', returnUrl: `${shop.url}/healthz` });
  narrator.step('payer', `createPaymentIntent  →  ${payment.id}`);
  narrator.more('is sent to the bank’s page:');
  narrator.more(`  ${pageOf(payment)}`);
  const live = watch(stage, order, payment);
  await live.until('PENDING');

  const at = await payOnPage(stage, 'Bank X', pageOf(payment));
  return showEnd(stage, order, { live, at });
}
