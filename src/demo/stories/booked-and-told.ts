import { clientSecretOf, EMBEDDED_CARD, GOOD_CARD } from '../cards.js';
import { DemoError } from '../demo-error.js';
import { findMailFile } from '../mail-file.js';
import type { EmailShown } from '../merchant-api.js';
import { startMerchantBackend, type MerchantBackend, type TakenWebhook } from '../merchant-backend.js';
import { payByCard } from '../payer-in-browser.js';
import { placeOrder, showEnd, until, watch } from '../scenes.js';
import type { BookingWanted, OpenedPayment, PlacedOrder } from '../shop-api.js';
import type { Stage, StoryEnd } from '../stage.js';

export async function bookedAndToldStory(stage: Stage): Promise<StoryEnd> {
  const { shop, narrator } = stage;
  narrator.title('6  Booked, mailed, told: a parking place, the customer’s mail, the merchant’s webhook');
  const backend = await registerBackend(stage);
  const wanted = threeDaysFromTomorrow();
  const order = await placeOrder(stage, 'PARKING', 1, wanted);
  narrator.more(`from ${asTime(wanted.startsAt)} until ${asTime(wanted.endsAt)}`);
  const payment = await shop.pay(order, EMBEDDED_CARD);
  narrator.step('payer', `createPaymentIntent  →  ${payment.id}`);
  const live = watch(stage, order, payment);
  await live.until('PENDING');

  const at = performance.now();
  const { status } = await payByCard(stage.stripeUrl, clientSecretOf(payment), GOOD_CARD);
  narrator.step('Stripe', `card 4242 … 4242  →  ${status}`);
  const end = await showEnd(stage, order, { live, at });
  await showBooking(stage, order);
  await showMail(stage, order);
  await showWebhook(stage, backend, payment);
  return end;
}

async function registerBackend({ merchant, narrator, atTheEnd }: Stage): Promise<MerchantBackend> {
  const backend = await startMerchantBackend();
  atTheEnd(() => backend.stop());
  const { id, secret } = await merchant.createWebhookEndpoint(backend.url);
  atTheEnd(() => merchant.deleteWebhookEndpoint(id));
  backend.trust(secret);
  narrator.step('backend', `createWebhookEndpoint  →  ${id}`);
  narrator.more(`payment.paid goes to the merchant’s server, ${backend.url}`);
  return backend;
}

function threeDaysFromTomorrow(): BookingWanted {
  const day = (days: number, hour: number) => {
    const date = new Date();
    date.setUTCDate(date.getUTCDate() + days);
    date.setUTCHours(hour, 0, 0, 0);
    return date.toISOString();
  };
  return { startsAt: day(1, 8), endsAt: day(3, 18) };
}

/** `2026-11-22 08:00 UTC` */
function asTime(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** It is made in the very statement that makes the payment PAID: nobody waits for it. */
async function showBooking({ shop, narrator }: Stage, order: PlacedOrder): Promise<void> {
  const booking = await shop.booking(order);
  if (booking?.status !== 'CONFIRMED' || booking.id === null) {
    throw new DemoError('The order is CONFIRMED and its booking isn’t: please report this bug.');
  }
  narrator.more(`its booking ${booking.id} is ${narrator.good(booking.status)}`);
}

async function showMail({ merchant, dataFolder, narrator }: Stage, order: PlacedOrder): Promise<void> {
  let sent: EmailShown | undefined;
  await until('the confirmation by mail', async () => {
    const emails = await merchant.emails(order);
    sent = emails.find(({ template, status }) => template === 'ORDER_CONFIRMED' && status === 'SENT');
    return sent !== undefined;
  });
  const file = await findMailFile(dataFolder, sent!.id);
  if (!file) {
    narrator.step('mail', 'the mail server of SMTP_URL has taken the confirmation');
    return;
  }
  narrator.step('mail', `to ${file.to}: “${file.subject}”`);
  narrator.more(file.path);
  narrator.quote(file.text);
}

async function showWebhook(
  { narrator }: Stage,
  { taken }: MerchantBackend,
  { id }: OpenedPayment,
): Promise<void> {
  let webhook: TakenWebhook | undefined;
  await until('the webhook to the merchant', () => {
    webhook = taken.find(({ message }) => message.data.paymentIntentId === id);
    return webhook !== undefined;
  });
  const { headers, message } = webhook!;
  narrator.step(
    'backend',
    `took ${message.type}: its signature is genuine, says the standardwebhooks library`,
  );
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  narrator.quote(names.map((name) => `${name}: ${headers[name]}`).join('\n'));
  narrator.quote(JSON.stringify(message, null, 2));
}
