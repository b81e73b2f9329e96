import { DemoError } from '../demo-error.js';
import { approveOnPhone, PHONE_NUMBER } from '../pawapay-double.js';
import { placeOrder, showEnd, watch } from '../scenes.js';
import type { OpenedPayment, PaymentOption, PlacedOrder } from '../shop-api.js';
import type { Stage, StoryEnd } from '../stage.js';

export async function payByPhoneStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('2  By phone: mobile money in Benin, approved with a PIN');
  const order = await placeOrder(stage, 'WAX-PRINT', 1);
  await showOptions(stage, order);
  const payment = await shop.pay(order, {
    method: 'MOBILE_MONEY',
    presentation: 'PHONE',
    phoneNumber: PHONE_NUMBER,
  });
  narrator.step('payer', `createPaymentIntent, ${PHONE_NUMBER}  →  ${payment.id}`);
  narrator.more('is told on the shop’s page:');
  for (const line of instructionsOf(payment)) narrator.more(`  “${line}”`);
  const live = watch(stage, order, payment);
  await live.until('PENDING');

  const at = performance.now();
  await approveOnPhone(stage.pawapayUrl, payment.id);
  narrator.step('phone', `${payment.nextAction.operator} asks; the payer enters their PIN`);
  return showEnd(stage, order, { live, at });
}

async function showOptions({ shop, narrator }: Stage, order: PlacedOrder): Promise<void> {
  const options = await shop.paymentOptions(order, 'BJ');
  narrator.step('payer', 'paymentOptions: the ways to pay this order in Benin');
  for (const [method, ways] of groupedBy('method', options)) {
    const list = groupedBy('provider', ways).map(([provider, its]) => {
      return `${provider} (${its.map(({ presentation }) => presentation.toLowerCase()).join(', ')})`;
    });
    narrator.more(`${method.toLowerCase().replace('_', ' ').padEnd(14)}${list.join(', ')}`);
  }
}

/** In the order in which they come first. */
function groupedBy(field: keyof PaymentOption, options: readonly PaymentOption[]) {
  const names = new Set(options.map((option) => option[field]));
  return [...names].map((name) => [name, options.filter((option) => option[field] === name)] as const);
}

function instructionsOf({ nextAction: { instructions } }: OpenedPayment): readonly string[] {
  if (instructions) return instructions;
  throw new DemoError('PawaPay’s double did not ask the payer on their phone. Look at the server’s log.');
}
