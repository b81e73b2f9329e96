import { setTimeout as sleep } from 'node:timers/promises';
import { refundPayment } from '../staff-calls.js';
import { ask, isSoon, tryAt, type OpenedPayment, type Scene } from './scene.js';

type NewDispute = Parameters<Scene['app']['stripe']['openDispute']>[1];

/** What the payer's bank does with money that was taken, by Stripe's id of the payment. */
type BanksStory = (scene: Scene, payment: { readonly id: string }, taken: Taken) => Promise<unknown>;

interface Taken {
  readonly paymentIntentId: string;
  /** Minor units. */
  readonly amount: number;
}

/** Nothing when Stripe has taken none. */
export async function disputeIt(scene: Scene, payment: Pick<OpenedPayment, 'id'>): Promise<void> {
  const charge = scene.app.stripe
    .charges()
    .findLast(
      ({ status, amountCaptured, metadata }) =>
        status === 'succeeded' &&
        amountCaptured > 0 &&
        metadata.quittance_attempt?.startsWith(`${payment.id}-`),
    );
  if (charge) await disputeCharge(scene, payment, charge);
}

export async function disputeCharge(
  scene: Scene,
  payment: Pick<OpenedPayment, 'id'>,
  charge: { readonly paymentIntentId: string; readonly amountCaptured: number },
): Promise<void> {
  // A bank may also be faster than the news of the payment.
  if (scene.choice.integer(1, 3) > 1) await isSoon(scene, payment.id, ['PAID', 'PARTIALLY_REFUNDED']);
  const taken = { paymentIntentId: charge.paymentIntentId, amount: charge.amountCaptured };
  await scene.choice.of(BANKS)(scene, payment, taken);
}

const SHORT_MILLISECONDS = 150;

/** Sometimes the next thing happens before anybody has heard of the last. */
const aWhile = ({ choice }: Scene) => sleep(choice.integer(0, SHORT_MILLISECONDS));

function open({ app }: Scene, { paymentIntentId }: Taken, dispute: NewDispute = {}): string | undefined {
  let id: string | undefined;
  tryAt(() => (id = app.stripe.openDispute(paymentIntentId, dispute).id));
  return id;
}

type Step = (scene: Scene, id: string, taken: Taken, payment: { readonly id: string }) => unknown;

/** A dispute, and what follows it. */
const dispute =
  (given: (taken: Taken, scene: Scene) => NewDispute, ...steps: readonly Step[]): BanksStory =>
  async (scene, payment, taken) => {
    const id = open(scene, taken, given(taken, scene));
    if (id === undefined) return;
    for (const step of steps) {
      await aWhile(scene);
      await step(scene, id, taken, payment);
    }
  };

const ofAll = () => ({});
const ofPart = ({ amount }: Taken, { choice }: Scene) => ({ amount: choice.integer(1, amount) });
/** The payer's bank counts in another currency, on another day. */
const ofALittleMore = ({ amount }: Taken, { choice }: Scene) => ({
  amount: amount + choice.integer(1, Math.max(1, Math.floor(amount / 20))),
  amountDiffers: true,
});
const inDollars = () => ({ balance: { currency: 'usd', exchangeRate: 1.0837 } });
const asAQuestion = () => ({ withdraw: false });
const lostAtOnce = () => ({ lost: true });

const won: Step = ({ app }, id) => app.stripe.closeDispute(id, 'won');
const lost: Step = ({ app }, id) => app.stripe.closeDispute(id, 'lost');
const wonWithoutItsMoney: Step = ({ app }, id) => app.stripe.closeDispute(id, 'won', 0);
const moneyComesBack: Step = ({ app }, id) => app.stripe.reinstateFunds(id);
const wonInPart: Step = ({ app, choice }, id, { amount }) =>
  app.stripe.closeDispute(id, 'won', choice.integer(1, Math.max(1, Math.floor(amount / 2))));
const lostButForAPart: Step = ({ app, choice }, id, { amount }) =>
  app.stripe.closeDispute(id, 'lost', choice.integer(1, Math.max(1, Math.floor(amount / 2))));
const wonAfterAll: Step = ({ app }, id) => app.stripe.decideDisputeAgain(id, 'won');
const lostAfterAll: Step = ({ app }, id) => app.stripe.decideDisputeAgain(id, 'lost');
const appealed: Step = ({ app }, id) => app.stripe.appealDispute(id);
const becomesADispute: Step = ({ app }, id) => app.stripe.escalateInquiry(id);
const shopRefunds: Step = (scene, _id, _taken, payment) =>
  ask(scene, 'refundPayment', () => refundPayment(scene.app, payment));
const shopRefundsAPart: Step = (scene, _, { amount }, payment) =>
  ask(scene, 'refundPayment', () =>
    refundPayment(scene.app, payment, { amount: scene.choice.integer(1, amount) }),
  );

const afterARefund: BanksStory = async (scene, payment, taken) => {
  await shopRefundsAPart(scene, '', taken, payment);
  await scene.choice.of([
    [1, dispute(ofAll, won)],
    [1, dispute(ofAll, lost, shopRefundsAPart)],
    [1, dispute(ofPart, lostButForAPart)],
  ])(scene, payment, taken);
};

const BANKS: readonly (readonly [weight: number, story: BanksStory])[] = [
  [4, dispute(ofAll, lost)],
  [4, dispute(ofAll, won)],
  [2, dispute(ofAll, wonWithoutItsMoney, shopRefundsAPart, moneyComesBack)],
  [3, dispute(ofAll, wonInPart, shopRefundsAPart)],
  [2, dispute(ofAll, lostButForAPart, shopRefundsAPart)],
  [2, dispute(ofAll, lost, wonAfterAll)],
  [2, dispute(ofAll, lostButForAPart, wonAfterAll)],
  [1, dispute(ofAll, won, lostAfterAll)],
  [2, dispute(ofAll, lost, appealed, won)],
  [1, dispute(ofAll, lost, appealed, lost)],
  [2, dispute(ofPart, won, shopRefundsAPart)],
  [2, dispute(ofPart, shopRefundsAPart, lost, shopRefunds)],
  [1, dispute(ofALittleMore, won)],
  [2, dispute(ofALittleMore, lost)],
  [1, dispute(inDollars, won)],
  [1, dispute(inDollars, lostButForAPart)],
  [2, dispute(asAQuestion, shopRefunds, won)],
  [1, dispute(asAQuestion, shopRefundsAPart, won)],
  [2, dispute(asAQuestion, becomesADispute, lost)],
  [1, dispute(asAQuestion, becomesADispute, won)],
  [1, dispute(lostAtOnce, shopRefundsAPart)],
  [1, dispute(ofAll)],
  [4, afterARefund],
];
