import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { expectInvariants } from '../support/invariants.js';
import { MONTH } from '../support/subscriptions.js';
import { isOfTelling, whatWasTold } from './everyone-is-told.js';
import type { Tale } from './kill-at-every-point.js';
import { ask } from './persistent-client.js';
import type { Shop } from './shop.js';

const VISA = '4242424242424242';
const PATIENCE_MILLISECONDS = 30_000;
const FEWEST_POINTS = 40;

/** Each notification and each month takes the same steps. */
const ENOUGH_OF_A_KIND = 2;

/** To ask changes nothing, and when a job looks at its payments is up to chance. */
const LEFT_TO_CHANCE = /^GET |next_check_at/;

/** A customer leaves a card, subscribes, pays for two months, and leaves. */
export const SUBSCRIPTION: Tale = {
  name: 'Stripe, a subscription',
  fewestPoints: FEWEST_POINTS,
  leavesOut: (point) =>
    isOfTelling(point) || LEFT_TO_CHANCE.test(point.label) || point.occurrence > ENOUGH_OF_A_KIND,
  async tellAndCheck(shop) {
    const id = await tell(shop);
    await shop.server.settled();
    await expectTheEnd(shop, id);
  },
};

const CREATE_CUSTOMER = 'mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { id } }';
const SET_UP = `mutation ($input: SetUpPaymentMethodInput!) {
  setUpPaymentMethod(input: $input) { nextAction { ... on ConfirmWithStripe { clientSecret } } } }`;
const SAVED = 'query ($id: ID!) { savedPaymentMethods(customerId: $id) { id } }';
const SUBSCRIBE = `mutation ($input: CreateRecurringSubscriptionInput!) {
  createRecurringSubscription(input: $input) { subscription { id } } }`;
const CANCEL = `mutation ($id: ID!) { cancelRecurringSubscription(id: $id, atPeriodEnd: false) { status } }`;
const READ = `query ($id: ID!) { recurringSubscription(id: $id) {
  status orders { id status amount paymentIntents { id status version attempts { status } } } } }`;

async function tell(shop: Shop): Promise<string> {
  const { server, apiKey, products } = shop;
  const externalId = randomUUID();
  const details = { externalId, email: `${externalId}@example.com` };
  const customer = await ask(server, CREATE_CUSTOMER, { input: details }, apiKey);
  const savedMethodId = await leaveCard(shop, customer.id);
  const input = {
    customerId: customer.id,
    lines: [{ sku: products.MAGAZINE.sku, quantity: 1 }],
    savedMethodId,
    idempotencyKey: randomUUID(),
  };
  const { subscription } = await ask(server, SUBSCRIBE, { input }, apiKey);
  await untilPaid(shop, subscription.id, 1);
  server.stripe.playTimeForward(MONTH);
  await untilPaid(shop, subscription.id, 2);
  await ask(server, CANCEL, { id: subscription.id }, apiKey);
  return subscription.id;
}

async function leaveCard({ server, apiKey }: Shop, customerId: string): Promise<string> {
  const { nextAction } = await ask(server, SET_UP, { input: { customerId } }, apiKey);
  server.stripe.completeSetup(nextAction.clientSecret, VISA);
  const [method] = await eventually(
    () => ask(server, SAVED, { id: customerId }, apiKey) as Promise<{ id: string }[]>,
    (methods) => methods.length === 1,
    PATIENCE_MILLISECONDS,
  );
  return method!.id;
}

async function untilPaid({ server, apiKey }: Shop, id: string, months: number): Promise<void> {
  await eventually(
    () => ask(server, READ, { id }, apiKey),
    ({ status, orders }) => status === 'ACTIVE' && orders.filter(isConfirmed).length === months,
    PATIENCE_MILLISECONDS,
  );
}

const isConfirmed = ({ status }: { readonly status: string }) => status === 'CONFIRMED';

/** Cancelled, and each of the two months an order, a payment, a charge, an e-mail, and its webhooks. */
async function expectTheEnd(shop: Shop, id: string): Promise<void> {
  const { server, apiKey, database } = shop;
  await eventually(
    async () => {
      const { status, orders } = await ask(server, READ, { id }, apiKey);
      const told = await Promise.all(orders.map((order: any) => toldOf(shop, order)));
      const [left] = await database.query<object[]>(UNDONE);
      expect({ status, orders, told, ...left }).toEqual({
        status: 'CANCELLED',
        orders: [paidOrder, paidOrder],
        told: [EVERYONE, EVERYONE],
        untold: 0,
        unread: 0,
        inTheBooks: shop.server.stripe
          .charges()
          .filter((charge) => charge.status === 'succeeded')
          .map(({ paymentIntentId }) => paymentIntentId)
          .sort(),
      });
    },
    undefined,
    PATIENCE_MILLISECONDS,
  );
  await expectInvariants(database);
}

const UNDONE = `
  SELECT (SELECT count(*)::integer FROM outbox_event WHERE told_at IS NULL) AS untold,
    (SELECT count(*)::integer FROM webhook_event WHERE status IN ('WAITING', 'PARKED')) AS unread,
    (SELECT array_agg(provider_reference ORDER BY provider_reference COLLATE "C") FROM movement
     WHERE kind = 'CAPTURE') AS "inTheBooks"`;

const paidOrder = {
  id: expect.any(String),
  status: 'CONFIRMED',
  amount: 1_500,
  paymentIntents: [
    {
      id: expect.any(String),
      status: 'PAID',
      version: expect.any(Number),
      attempts: [{ status: 'SUCCEEDED' }],
    },
  ],
};

const EVERYONE = { mails: ['Order … is confirmed'], steps: 'each once, up to payment.paid', unsent: 0 };

async function toldOf(shop: Shop, { id, paymentIntents: [payment] }: any): Promise<typeof EVERYONE> {
  const { mails, webhooks, unsent } = await whatWasTold(shop, id, payment.id);
  const isWhole = webhooks.every((step, index) => step.startsWith(`${index + 1} `));
  const isAll = webhooks.length === payment.version && webhooks.at(-1)?.endsWith(' payment.paid');
  return { mails: [...mails], steps: isWhole && isAll ? EVERYONE.steps : webhooks.join(), unsent };
}
