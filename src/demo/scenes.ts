import { setTimeout as sleep } from 'node:timers/promises';
import { DemoError } from './demo-error.js';
import { watchStatus, type LiveStatus, type StatusChange } from './live-status.js';
import { openPage, pressPay } from './payer-in-browser.js';
import type { BookingWanted, OpenedPayment, PlacedOrder, ProductShown, ShopApi } from './shop-api.js';
import type { Pressed, Stage, StoryEnd } from './stage.js';

const DECIDED_WITHIN_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 10;

export async function placeOrder(
  { shop, narrator }: Stage,
  sku: string,
  quantity: number,
  booking?: BookingWanted,
): Promise<PlacedOrder> {
  const product = await findProduct(shop, sku);
  const order = await shop.order(product.sku, quantity, booking);
  narrator.step('payer', `createOrder ${quantity} × ${product.sku}  →  ${order.id}`);
  narrator.more(`total, by the server’s own prices: ${order.formatted}`);
  return order;
}

/** @throws {DemoError} where the catalogue is not that of a fresh start. */
export async function findProduct(shop: ShopApi, wanted: string): Promise<ProductShown> {
  const product = (await shop.products()).find(({ sku }) => sku === wanted);
  if (product) return product;
  throw new DemoError(
    `The catalogue has no ${wanted}: the demo plays with the catalogue of a fresh start.\n` +
      'Give it a folder of its own: DATA_FOLDER=.quittance-demo npm run demo',
  );
}

export function watch(
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

/** @param choices what the payer fills in before they press Pay. */
export async function payOnPage(
  { narrator }: Stage,
  actor: 'Bank X' | 'PayDunya',
  url: string,
  choices: Readonly<Record<string, string>> = {},
): Promise<number> {
  const page = await openPage(url);
  narrator.step(actor, `shows its page: ${page.amount}, with the buttons ${page.buttons.join(', ')}`);
  const at = performance.now();
  const backTo = new URL(await pressPay(page, choices));
  narrator.step(actor, `Pay was pressed  →  back to ${backTo.origin}${backTo.pathname}`);
  return at;
}

/** Where the payer is sent to pay. @throws {DemoError} */
export function pageOf({ nextAction: { url } }: OpenedPayment): string {
  if (url) return url;
  throw new DemoError('The provider gave no page to pay on. Look at the server’s log.');
}

export async function showEnd(
  { shop, narrator }: Stage,
  order: PlacedOrder,
  { live, at }: Pressed,
): Promise<StoryEnd> {
  await live.until('PAID');
  const toldAfterMilliseconds = Math.round(performance.now() - at);
  await live.close();
  const orderStatus = await shop.orderStatus(order);
  if (orderStatus !== 'CONFIRMED') {
    throw new DemoError(`The payment is PAID, but its order is ${orderStatus}: please report this bug.`);
  }
  narrator.step('shop', `the order is ${narrator.good(orderStatus)}`);
  return { orderStatus, toldAfterMilliseconds };
}

export async function until(what: string, isThere: () => boolean | Promise<boolean>): Promise<void> {
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
