import { PHONE_NUMBER, refuseNextDeposit } from '../pawapay-double.js';
import { pageOf, payOnPage, placeOrder, showEnd, until, watch } from '../scenes.js';
import type { TimelineEntry } from '../merchant-api.js';
import type { OpenedPayment } from '../shop-api.js';
import type { Stage, StoryEnd } from '../stage.js';

const MTN_ON_PAYDUNYAS_PAGE = 'mtn-benin';
const TIME_WIDTH = 4;

export async function providerDownStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('4  A provider is down: the same payment goes on at the next one');
  const order = await placeOrder(stage, 'WAX-PRINT', 1);
  await refuseNextDeposit(stage.pawapayUrl);
  narrator.step('PawaPay', `takes no payments of MTN MoMo ${narrator.bad('at the moment')}`);
  const payment = await shop.pay(order, {
    method: 'MOBILE_MONEY',
    phoneNumber: PHONE_NUMBER,
    returnUrl: `${shop.url}/healthz`,
  });
  narrator.step('payer', `createPaymentIntent, ${PHONE_NUMBER}  →  ${payment.id}`);
  const attempts = await shop.attempts(order, payment.id);
  for (const { number, provider, status, failureCode } of attempts) {
    narrator.more(`attempt ${number} at ${provider}: ${[status, failureCode].filter(Boolean).join(', ')}`);
  }
  narrator.more('is sent to PayDunya’s page:');
  narrator.more(`  ${pageOf(payment)}`);
  const live = watch(stage, order, payment);
  await live.until('PENDING');

  const at = await payOnPage(stage, 'PayDunya', pageOf(payment), { channel: MTN_ON_PAYDUNYAS_PAGE });
  const end = await showEnd(stage, order, { live, at });
  await showTimeline(stage, payment, attempts.length);
  return end;
}

/** What is left for whoever is asked about it at 3 a.m. */
async function showTimeline(
  { merchant, narrator }: Stage,
  { id }: OpenedPayment,
  attempts: number,
): Promise<void> {
  let timeline: readonly TimelineEntry[] = [];
  // Calls are logged a moment later, for no payment waits for a log.
  await until('the log of the calls', async () => {
    timeline = await merchant.timeline(id);
    return timeline.filter(({ summary }) => summary.includes(': initiate')).length >= attempts;
  });
  const begun = Date.parse(timeline[0]!.at);
  narrator.step('shop', 'paymentTimeline: what an operator sees afterwards, in ms');
  for (const { at, summary } of timeline) {
    narrator.more(summary, `${String(Date.parse(at) - begun).padStart(TIME_WIDTH)}  `);
  }
}
