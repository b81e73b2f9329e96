import { cancelOrder, cancelPayment } from '../payment-calls.js';
import {
  ask,
  AT_BANK,
  CARD,
  CHECKOUT,
  open,
  tryAt,
  type Door,
  type OpenedPayment,
  type Scene,
} from './scene.js';
import { GOOD_CARD } from '../ways-to-pay.js';

const DECLINED_CARD = '4000000000000002';
/** Stripe's test cards whose refunds are pending at first, and whose refunds fail after they had succeeded. */
const PENDING_REFUND_CARD = '4000000000007726';
const FAILING_REFUND_CARD = '4000000000005126';

/** What a payer does. The payment that the shop may deal with afterwards; none when there is no money of theirs. */
type PayersStory = (scene: Scene) => Promise<OpenedPayment | undefined>;

const anyWay = ({ choice }: Scene): object =>
  choice.of([
    [30, CARD],
    [15, CHECKOUT],
    [45, AT_BANK],
  ]);

export function pay({ app }: Scene, { provider, reference }: Door, card = GOOD_CARD): boolean {
  return tryAt(() => (provider === 'stripe' ? app.stripe.pay(reference, card) : app.bank.pay(reference)));
}

function decline({ app }: Scene, { provider, reference }: Door): void {
  tryAt(() =>
    provider === 'stripe' ? app.stripe.pay(reference, DECLINED_CARD) : app.bank.decline(reference),
  );
}

const cancel = (scene: Scene, { id }: OpenedPayment) =>
  ask(scene, 'cancelPaymentIntent', () => cancelPayment(scene.app, id, scene.token));

const pays: PayersStory = async (scene) => {
  const payment = await open(scene, anyWay(scene));
  const card = scene.choice.of([
    [90, GOOD_CARD],
    [5, PENDING_REFUND_CARD],
    [5, FAILING_REFUND_CARD],
  ]);
  if (payment) pay(scene, payment, card);
  return payment;
};

const paysAfterAllWasRefused: PayersStory = async (scene) => {
  const refused = await open(scene, anyWay(scene));
  if (refused) decline(scene, refused);
  const payment = await open(scene, anyWay(scene));
  if (payment) pay(scene, payment);
  return payment;
};

const isDeclinedAndLeaves: PayersStory = async (scene) => {
  const payment = await open(scene, anyWay(scene));
  if (payment) decline(scene, payment);
  return undefined;
};

const leaves: PayersStory = async (scene) => {
  await open(scene, anyWay(scene));
  return undefined;
};

const cancels: PayersStory = async (scene) => {
  const payment = await open(scene, anyWay(scene));
  if (payment) await cancel(scene, payment);
  return undefined;
};

const paysWhileCancelling: PayersStory = async (scene) => {
  const payment = await open(scene, anyWay(scene));
  if (!payment) return undefined;
  const cancelling = cancel(scene, payment);
  await new Promise((resolve) => setTimeout(resolve, scene.choice.integer(0, 30)));
  pay(scene, payment);
  await cancelling;
  return payment;
};

const paysWhileCancellingTheOrder: PayersStory = async (scene) => {
  const payment = await open(scene, anyWay(scene));
  if (!payment) return undefined;
  const cancelling = ask(scene, 'cancelOrder', () => cancelOrder(scene.app, scene.orderId, scene.token));
  await new Promise((resolve) => setTimeout(resolve, scene.choice.integer(0, 30)));
  pay(scene, payment);
  await cancelling;
  return payment;
};

/** Changes their mind about how to pay, and then pays in both ways. */
const paysTwice: PayersStory = async (scene) => {
  const [one, other] = scene.choice.of([
    [1, [CARD, AT_BANK]],
    [1, [AT_BANK, CARD]],
    [1, [CHECKOUT, AT_BANK]],
  ]);
  const [first, second] = await Promise.all([open(scene, one), open(scene, other)]);
  if (first) pay(scene, first);
  if (second) pay(scene, second);
  return second ?? first;
};

/** The bank credits what it had cancelled. */
const paysTooLate: PayersStory = async (scene) => {
  const payment = await open(scene, AT_BANK);
  if (!payment) return undefined;
  if (scene.choice.integer(0, 1) === 0) await cancel(scene, payment);
  else await ask(scene, 'cancelOrder', () => cancelOrder(scene.app, scene.orderId, scene.token));
  tryAt(() => scene.app.bank.payLate(payment.reference));
  return payment;
};

export const PAYERS: readonly (readonly [weight: number, story: PayersStory])[] = [
  [40, pays],
  [8, paysAfterAllWasRefused],
  [4, isDeclinedAndLeaves],
  [6, leaves],
  [5, cancels],
  [6, paysWhileCancelling],
  [4, paysWhileCancellingTheOrder],
  [10, paysTwice],
  [4, paysTooLate],
];
