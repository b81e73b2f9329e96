import type { HttpFault } from '../../src/sandbox/http-fault.js';
import { tellAndCheck } from './final-state.js';
import { hastened } from './hasten.js';
import { openShop, type Shop } from './shop.js';
import { BANK, CARD, HELD_CARD, PAWAPAY, PAYDUNYA_PAGE, PAYDUNYA_PHONE, type Way } from './story.js';

const WAYS = [CARD, HELD_CARD, BANK, PAWAPAY, PAYDUNYA_PAGE, PAYDUNYA_PHONE];
const STRIPE_OPERATIONS = ['payment_intents.create', 'payment_intents.capture', 'refunds.create'];
const BANK_OPERATIONS = ['createPayment', 'createRefund'] as const;
const PAWAPAY_OPERATIONS = ['createDeposit', 'createRefund'] as const;
const PAYDUNYA_OPERATIONS = ['createInvoice', 'softpay'] as const;
/** With its first try, the SDK makes three. */
const TRIES_OF_THE_SDK = 3;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
}, 60_000);
afterEach(() => {
  const { stripe, bank, pawapay, paydunya } = shop.server;
  stripe.clearFaults();
  bank.write({});
  for (const double of [stripe, bank, pawapay, paydunya]) {
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

/** What goes wrong with each request of the ways to pay that could move money, once it has. */
function plan(fault: HttpFault): void {
  const { bank, pawapay, paydunya } = shop.server;
  for (const operation of BANK_OPERATIONS) bank.answerNext(operation, fault);
  for (const operation of PAWAPAY_OPERATIONS) pawapay.answerNext(operation, fault);
  for (const operation of PAYDUNYA_OPERATIONS) paydunya.answerNext(operation, fault);
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
    const { stripe, bank, pawapay, paydunya } = shop.server;
    for (const double of [stripe, bank, pawapay, paydunya]) double.misbehave(misbehaviour);
    await tellAll();
  },
  120_000,
);

test.each([
  { amount: 'NO_BREAK_SPACES', smallLetters: true, ids: 'LONG' },
  { amount: 'POINTS_AND_DECIMAL_COMMA', ids: 'NUMBERS', eventIdOfPayment: true },
] as const)(
  'a bank that writes otherwise than its contract says changes nothing in how it ends: %j',
  async (writing) => {
    shop.server.bank.write(writing);
    await tellAll([BANK]);
  },
  120_000,
);

test('a 502 after the money has moved changes nothing in how it ends', async () => {
  for (const operation of STRIPE_OPERATIONS) {
    const answer = { kind: 'status', status: 502, shouldRetry: false } as const;
    shop.server.stripe.answerNext(operation, { answer, when: 'AFTER_WORK', times: TRIES_OF_THE_SDK });
  }
  for (let times = 0; times < 2; times += 1) plan({ kind: 'status', status: 502, afterDoing: true });
  await tellAll();
}, 120_000);

test('an answer that never comes, after the money has moved, changes nothing in how it ends', async () => {
  for (const operation of STRIPE_OPERATIONS) {
    shop.server.stripe.answerNext(operation, { answer: { kind: 'hang' }, when: 'AFTER_WORK' });
  }
  plan({ kind: 'hang', afterDoing: true });
  // Together, for each waits until the server has had enough of waiting.
  const ways = [HELD_CARD, BANK, PAWAPAY, PAYDUNYA_PHONE];
  await hastened(shop, () => Promise.all(ways.map((way) => tellAndCheck(shop, way))));
}, 120_000);

test('calls that fail by chance, before and after the money has moved, change nothing in how it ends', async () => {
  const { stripe, bank, pawapay, paydunya } = shop.server;
  for (const double of [stripe, bank, pawapay, paydunya]) double.faultsByChance({ share: 0.3, seed: 11 });
  await tellAll([...WAYS, ...WAYS]);
}, 120_000);
