import { tellAndCheck } from './final-state.js';
import { hastened } from './hasten.js';
import { openShop, type Shop } from './shop.js';
import { BANK, CARD, HELD_CARD, type Way } from './story.js';

const WAYS = [CARD, HELD_CARD, BANK];
const STRIPE_OPERATIONS = ['payment_intents.create', 'payment_intents.capture', 'refunds.create'];
const BANK_OPERATIONS = ['createPayment', 'createRefund'] as const;
/** With its first try, the SDK makes three. */
const TRIES_OF_THE_SDK = 3;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
}, 60_000);
afterEach(() => {
  const { stripe, bank } = shop.server;
  stripe.clearFaults();
  for (const double of [stripe, bank]) {
    double.misbehave({});
    double.faultsByChance({ share: 0 });
  }
});
afterAll(() => shop.close());

/** Each way to pay, one after the other: their faults must not meet. */
async function tellAll(ways: readonly Way[] = WAYS): Promise<void> {
  await hastened(shop, async () => {
    for (const way of ways) await tellAndCheck(shop, way);
  });
}

test.each([
  ['twice', { duplicate: 1 }],
  ['in the wrong order', { reorder: true, delayMilliseconds: 500, seed: 7 }],
  ['late', { delayMilliseconds: 1_000, seed: 7 }],
  ['twice, late and in the wrong order', { duplicate: 1, reorder: true, delayMilliseconds: 1_500, seed: 3 }],
  ['never', { drop: 1 }],
])(
  'notifications that come %s change nothing in how it ends',
  async (_how, misbehaviour) => {
    shop.server.stripe.misbehave(misbehaviour);
    shop.server.bank.misbehave(misbehaviour);
    await tellAll();
  },
  120_000,
);

test('a 502 after the money has moved changes nothing in how it ends', async () => {
  const { stripe, bank } = shop.server;
  for (const operation of STRIPE_OPERATIONS) {
    const answer = { kind: 'status', status: 502, shouldRetry: false } as const;
    stripe.answerNext(operation, { answer, when: 'AFTER_WORK', times: TRIES_OF_THE_SDK });
  }
  for (const operation of BANK_OPERATIONS) {
    bank.answerNext(operation, { kind: 'status', status: 502, afterDoing: true }, 2);
  }
  await tellAll();
}, 120_000);

test('an answer that never comes, after the money has moved, changes nothing in how it ends', async () => {
  const { stripe, bank } = shop.server;
  for (const operation of STRIPE_OPERATIONS) {
    stripe.answerNext(operation, { answer: { kind: 'hang' }, when: 'AFTER_WORK' });
  }
  for (const operation of BANK_OPERATIONS) bank.answerNext(operation, { kind: 'hang', afterDoing: true });
  // Together, for each waits until the server has had enough of waiting.
  await hastened(shop, () => Promise.all([HELD_CARD, BANK].map((way) => tellAndCheck(shop, way))));
}, 120_000);

test('calls that fail by chance, before and after the money has moved, change nothing in how it ends', async () => {
  const { stripe, bank } = shop.server;
  for (const double of [stripe, bank]) double.faultsByChance({ share: 0.3, seed: 11 });
  await tellAll([...WAYS, ...WAYS]);
}, 120_000);
