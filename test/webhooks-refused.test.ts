import { startTestApp, type RunningApp } from './support/running-app.js';
import { booksOf, storedEvents } from './support/books.js';
import { BANK, notify, secondsFromNow, STRIPE } from './support/notifying-provider.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

describe.each([STRIPE, BANK])('a notification of $name', (provider) => {
  describe(`that is not proven is answered ${provider.refusalStatus}, and nothing of it is stored:`, () => {
    const refused = async (body: string | Buffer<ArrayBuffer>, headers: Record<string, string>) => {
      const before = await storedEvents(app);
      expect(await notify(app, provider, body, headers)).toBe(provider.refusalStatus);
      expect(await storedEvents(app)).toEqual(before);
    };
    let body: string;
    let paymentId: string;
    beforeAll(async () => {
      const payment = await provider.open(app);
      paymentId = payment.id;
      await app.stripe.settled();
      body = provider.paid(payment);
    });
    afterAll(async () =>
      expect(await booksOf(app, paymentId)).toMatchObject({ status: 'PENDING', version: 1 }),
    );

    test('no signature', () => refused(body, {}));
    test('an empty signature', () => refused(body, { [provider.signatureHeader]: '' }));
    test('a signature of something else', () => refused(body, provider.sign(`${body} `)));
    test('one byte of the body changed', () =>
      refused(body.replace('1500', '1501').replace('15.00', '15.01'), provider.sign(body)));
    test('one digit of the signature changed', () => {
      const signed = provider.sign(body)[provider.signatureHeader]!;
      const changed = signed.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
      return refused(body, { [provider.signatureHeader]: changed });
    });
    test('its time changed, so that it looks young', () => {
      const signed = provider.sign(body, secondsFromNow(-3_600))[provider.signatureHeader]!;
      const now = Math.floor(Date.now() / 1_000);
      return refused(body, { [provider.signatureHeader]: signed.replace(/t=\d+/, `t=${now}`) });
    });
    test('signed 301 seconds ago', () => refused(body, provider.sign(body, secondsFromNow(-301.5))));
    test('signed ten minutes in the future', () => refused(body, provider.sign(body, secondsFromNow(600))));
    test('no body, and no signature', () => refused('', {}));
    test('no body, and the signature of another', () => refused('', provider.sign(body)));
  });

  test('that was signed almost five minutes ago is good', async () => {
    const payment = await provider.open(app);
    const body = provider.paid(payment);
    expect(await notify(app, provider, body, provider.sign(body, secondsFromNow(-290)))).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID' });
  });
});

test('what one provider signed is refused at the address of another', async () => {
  const payment = await BANK.open(app);
  const body = BANK.paid(payment);
  expect(await notify(app, { ...BANK, name: 'stripe' }, body)).toBe(STRIPE.refusalStatus);
  expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING' });
});

test('every refusal says the same, whatever was wrong with the proof', async () => {
  const payment = await STRIPE.open(app);
  const body = STRIPE.paid(payment);
  const proofs = [
    {},
    { 'stripe-signature': '' },
    { 'stripe-signature': 'nonsense' },
    STRIPE.sign(`${body} `),
    STRIPE.sign(body, secondsFromNow(-3_600)),
    STRIPE.sign(body, secondsFromNow(3_600)),
  ];
  const answers = new Set<string>();
  for (const proof of proofs) {
    const headers = { 'content-type': 'application/json', ...proof } as Record<string, string>;
    const response = await fetch(`${app.url}/webhooks/stripe`, { method: 'POST', headers, body });
    answers.add(`${response.status} ${await response.text()}`);
  }
  expect([...answers]).toEqual(['400 {"error":"The signature is missing or not valid."}']);
});
