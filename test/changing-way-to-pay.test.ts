import { dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { eventually } from './support/eventually.js';
import {
  available,
  cancelPayment,
  createPayment,
  orderOf,
  readPayment,
  untilStatus,
} from './support/payment-calls.js';
import { BANK, BANK_DEBIT, CARD, GOOD_CARD } from './support/ways-to-pay.js';
import { expectSettled } from './support/settled.js';

let app: RunningApp;
beforeAll(async () => {
  // Without jobs: they would soon end the attempt that was replaced, and no payer could pay twice.
  app = await startTestApp({ jobPauseMilliseconds: 600_000 });
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

/** From card to bank, while Stripe doesn't say whether the first attempt could be ended. */
async function twoLiveAttempts() {
  const order = await orderOf(app);
  const byCard = await app.pay(order.orderId, order.token, CARD);
  app.stripe.answerNext('payment_intents.cancel', {
    answer: { kind: 'status', status: 500, shouldRetry: false },
  });
  const byBank = await app.pay(order.orderId, order.token, BANK);
  expect(byBank.id).toBe(byCard.id);
  expect((await readPayment(app, byCard.id, order.token)).attempts).toMatchObject([
    { number: 1, provider: 'stripe', status: 'PENDING' },
    { number: 2, provider: 'bank-x', status: 'PENDING' },
  ]);
  const reference = `${byCard.id}-2`;
  return { ...order, id: byCard.id, clientSecret: byCard.nextAction.clientSecret, reference };
}

const captured = (id: string, token: string, amount: number) =>
  eventually(
    () => readPayment(app, id, token),
    ({ capturedAmount }) => capturedAmount === amount,
  );

test('from card to bank opens a second attempt in the same payment, and ends the first at its provider', async () => {
  const { orderId, token, sku } = await orderOf(app);
  const byCard = await app.pay(orderId, token, CARD);

  const byBank = await app.pay(orderId, token, BANK);

  expect(byBank).toMatchObject({
    id: byCard.id,
    version: 1,
    status: 'PENDING',
    nextAction: { __typename: 'RedirectToUrl' },
  });
  expect((await readPayment(app, byCard.id, token)).attempts).toMatchObject([
    { number: 1, provider: 'stripe', status: 'CANCELLED' },
    { number: 2, provider: 'bank-x', status: 'PENDING' },
  ]);
  expect(() => app.stripe.pay(byCard.nextAction.clientSecret, GOOD_CARD)).toThrow('canceled');
  expect(await available(app, sku)).toBe(9);
  app.bank.pay(`${byCard.id}-2`);
  expect(await untilStatus(app, byCard.id, token, 'PAID', 0)).toEqual(['PENDING', 'PAID']);
});

test('from card to bank and back opens a third attempt, with a client secret that works', async () => {
  const { orderId, token } = await orderOf(app);
  const first = await app.pay(orderId, token, CARD);
  await app.pay(orderId, token, BANK);

  const third = await app.pay(orderId, token, CARD);

  expect(third.id).toBe(first.id);
  expect(third.nextAction.clientSecret).not.toBe(first.nextAction.clientSecret);
  expect(app.bank.payment(`${first.id}-2`)).toMatchObject({ status: 'CANCELLED' });
  app.stripe.pay(third.nextAction.clientSecret, GOOD_CARD);
  await untilStatus(app, third.id, token, 'PAID');
  expect(app.stripe.chargesFor(`${first.id}-3`)).toHaveLength(1);
});

test('from the frontend’s own page to Stripe’s is a change too', async () => {
  const { orderId, token } = await orderOf(app);
  const embedded = await app.pay(orderId, token, { method: 'CARD', presentation: 'EMBEDDED' });
  const redirect = await app.pay(orderId, token, {
    method: 'CARD',
    presentation: 'REDIRECT',
    returnUrl: RETURN_URL,
  });
  expect([redirect.id, redirect.nextAction.__typename]).toEqual([embedded.id, 'RedirectToUrl']);
  expect(() => app.stripe.pay(embedded.nextAction.clientSecret, GOOD_CARD)).toThrow('canceled');
});

test('a first attempt that can’t be ended stays watched: its money is believed when it comes', async () => {
  const { id, token, clientSecret } = await twoLiveAttempts();
  app.stripe.pay(clientSecret, GOOD_CARD);
  await untilStatus(app, id, token, 'PAID');
  expect((await readPayment(app, id, token)).attempts[0]).toMatchObject({ status: 'SUCCEEDED' });
});

test.each([
  ['the first', true],
  ['the second', false],
])(
  'both attempts paid, %s first: the second money is written down once and told, and the order confirmed once',
  async (_, cardFirst) => {
    const { id, token, clientSecret, reference, sku } = await twoLiveAttempts();
    const pay = [() => void app.stripe.pay(clientSecret, GOOD_CARD), () => app.bank.pay(reference)];
    if (!cardFirst) pay.reverse();
    pay[0]!();
    await untilStatus(app, id, token, 'PAID');
    pay[1]!();

    const payment = await captured(id, token, 3_000);

    expect(payment).toMatchObject({
      status: 'PAID',
      failureCode: 'CAPTURED_TWICE',
      order: { status: 'CONFIRMED' },
      attempts: [{ status: 'SUCCEEDED' }, { status: 'SUCCEEDED' }],
    });
    expect(await available(app, sku)).toBe(9);
    app.bank.deliverAgain(reference);
    await app.bank.settled();
    expect(await readPayment(app, id, token)).toMatchObject({
      capturedAmount: 3_000,
      version: payment.version,
    });
  },
);

test('both attempts paid at the same moment are one confirmed order', async () => {
  const { id, token, clientSecret, reference, sku } = await twoLiveAttempts();
  app.stripe.pay(clientSecret, GOOD_CARD);
  app.bank.pay(reference);
  expect(await captured(id, token, 3_000)).toMatchObject({ failureCode: 'CAPTURED_TWICE', version: 3 });
  expect(await available(app, sku)).toBe(9);
});

test('a late failure of one attempt never touches the success of the other', async () => {
  const { id, token, clientSecret, reference } = await twoLiveAttempts();
  app.stripe.pay(clientSecret, GOOD_CARD);
  await untilStatus(app, id, token, 'PAID');
  app.bank.decline(reference);
  await app.bank.settled();
  expect(await readPayment(app, id, token)).toMatchObject({
    status: 'PAID',
    failureCode: null,
    attempts: [{ status: 'SUCCEEDED' }, { status: 'FAILED' }],
  });
});

test('a failure of one attempt leaves the payment open while another one is under way', async () => {
  const { id, token, clientSecret, reference, sku } = await twoLiveAttempts();
  app.bank.decline(reference);
  await app.bank.settled();
  expect(await readPayment(app, id, token)).toMatchObject({ status: 'PENDING', version: 1 });
  expect(await available(app, sku)).toBe(9);
  app.stripe.pay(clientSecret, GOOD_CARD);
  await untilStatus(app, id, token, 'PAID');
});

test('the last attempt’s failure ends the payment and gives the stock back', async () => {
  const { orderId, token, sku } = await orderOf(app);
  const { id } = await app.pay(orderId, token, BANK);
  app.bank.decline(`${id}-1`);
  expect(await untilStatus(app, id, token, 'FAILED', 0)).toEqual(['PENDING', 'FAILED']);
  expect(await available(app, sku)).toBe(10);
  expect((await app.pay(orderId, token, CARD)).id).not.toBe(id);
});

test('cancelPaymentIntent ends every live attempt at its provider', async () => {
  const { id, token, clientSecret, reference, sku } = await twoLiveAttempts();
  expect(dataOf(await cancelPayment(app, id, token)).cancelPaymentIntent.status).toBe('CANCELLED');
  expect(() => app.stripe.pay(clientSecret, GOOD_CARD)).toThrow('canceled');
  expect(app.bank.payment(reference)).toMatchObject({ status: 'CANCELLED' });
  expect(await available(app, sku)).toBe(10);
});

test('while the provider is processing, no second way is opened beside it', async () => {
  const { orderId, token } = await orderOf(app);
  const byCard = await app.pay(orderId, token, CARD);
  app.stripe.pay(byCard.nextAction.clientSecret, BANK_DEBIT);
  await untilStatus(app, byCard.id, token, 'PROCESSING');
  const before = app.bank.counts().payments;
  expect(await app.pay(orderId, token, BANK)).toMatchObject({
    id: byCard.id,
    status: 'PROCESSING',
    nextAction: null,
  });
  expect(app.bank.counts().payments).toBe(before);
});

test('asked for both ways by many at once, at most one attempt is left to pay', async () => {
  const { orderId, token } = await orderOf(app);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => app.pay(orderId, token, index % 2 ? CARD : BANK)),
  );
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  const { attempts } = await readPayment(app, answers[0]!.id, token);
  expect(attempts.filter(({ status }: { status: string }) => status === 'PENDING')).toHaveLength(1);
});

describe('another returnUrl', () => {
  const OTHER = `${RETURN_URL}/other`;

  test.each([
    ['a bank', BANK],
    ['Checkout', { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL }],
  ])('at %s is a page that sends the payer back there, in place of the first', async (_, input) => {
    const { orderId, token } = await orderOf(app);
    const first = await app.pay(orderId, token, input);

    const second = await app.pay(orderId, token, { ...input, returnUrl: OTHER });

    expect(second).toMatchObject({ id: first.id, nextAction: { __typename: 'RedirectToUrl' } });
    expect(second.nextAction.url).not.toBe(first.nextAction.url);
    expect((await readPayment(app, first.id, token)).attempts.map(({ status }: any) => status)).toEqual([
      'CANCELLED',
      'PENDING',
    ]);
    for (const same of [{ ...input, returnUrl: OTHER }, { method: input.method }]) {
      expect(await app.pay(orderId, token, same)).toMatchObject({
        nextAction: { url: second.nextAction.url },
      });
    }
  });

  test('changes nothing for a payer who pays in the shop’s own page', async () => {
    const { orderId, token } = await orderOf(app);
    const first = await app.pay(orderId, token, { ...CARD, presentation: 'EMBEDDED', returnUrl: RETURN_URL });
    const second = await app.pay(orderId, token, { ...CARD, presentation: 'EMBEDDED', returnUrl: OTHER });
    expect(second).toMatchObject(first);
  });

  test('of an origin that is not allowed is refused, also where a payment is open', async () => {
    const { orderId, token } = await orderOf(app);
    await app.pay(orderId, token, BANK);
    const answer = await createPayment(app, orderId, token, { ...BANK, returnUrl: 'https://evil.example/' });
    expect(answer.errors![0]!.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'returnUrl' }],
    });
  });
});

test('another country than the one that was said begins another attempt, and one that is said late does not', async () => {
  const { orderId, token } = await orderOf(app);
  const first = await app.pay(orderId, token, CARD);
  const french = await app.pay(orderId, token, { ...CARD, country: 'FR' });
  expect(french.nextAction).toEqual(first.nextAction);

  const { orderId: other, token: otherToken } = await orderOf(app);
  const inFrance = await app.pay(other, otherToken, { ...CARD, country: 'FR' });
  const inSenegal = await app.pay(other, otherToken, { ...CARD, country: 'SN' });
  expect(inSenegal.id).toBe(inFrance.id);
  expect(inSenegal.nextAction.clientSecret).not.toBe(inFrance.nextAction.clientSecret);
});
