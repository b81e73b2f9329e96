import { refundPayment, settleReview } from '../staff-calls.js';
import { disputeIt } from './disputes.js';
import { pay } from './payers.js';
import {
  ask,
  AT_BANK,
  CARD,
  CHECKOUT,
  isSoon,
  open,
  tryAt,
  type Door,
  type OpenedPayment,
  type Scene,
} from './scene.js';

const DECISIONS = ['ACCEPT', 'REFUND', 'CLOSE'] as const;
export type Decision = (typeof DECISIONS)[number];

export const decide = (scene: Pick<Scene, 'app' | 'tally'>, payment: { id: string }, decision: Decision) =>
  ask(scene, `settlePaymentReview ${decision}`, () => settleReview(scene.app, payment, decision));

/** What somebody pays is not what the order costs by then; an operator decides, and perhaps again. */
export async function paysWhatDoesNotFit(scene: Scene): Promise<void> {
  const payment = await scene.choice.of(MISFITS)(scene);
  if (!payment || !(await isSoon(scene, payment.id, ['REVIEW', 'PAID', 'REFUNDED']))) return;
  if (await isSoon(scene, payment.id, ['REVIEW'], 0)) await operatorDecides(scene, payment);
  else await scene.choice.of(LATER)(scene, payment);
}

export async function operatorDecides(scene: Scene, payment: { readonly id: string }): Promise<void> {
  const { choice } = scene;
  const hurried = choice.integer(1, 4) === 1;
  const decision = anyDecision(scene);
  // Two operators at once: the second one sees something else than what they decided about.
  if (hurried) {
    await Promise.all([decide(scene, payment, decision), decide(scene, payment, anyDecision(scene))]);
  } else await decide(scene, payment, decision);
  await choice.of(LATER)(scene, payment);
}

const anyDecision = ({ choice }: Scene): Decision => choice.of(DECISIONS.map((each) => [1, each]));

type LaterStory = (scene: Scene, payment: { readonly id: string }) => Promise<unknown>;

const refund = (scene: Scene, { id }: { readonly id: string }, input: object = {}) =>
  ask(scene, 'refundPayment', () => refundPayment(scene.app, { id }, input));

/** What may follow a decision. */
const LATER: readonly (readonly [weight: number, story: LaterStory])[] = [
  [4, () => Promise.resolve()],
  [3, (scene, payment) => refund(scene, payment)],
  [3, (scene, payment) => refund(scene, payment, { amount: scene.choice.integer(1, 900) })],
  [3, (scene, payment) => decide(scene, payment, anyDecision(scene))],
  [2, disputeIt],
];

type MisfitsStory = (scene: Scene) => Promise<OpenedPayment | undefined>;

const anyWay = ({ choice }: Scene): object =>
  choice.of([
    [6, AT_BANK],
    [2, CHECKOUT],
    [1, CARD],
  ]);

const order = (scene: Scene, quantity: number) =>
  ask(scene, 'updateOrder', () =>
    scene.app.graphql(
      `mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { amount } }`,
      { input: { orderId: scene.orderId, lines: [{ sku: scene.sku, quantity }] } },
      scene.token,
    ),
  );

/** Also where the payment is over for us and for the bank. */
function payTheOld(scene: Scene, door: Door): void {
  if (door.provider === 'bank-x') tryAt(() => scene.app.bank.payLate(door.reference));
  else pay(scene, door);
}

const paysTooLittle: MisfitsStory = async (scene) => {
  const payment = await open(scene, anyWay(scene));
  if (!payment) return undefined;
  await order(scene, scene.choice.integer(2, 3));
  payTheOld(scene, payment);
  return payment;
};

const paysTooMuch: MisfitsStory = async (scene) => {
  await order(scene, 3);
  const payment = await open(scene, anyWay(scene));
  if (!payment) return undefined;
  await order(scene, scene.choice.integer(1, 2));
  payTheOld(scene, payment);
  return payment;
};

/** Both what was to be paid before and what is to be paid now, in either order. */
const paysOldAndNew: MisfitsStory = async (scene) => {
  const way = anyWay(scene);
  const old = await open(scene, way);
  if (!old) return undefined;
  await order(scene, 2);
  const present = await open(scene, way);
  const oldFirst = scene.choice.integer(0, 1) === 0;
  if (oldFirst) payTheOld(scene, old);
  if (present && present.reference !== old.reference) pay(scene, present);
  if (!oldFirst) payTheOld(scene, old);
  return old;
};

const MISFITS: readonly (readonly [weight: number, story: MisfitsStory])[] = [
  [4, paysTooLittle],
  [4, paysTooMuch],
  [3, paysOldAndNew],
];
