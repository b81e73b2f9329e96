import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoError } from './demo-error.js';
import { watchStatus, type LiveStatus, type StatusChange } from './live-status.js';
import type { Narrator } from './narrator.js';
import { openBankPage, payByCard, pressPay } from './payer-in-browser.js';
import type { AttemptShown, OpenedPayment, PlacedOrder, ProductShown, ShopApi } from './shop-api.js';

export interface Stage {
  readonly shop: ShopApi;
  readonly stripeUrl: string;
  readonly narrator: Narrator;
}

/** What the summary tells. */
export interface StoryEnd {
  readonly orderStatus: string;
  /** From the payer's press on Pay to PAID on the WebSocket: through the provider, its webhook, and the database. */
  readonly toldAfterMilliseconds: number;
}

const GOOD_CARD = '4242424242424242';
const DECLINED_CARD = '4000000000000002';
const BY_CARD = { method: 'CARD', presentation: 'EMBEDDED' };
const DECIDED_WITHIN_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 10;

export async function payByCardStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('1  By card: the payer stays on the shop’s page, and the first card is declined');
  await showCatalogue(stage);
  const before = await findProduct(shop, 'MUG');
  const order = await placeOrder(stage, before, 2);
  await showOptions(stage, order);
  const payment = await shop.pay(order, BY_CARD);
  narrator.step('payer', `createPaymentIntent  →  ${payment.id}`);
  narrator.more(
    `holds the stock: ${(await findProduct(shop, 'MUG')).available} ${before.sku} left to others`,
  );
  const live = watch(stage, order, payment);
  await live.until('PENDING');

  const declined = await payByCard(stage.stripeUrl, clientSecretOf(payment), DECLINED_CARD);
  narrator.step('Stripe', `card 4000 … 0002  →  ${narrator.bad('declined')}: “${declined.message}”`);
  const { failureCode } = await untilDeclineIsKnown(shop, order, payment);
  narrator.step('shop', `heard of it (${failureCode}); the payment stays PENDING, so they may try again`);

  const pressed = performance.now();
  const accepted = await payByCard(stage.stripeUrl, clientSecretOf(payment), GOOD_CARD);
  narrator.step('Stripe', `card 4242 … 4242  →  ${accepted.status}`);
  const end = await showEnd(stage, order, live, pressed);
  const after = await findProduct(shop, 'MUG');
  narrator.more(`stock of ${after.sku}: ${before.available} before, ${after.available} now`);
  return end;
}

export async function payByBankStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('2  By bank: the payer goes to the bank’s page, and comes back');
  const order = await placeOrder(stage, await findProduct(shop, 'WAX-PRINT'), 1);
  const payment = await shop.pay(order, { method: 'BANK', returnUrl: `${shop.url}/healthz` });
  const page = payment.nextAction.url;
  if (!page) throw new DemoError('The bank gave no page to pay on. Look at the server’s log.');
  narrator.step('payer', `createPaymentIntent  →  ${payment.id}`);
  narrator.more(`is sent to ${page}`);
  const live = watch(stage, order, payment);
  await live.until('PENDING');

  const { amount, payUrl } = await openBankPage(page);
  narrator.step('Bank X', `shows its page: ${amount}, with the buttons Pay, Decline and Cancel`);
  const pressed = performance.now();
  const backTo = new URL(await pressPay(payUrl));
  narrator.step('Bank X', `Pay was pressed  →  back to ${backTo.origin}${backTo.pathname}`);
  return showEnd(stage, order, live, pressed);
}

export async function troubleStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('3  Trouble: a double click, and a connection that is lost while the money moves');
  const order = await placeOrder(stage, await findProduct(shop, 'EBOOK'), 1);
  const payment = await doubleClick(stage, order);
  const first = watch(stage, order, payment);
  const { version } = await first.until('PENDING');
  first.lose();
  narrator.step('live', `${narrator.bad('✕')} connection lost; the last version seen was ${version}`);

  const pressed = performance.now();
  const { status } = await payByCard(stage.stripeUrl, clientSecretOf(payment), GOOD_CARD);
  narrator.step('Stripe', `card 4242 … 4242  →  ${status}`);
  await until('the order to be confirmed', async () => (await shop.orderStatus(order)) === 'CONFIRMED');
  narrator.step('shop', 'knows; the payer, who is still away, does not');
  await first.close();
  narrator.step('live', `connects again and asks for what came since version ${version}`);
  return showEnd(stage, order, watch(stage, order, payment, version), pressed);
}

async function doubleClick({ shop, narrator }: Stage, order: PlacedOrder): Promise<OpenedPayment> {
  const input = { ...BY_CARD, idempotencyKey: randomUUID() };
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

function watch(
  { shop, narrator }: Stage,
  { token }: PlacedOrder,
  { id: paymentId }: OpenedPayment,
  sinceVersion?: number,
): LiveStatus {
  const onChange = ({ status, version }: StatusChange) => {
    const dot = status === 'PAID' ? narrator.good(`● ${status}`) : narrator.waiting(`● ${status}`);
    narrator.step('live', `${dot}  (version ${version}, pushed over the WebSocket)`);
  };
  return watchStatus(shop.url, { paymentId, token, sinceVersion, onChange });
}

async function showEnd(
  { shop, narrator }: Stage,
  order: PlacedOrder,
  live: LiveStatus,
  pressed: number,
): Promise<StoryEnd> {
  await live.until('PAID');
  const toldAfterMilliseconds = Math.round(performance.now() - pressed);
  await live.close();
  const orderStatus = await shop.orderStatus(order);
  if (orderStatus !== 'CONFIRMED') {
    throw new DemoError(`The payment is PAID, but its order is ${orderStatus}: please report this bug.`);
  }
  narrator.step('shop', `the order is ${narrator.good(orderStatus)}`);
  return { orderStatus, toldAfterMilliseconds };
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

async function placeOrder({ shop, narrator }: Stage, product: ProductShown, quantity: number) {
  const order = await shop.order(product.sku, quantity);
  narrator.step('payer', `createOrder ${quantity} × ${product.sku}  →  ${order.id}`);
  narrator.more(`total, by the server’s own prices: ${order.formatted}`);
  return order;
}

async function showOptions({ shop, narrator }: Stage, order: PlacedOrder): Promise<void> {
  const options = await shop.paymentOptions(order);
  const list = options.map(({ provider, method, presentation }) => `${provider} ${method} ${presentation}`);
  narrator.step('payer', 'paymentOptions: the ways to pay this order');
  narrator.more(list.join(', ').toLowerCase());
}

async function findProduct(shop: ShopApi, wanted: string): Promise<ProductShown> {
  const product = (await shop.products()).find(({ sku }) => sku === wanted);
  if (product) return product;
  throw new DemoError(
    `The catalogue has no ${wanted}: the demo plays with the catalogue of a fresh start.\n` +
      'Give it a folder of its own: DATA_FOLDER=.quittance-demo npm run demo',
  );
}

function clientSecretOf({ nextAction }: OpenedPayment): string {
  if (nextAction.clientSecret) return nextAction.clientSecret;
  throw new DemoError('Stripe’s double gave no client secret. Look at the server’s log.');
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

async function until(what: string, isThere: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DECIDED_WITHIN_MILLISECONDS;
  while (!(await isThere())) {
    if (Date.now() > deadline) {
      throw new DemoError(
        `Waited ${DECIDED_WITHIN_MILLISECONDS / 1_000} s for ${what}. Look at the server’s log.`,
      );
    }
    await sleep(POLL_MILLISECONDS);
  }
}
