import { createHmac } from 'node:crypto';
import { type BankDouble, type BankDoubleOptions, startBankDouble } from '../src/sandbox/bank/bank-double.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const API_KEY = 'bank_key_1';
const SECRET = 'bank_secret_1';

interface PaymentJson {
  id: string;
  reference: string;
  status: string;
  amount: string;
  transfer_id: string | null;
  payment_url: string;
}

describe('the double of a bank', () => {
  let receiver: WebhookReceiver;
  let double: BankDouble;

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    double = await start();
  });

  afterEach(async () => {
    await double.stop();
    await receiver.stop();
  });

  const start = (options: Partial<BankDoubleOptions> = {}) =>
    startBankDouble({
      name: 'bank-x',
      displayName: 'Banque <X>',
      apiKey: API_KEY,
      webhookSecret: SECRET,
      webhookUrl: () => receiver.url.href,
      firstRetryMilliseconds: 5,
      ...options,
    });

  const restart = async (options: Partial<BankDoubleOptions>) => {
    await double.stop();
    double = await start(options);
  };

  const ask = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    fetch(new URL(path, double.url), {
      redirect: 'manual',
      ...init,
      headers: { authorization: `Bearer ${API_KEY}`, ...init.headers },
    });

  const post = (order: object = {}, headers: Record<string, string> = {}) =>
    ask('payments', { method: 'POST', body: JSON.stringify(orderOf(order)), headers });

  const create = async (order: object = {}) => (await (await post(order)).json()) as PaymentJson;

  const get = async (id: string) => (await (await ask(`payments/${id}`)).json()) as PaymentJson;

  describe('takes payments', () => {
    it('and answers with a page to pay on', async () => {
      const answer = await post({ amount: '10.50', currency: 'EUR' });
      const payment = (await answer.json()) as PaymentJson;
      expect(answer.status).toBe(201);
      expect(payment).toEqual({
        id: expect.stringMatching(/^bpay_[0-9a-f]{32}$/),
        reference: 'TXN-1-1',
        status: 'CREATED',
        amount: '10.50',
        currency: 'EUR',
        transfer_id: null,
        payment_url: `${double.url.href}pay/${payment.id}`,
      });
      expect(await get(payment.id)).toEqual(payment);
    });

    it('only once for each reference, even under another idempotency key', async () => {
      const first = await create();
      const again = await post({}, { 'idempotency-key': 'another' });
      expect(again.status).toBe(200);
      expect(await again.json()).toEqual(first);
      expect(double.counts()).toMatchObject({ payments: 1, requests: { createPayment: 2 } });
    });

    it('but not one reference for two amounts, nor one key for two references', async () => {
      await post({}, { 'idempotency-key': 'key-1' });
      expect((await post({ amount: '1' })).status).toBe(409);
      expect((await post({ reference: 'TXN-2-1' }, { 'idempotency-key': 'key-1' })).status).toBe(409);
      expect(double.counts().payments).toBe(1);
    });

    it.each([
      [{ amount: '0' }, 'bad_amount'],
      [{ amount: 15000 }, 'bad_amount'],
      [{ amount: '1.5', currency: 'XOF' }, 'bad_amount'],
      [{ currency: 'XXX' }, 'bad_currency'],
      [{ return_url: 'javascript:alert(1)' }, 'bad_return_url'],
      [{ expires_at: 'soon' }, 'bad_expires_at'],
    ])('never with %j', async (order, code) => {
      const answer = await post(order);
      expect(answer.status).toBe(422);
      expect(await answer.json()).toEqual({ error: { code } });
    });

    it('only from whoever knows the key', async () => {
      expect((await post({}, { authorization: 'Bearer wrong' })).status).toBe(401);
      expect(double.counts().payments).toBe(0);
    });

    it('and finds them by reference', async () => {
      const payment = await create();
      expect(await (await ask('payments?reference=TXN-1-1')).json()).toEqual({ payments: [payment] });
      expect(await (await ask('payments?reference=TXN-9-9')).json()).toEqual({ payments: [] });
      expect((await ask('payments/bpay_none')).status).toBe(404);
    });

    it('and lets them expire when their time is up, and tells', async () => {
      let now = new Date();
      await restart({ now: () => now });
      const { id } = await create({ expires_at: new Date(now.getTime() + 60_000).toISOString() });
      now = new Date(now.getTime() + 60_001);
      expect((await get(id)).status).toBe('EXPIRED');
      await double.settled();
      expect(receiver.received).toHaveLength(1);
    });

    it('and forgets the oldest beyond the number it may keep', async () => {
      await restart({ maximumPayments: 2 });
      const first = await create({ reference: 'TXN-1-1' });
      await create({ reference: 'TXN-2-1' });
      await create({ reference: 'TXN-3-1' });
      expect((await ask(`payments/${first.id}`)).status).toBe(404);
      expect(double.counts().payments).toBe(3);
      expect(Object.keys(double.counts().chargesByReference)).toEqual(['TXN-2-1', 'TXN-3-1']);
    });
  });

  describe('moves money', () => {
    it('once, however often the payer pays', async () => {
      const { id } = await create();
      double.pay(id);
      double.pay('TXN-1-1');
      await ask(`pay/${id}/pay`, { method: 'POST' });
      expect(await get(id)).toMatchObject({ status: 'BOOKED', transfer_id: expect.stringMatching(/^tr_/) });
      expect(double.counts()).toMatchObject({ charges: 1, chargesByReference: { 'TXN-1-1': 1 } });
    });

    it('not after a cancellation, unless it is told to be late', async () => {
      const { id } = await create();
      expect(await (await ask(`payments/${id}/cancel`, { method: 'POST' })).json()).toMatchObject({
        status: 'CANCELLED',
      });
      double.pay(id);
      expect((await get(id)).status).toBe('CANCELLED');
      double.payLate(id);
      double.payLate(id);
      expect((await get(id)).status).toBe('BOOKED');
      expect(double.counts().charges).toBe(1);
    });

    it('and says so to whoever cancels too late', async () => {
      const { id } = await create();
      double.pay(id);
      const answer = await ask(`payments/${id}/cancel`, { method: 'POST' });
      expect(answer.status).toBe(409);
      expect(await answer.json()).toMatchObject({ id, status: 'BOOKED' });
    });
  });

  describe('shows the payer a page', () => {
    it('that says that no money is real, escapes what others wrote, and has three buttons', async () => {
      const { payment_url } = await create({ description: '<script>alert(1)</script>', locale: 'fr' });
      const html = await (await fetch(payment_url)).text();
      expect(html).toContain('Sandbox – no real money');
      expect(html).toContain('Banque &lt;X&gt;');
      expect(html).toContain('TXN-1-1');
      expect(html).toMatch(/15.000.F.CFA/u);
      expect(html).not.toContain('<script>');
      expect(html.match(/<button/g)).toHaveLength(3);
    });

    it.each([
      ['pay', 'BOOKED'],
      ['decline', 'REJECTED'],
      ['cancel', 'CANCELLED'],
    ])('whose button "%s" leaves the payment %s and goes back to the shop', async (button, status) => {
      const { id } = await create({ return_url: 'https://shop.example/done?cart=7' });
      const answer = await ask(`pay/${id}/${button}`, { method: 'POST' });
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toBe('https://shop.example/done?cart=7&reference=TXN-1-1');
      expect((await get(id)).status).toBe(status);
      expect(await (await ask(`pay/${id}`)).text()).toContain(status.toLowerCase());
    });
  });

  it('says what it is to whoever follows its bare address', async () => {
    expect(await (await fetch(double.url)).text()).toContain('A double of Banque &lt;X&gt;');
  });

  describe('notifies', () => {
    it('with a signature over the time and the very bytes', async () => {
      const { id } = await create();
      double.pay(id);
      await double.settled();
      const [webhook] = receiver.received;
      const [, timestamp, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(
        String(webhook?.headers['x-signature']),
      )!;
      const body = webhook!.rawBody.toString();
      expect(createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex')).toBe(signature);
      expect(JSON.parse(body)).toMatchObject({
        id: webhook?.headers['x-bank-event-id'],
        type: 'transfer.credited',
        data: { payment_id: id, reference: 'TXN-1-1', amount: '15000', currency: 'XOF', status: 'BOOKED' },
      });
    });

    it('again until it is answered with 2xx, with the same event', async () => {
      receiver.answerNext(503, 500);
      double.pay((await create()).id);
      await double.settled();
      const events = receiver.received.map(({ headers }) => headers['x-bank-event-id']);
      expect(events).toHaveLength(3);
      expect(new Set(events).size).toBe(1);
      expect(double.counts().webhooks).toEqual({ sent: 3, delivered: 1, givenUp: 0 });
    });

    it('a handful of times, after growing pauses, and then gives up', async () => {
      const lines: string[] = [];
      await restart({ log: (line) => lines.push(line) });
      receiver.answerNext(...Array.from({ length: 6 }, () => 500));
      double.pay((await create()).id);
      await double.settled();
      const pauses = lines.map((line) => /next try in (\d+) ms$/.exec(line)?.[1]);
      expect(pauses).toEqual(['5', '10', '20', '40', '80', undefined]);
      expect(double.counts().webhooks).toEqual({ sent: 6, delivered: 0, givenUp: 1 });
    });

    it('twice about the same event when a duplicate is asked for', async () => {
      const { id } = await create();
      double.pay(id);
      double.deliverAgain(id);
      await double.settled();
      expect(new Set(receiver.received.map(({ rawBody }) => rawBody.toString())).size).toBe(1);
      expect(receiver.received).toHaveLength(2);
    });

    it('nobody while it is paused, and then what was held back', async () => {
      double.pauseWebhooks();
      double.pay((await create()).id);
      await double.settled();
      expect(receiver.received).toHaveLength(0);
      double.resumeWebhooks();
      await double.settled();
      expect(receiver.received).toHaveLength(1);
    });

    it('at the address that the payment brought, if it did', async () => {
      const other = await startWebhookReceiver();
      double.pay((await create({ notification_url: other.url.href })).id);
      await double.settled();
      expect([other.received.length, receiver.received.length]).toEqual([1, 0]);
      await other.stop();
    });

    it('nobody when webhooks are off', async () => {
      await restart({ webhooks: false });
      double.pay((await create()).id);
      await double.settled();
      expect(receiver.received).toHaveLength(0);
    });
  });

  describe('is controlled', () => {
    const control = (path: string, body?: object) =>
      fetch(new URL(`_double/${path}`, double.url), { method: 'POST', body: body && JSON.stringify(body) });

    it('over HTTP as well', async () => {
      await create();
      await control('webhooks/pause');
      await control('payments/TXN-1-1/authorise');
      await control('payments/TXN-1-1/pay');
      await control('payments/TXN-1-1/deliver-again');
      expect((await control('settled')).status).toBe(200);
      await control('webhooks/resume');
      expect((await control('settled')).status).toBe(200);
      expect(await (await fetch(new URL('_double/counts', double.url))).json()).toEqual({
        requests: { createPayment: 1, getPayment: 0, findPayments: 0, cancelPayment: 0 },
        payments: 1,
        charges: 1,
        chargesByReference: { 'TXN-1-1': 1 },
        webhooks: { sent: 3, delivered: 3, givenUp: 0 },
      });
    });

    it('to answer badly before or after it has done its work', async () => {
      await control('faults', { operation: 'createPayment', fault: { kind: 'status', status: 502 } });
      expect((await post()).status).toBe(502);
      expect(double.counts().payments).toBe(0);
      double.answerNext('createPayment', { kind: 'status', status: 502, afterDoing: true });
      expect((await post()).status).toBe(502);
      expect(double.counts().payments).toBe(1);
    });
  });

  describe('leaves nothing behind when it stops,', () => {
    it('no request without an answer', async () => {
      double.answerNext('getPayment', { kind: 'hang' });
      const hanging = expect(get((await create()).id)).rejects.toThrow('fetch failed');
      await until(() => double.counts().requests.getPayment === 1);
      await double.stop();
      await double.stop();
      await hanging;
    });

    it('no notification that waits for its next try', async () => {
      const lines: string[] = [];
      await restart({ firstRetryMilliseconds: 60_000, log: (line) => lines.push(line) });
      receiver.answerNext(500);
      const timersBefore = activeTimers();
      double.pay((await create()).id);
      await until(() => lines.length === 1);
      expect(activeTimers()).toBe(timersBefore + 1);
      await double.stop();
      await double.settled();
      expect(activeTimers()).toBe(timersBefore);
    });

    it('no notification that waits for its answer', async () => {
      receiver.answerNext('NEVER');
      double.pay((await create()).id);
      await until(() => receiver.received.length === 1);
      const before = Date.now();
      await double.stop();
      expect(Date.now() - before).toBeLessThan(2_000);
      expect(double.counts().webhooks).toEqual({ sent: 1, delivered: 0, givenUp: 0 });
    });
  });
});

function orderOf(given: object): object {
  return {
    reference: 'TXN-1-1',
    amount: '15000',
    currency: 'XOF',
    description: 'Commande 1042',
    return_url: 'https://shop.example/done',
    expires_at: new Date(Date.now() + 600_000).toISOString(),
    ...given,
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}
