import { startStripeDouble, type StripeDouble } from '../src/sandbox/stripe/stripe-double.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const SECRET_KEY = 'sk_test_misbehaving';

describe('the double of Stripe misbehaves when it is told to', () => {
  let receiver: WebhookReceiver;
  let double: StripeDouble;

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    double = await startStripeDouble({
      secretKey: SECRET_KEY,
      publishableKey: 'pk_test_misbehaving',
      webhookSecret: 'whsec_misbehaving',
      webhookUrl: () => receiver.url.href,
    });
  });

  afterEach(async () => {
    await double.stop();
    await receiver.stop();
  });

  const create = () =>
    fetch(new URL('v1/payment_intents', double.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRET_KEY}` },
      body: new URLSearchParams({
        amount: '1099',
        currency: 'eur',
        'automatic_payment_methods[enabled]': 'true',
      }),
    });

  const control = (path: string, form: Record<string, string>) =>
    fetch(new URL(`_double/${path}`, double.url), { method: 'POST', body: new URLSearchParams(form) });

  it('and loses, and doubles, its notifications', async () => {
    double.misbehave({ drop: 1 });
    expect((await create()).status).toBe(200);
    await double.settled();
    expect(receiver.received).toHaveLength(0);
    double.misbehave({ duplicate: 1 });
    await create();
    await double.settled();
    expect(receiver.received).toHaveLength(2);
  });

  it('and lets a share of its requests go wrong by chance, the same with the same seed', async () => {
    const asked = async () => {
      double.faultsByChance({ share: 0.5, seed: 5 });
      const answers: string[] = [];
      for (let number = 0; number < 40; number += 1) {
        const answer = await create().catch(() => undefined);
        answers.push(String(answer?.status));
        await answer?.text();
      }
      return answers;
    };
    const first = await asked();
    expect(new Set(first)).toEqual(new Set(['200', '502', '429', 'undefined']));
    // What is done and not answered is done all the same.
    const answered = first.filter((status) => status === '200').length;
    expect(double.counts().objects.paymentIntents).toBeGreaterThan(answered);
    expect(await asked()).toEqual(first);
  });

  it('over HTTP as well', async () => {
    expect((await control('webhooks/misbehave', { drop: '1', seed: '3' })).status).toBe(200);
    expect((await control('faults_by_chance', { share: '1', seed: '3' })).status).toBe(200);
    expect(await create().catch(() => 'no answer')).not.toMatchObject({ status: 200 });
    expect((await control('faults_by_chance', { share: '0' })).status).toBe(200);
    expect((await create()).status).toBe(200);
    await double.settled();
    expect(receiver.received).toHaveLength(0);
  });
});
