import { randomUUID } from 'node:crypto';
import { cancelPayment } from '../payment-calls.js';
import { capturePayment, refundPayment } from '../staff-calls.js';
import { disputeIt } from './disputes.js';
import { pay } from './payers.js';
import { ask, CARD, CHECKOUT, isSoon, open, tryAt, type OpenedPayment, type Scene } from './scene.js';

/** What a shop does with a payment that may be paid. */
type ShopsStory = (scene: Scene, payment: OpenedPayment) => Promise<unknown>;

const refund = (scene: Scene, { id }: OpenedPayment, input: object = {}) =>
  ask(scene, 'refundPayment', () => refundPayment(scene.app, { id }, input));

const capture = (scene: Scene, { id }: OpenedPayment, amount?: number) =>
  ask(scene, 'capturePaymentIntent', () => capturePayment(scene.app, { id }, amount));

const oncePaid =
  (story: ShopsStory): ShopsStory =>
  async (scene, payment) => {
    // A shop that sees no money gives none back; a hasty one finds out that there is none.
    if (await isSoon(scene, payment.id, ['PAID', 'PARTIALLY_REFUNDED'])) await story(scene, payment);
    else if (scene.choice.integer(1, 10) === 1) await story(scene, payment);
  };

const part = ({ choice }: Scene) => ({ amount: choice.integer(1, 900) });

export const SHOPS: readonly (readonly [weight: number, story: ShopsStory])[] = [
  [45, () => Promise.resolve()],
  [60, disputeIt],
  [14, oncePaid((scene, payment) => refund(scene, payment))],
  [14, oncePaid((scene, payment) => refund(scene, payment, part(scene)))],
  [
    8,
    oncePaid((scene, payment) => Promise.all([900, 900].map((amount) => refund(scene, payment, { amount })))),
  ],
  [6, oncePaid((scene, payment) => refund(scene, payment, { restock: true }))],
  [
    7,
    oncePaid((scene, payment) => {
      const input = { ...part(scene), idempotencyKey: randomUUID() };
      return Promise.all([1, 2].map(() => refund(scene, payment, input)));
    }),
  ],
  [
    6,
    oncePaid(async (scene, payment) => {
      const { amount } = part(scene);
      const ours = refund(scene, payment, part(scene));
      tryAt(() => refundAtProvider(scene, payment, amount));
      await ours;
    }),
  ],
];

/** Somebody clicks "refund" at the provider. */
function refundAtProvider({ app }: Scene, { provider, reference }: OpenedPayment, amount: number): void {
  if (provider === 'bank-x') app.bank.refundAtBank(reference, amount);
  else if (reference.startsWith('pi_')) app.stripe.refundInDashboard(reference, amount);
}

/** Opened by the shop, and held until it decides. */
export async function holdAndDecide(scene: Scene): Promise<void> {
  const { app, choice } = scene;
  const way = choice.of([
    [2, CARD],
    [1, CHECKOUT],
  ]);
  const payment = await open(scene, { ...way, captureMethod: 'MANUAL' }, app.apiKey);
  if (!payment) return;
  pay(scene, payment);
  await isSoon(scene, payment.id, ['AUTHORIZED']);
  await choice.of(DECISIONS)(scene, payment);
}

const cancel: ShopsStory = (scene, { id }) =>
  ask(scene, 'cancelPaymentIntent', () => cancelPayment(scene.app, id, scene.app.apiKey));

const DECISIONS: readonly (readonly [weight: number, story: ShopsStory])[] = [
  [8, (scene, payment) => capture(scene, payment)],
  [
    5,
    async (scene, payment) => {
      await capture(scene, payment, scene.choice.integer(1, 1_500));
      await refund(scene, payment, part(scene));
    },
  ],
  [2, (scene, payment) => Promise.all([capture(scene, payment, 500), capture(scene, payment, 1_000)])],
  [3, cancel],
  [2, (scene, payment) => Promise.all([capture(scene, payment), cancel(scene, payment)])],
  [
    2,
    ({ app }, { reference }) => {
      if (reference.startsWith('pi_')) tryAt(() => app.stripe.lapse(reference));
      return Promise.resolve();
    },
  ],
];
