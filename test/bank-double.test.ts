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
        paid_amount: '0.00',
        refunded_amount: '0.00',
        transfer_id: null,
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        payment_url: `${double.url.href}pay/${payment.id}`,
        refunds: [],
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

  describe('gives money back', () => {
    const refund = (paymentId: string, order: object = {}, headers: Record<string, string> = {}) =>
      ask(`payments/${paymentId}/refunds`, {
        method: 'POST',
        body: JSON.stringify({ reference: 'RFD-1', amount: '5000', currency: 'XOF', ...order }),
        headers,
      });

    const paid = async () => {
      const { id } = await create();
      double.pay(id);
      return id;
    };

    it('at once, and shows it with the payment', async () => {
      const id = await paid();
      const answer = await refund(id);
      const made = (await answer.json()) as object;
      expect(answer.status).toBe(201);
      expect(made).toEqual({
        id: expect.stringMatching(/^brfd_[0-9a-f]{32}$/),
        payment_id: id,
        reference: 'RFD-1',
        status: 'BOOKED',
        amount: '5000',
        currency: 'XOF',
      });
      expect(await get(id)).toMatchObject({
        status: 'BOOKED',
        paid_amount: '15000',
        refunded_amount: '5000',
        refunds: [made],
      });
      expect(double.counts()).toMatchObject({ refunds: 1, refundedByReference: { 'TXN-1-1': 5_000 } });
    });

    it('only once for each reference, even under another idempotency key', async () => {
      const id = await paid();
      const first = await (await refund(id)).json();
      const again = await refund(id, {}, { 'idempotency-key': 'another' });
      expect(again.status).toBe(200);
      expect(await again.json()).toEqual(first);
      expect(double.counts()).toMatchObject({ refunds: 1, requests: { createRefund: 2 } });
    });

    it('but not one reference for two amounts or payments, nor one key for two references', async () => {
      const id = await paid();
      await refund(id, {}, { 'idempotency-key': 'key-1' });
      expect((await refund(id, { amount: '1' })).status).toBe(409);
      expect((await refund(id, { reference: 'RFD-2' }, { 'idempotency-key': 'key-1' })).status).toBe(409);
      const { id: other } = await create({ reference: 'TXN-2-1' });
      double.pay(other);
      expect((await refund(other)).status).toBe(409);
      expect(double.counts().refunds).toBe(1);
    });

    it.each([
      [{ amount: '0' }, 422, 'bad_amount'],
      [{ currency: 'EUR' }, 422, 'bad_currency'],
      [{ reference: '' }, 422, 'bad_reference'],
      [{ transfer_id: 'tr_other' }, 409, 'another_transfer'],
      [{ amount: '15001' }, 409, 'more_than_was_paid'],
    ])('never with %j', async (order, status, code) => {
      const answer = await refund(await paid(), order);
      expect(answer.status).toBe(status);
      expect(await answer.json()).toEqual({ error: { code } });
    });

    it('only of what was paid', async () => {
      expect((await refund((await create()).id)).status).toBe(409);
      expect((await refund('bpay_none')).status).toBe(404);
    });

    it('never more than was paid, counting what is on its way, and not what was rejected', async () => {
      double.holdRefunds();
      const id = await paid();
      const codeOf = async (reference: string, amount: string) =>
        (await refund(id, { reference, amount })).status;
      expect(await codeOf('RFD-1', '10000')).toBe(201);
      expect(await codeOf('RFD-2', '5001')).toBe(409);
      double.settleRefund('RFD-1', 'reject');
      expect(await codeOf('RFD-2', '15000')).toBe(201);
      expect(double.counts()).toMatchObject({ refunds: 1, refundedByReference: {} });
    });

    it('when it is told to, if they are held, and takes it back if the transfer returns', async () => {
      double.holdRefunds();
      const id = await paid();
      expect(await (await refund(id)).json()).toMatchObject({ status: 'PENDING' });
      const shown = async () => (await get(id)) as PaymentJson & { refunds: { status: string }[] };
      for (const [decision, status, amount] of [
        ['book', 'BOOKED', '5000'],
        ['reject', 'REJECTED', '0'],
        ['book', 'REJECTED', '0'],
      ] as const) {
        double.settleRefund('RFD-1', decision);
        expect(await shown()).toMatchObject({ refunded_amount: amount, refunds: [{ status }] });
      }
      double.holdRefunds(false);
      expect(await (await refund(id, { reference: 'RFD-2' })).json()).toMatchObject({ status: 'BOOKED' });
    });

    it('when its own staff does it, all that is left unless told', async () => {
      const id = await paid();
      double.refundAtBank('TXN-1-1', 4_000);
      const { id: second } = double.refundAtBank(id);
      expect(await get(id)).toMatchObject({
        refunded_amount: '15000',
        refunds: [
          { reference: null, amount: '4000' },
          { id: second, reference: null, amount: '11000' },
        ],
      });
      expect(() => double.refundAtBank(id)).toThrow('bad_amount');
      expect(() => double.refundAtBank(id, 1)).toThrow('more_than_was_paid');
    });

    it('and tells when it is booked or rejected, with the reference if there is one', async () => {
      double.holdRefunds();
      const id = await paid();
      const { id: refundId } = (await (await refund(id)).json()) as { id: string };
      double.settleRefund(refundId, 'book');
      double.settleRefund(refundId, 'reject');
      double.deliverAgain(refundId);
      double.holdRefunds(false);
      double.refundAtBank(id, 1_000);
      await double.settled();
      const told = receiver.received.map(({ rawBody }) => JSON.parse(rawBody.toString()) as { id: string });
      expect(told).toMatchObject([
        { type: 'transfer.credited' },
        {
          type: 'refund.booked',
          data: {
            payment_id: id,
            reference: 'TXN-1-1',
            refund_id: refundId,
            refund_reference: 'RFD-1',
            amount: '5000',
            currency: 'XOF',
            status: 'BOOKED',
          },
        },
        { type: 'refund.rejected', data: { refund_reference: 'RFD-1', status: 'REJECTED' } },
        { type: 'refund.rejected', id: told[2]?.id },
        { type: 'refund.booked', data: { amount: '1000' } },
      ]);
      expect(told[4]).not.toHaveProperty('data.refund_reference');
    });
  });

  describe('lists payments', () => {
    const MINUTE = 60_000;
    const START = new Date('2026-11-01T10:00:00Z');

    const list = async (query: Record<string, string>) => {
      const answer = await ask(`payments?${new URLSearchParams(query).toString()}`);
      return { status: answer.status, json: (await answer.json()) as ListJson };
    };

    interface ListJson {
      payments: PaymentJson[];
      next_cursor: string | null;
    }

    it('of a time, in the order in which they were created, page by page', async () => {
      let now = START;
      await restart({ now: () => now, paymentsPerPage: 2 });
      for (let minute = 0; minute < 6; minute += 1) {
        now = new Date(START.getTime() + minute * MINUTE);
        await create({ reference: `TXN-${minute}-1` });
      }
      const time = {
        since: new Date(START.getTime() + MINUTE).toISOString(),
        until: new Date(START.getTime() + 4 * MINUTE).toISOString(),
      };
      const first = await list(time);
      expect(first.json.payments.map(({ reference }) => reference)).toEqual(['TXN-1-1', 'TXN-2-1']);
      const second = await list({ ...time, cursor: String(first.json.next_cursor) });
      expect(second.json).toMatchObject({ payments: [{ reference: 'TXN-3-1' }], next_cursor: null });
    });

    it.each([
      [{ since: 'yesterday', until: '2026-11-01T10:00:00Z' }, 'bad_since'],
      [{ since: '2026-11-01T10:00:00Z' }, 'bad_until'],
      [{ since: '2026-11-01T10:00:00Z', until: '2026-11-01T10:00:00Z', cursor: 'x' }, 'bad_cursor'],
    ])('never of %j', async (query, code) => {
      expect(await list(query)).toMatchObject({ status: 422, json: { error: { code } } });
    });
  });

  describe('writes otherwise than its contract says when it is told to', () => {
    it('amounts, words and ids, the same in its notifications and in its API', async () => {
      double.write({ amount: 'POINTS_AND_DECIMAL_COMMA', smallLetters: true, ids: 'NUMBERS' });
      const { id } = await create();
      double.pay(id);
      await double.settled();
      const told = receiver.received[0]!.rawBody.toString();
      const said = (await get(id)) as unknown as Record<string, unknown>;
      expect(said).toMatchObject({ amount: '15.000,00', currency: 'xof ', status: 'booked ' });
      expect(said['transfer_id']).toMatch(/^\d{19}$/);
      expect(told).toContain(`"transfer_id":${String(said['transfer_id'])},`);
      expect(told).toContain('"type":"transfer.credited "');
      expect(told).toMatch(/^\{"id":\d{19},/);
    });
  });

  describe('misbehaves when it is told to', () => {
    const COUNT = 40;

    const payMany = async () => {
      for (let number = 0; number < COUNT; number += 1) {
        double.pay((await create({ reference: `TXN-${number}-1` })).id);
      }
      await double.settled();
      return receiver.received.map(({ rawBody }) => {
        const { data } = JSON.parse(rawBody.toString()) as { data: { reference: string } };
        return data.reference;
      });
    };

    it('and loses a share of its notifications for good', async () => {
      double.misbehave({ drop: 0.5, seed: 7 });
      const told = await payMany();
      expect(told.length).toBeGreaterThan(COUNT / 4);
      expect(told.length).toBeLessThan((COUNT * 3) / 4);
      expect(new Set(told).size).toBe(told.length);
    });

    it('and sends a share of them twice, with the same id', async () => {
      double.misbehave({ duplicate: 0.5, seed: 7 });
      const told = await payMany();
      expect(new Set(told).size).toBe(COUNT);
      expect(told.length).toBeGreaterThan(COUNT * 1.25);
      expect(told.length).toBeLessThan(COUNT * 1.75);
      expect(new Set(receiver.received.map(({ headers }) => headers['x-bank-event-id'])).size).toBe(COUNT);
    });

    it('in the same way again with the same seed', async () => {
      const lost: string[][] = [];
      for (const seed of [3, 3, 4]) {
        double.misbehave({ drop: 0.3, duplicate: 0.3, seed });
        const before = receiver.received.length;
        lost.push((await payMany()).slice(before).sort());
        await restart({});
      }
      expect(lost[1]).toEqual(lost[0]);
      expect(lost[2]).not.toEqual(lost[0]);
    });

    it('and mixes up the order of those about one payment, none lost', async () => {
      double.misbehave({ reorder: true, delayMilliseconds: 100, seed: 1 });
      double.pay((await create()).id);
      for (let times = 0; times < 10; times += 1) double.refundAtBank('TXN-1-1', 100 + times);
      await double.settled();
      const amounts = receiver.received
        .map(({ rawBody }) => JSON.parse(rawBody.toString()) as { type: string; data: { amount: string } })
        .filter(({ type }) => type === 'refund.booked')
        .map(({ data }) => data.amount);
      expect(amounts).not.toEqual(amounts.toSorted());
      expect(amounts.toSorted()).toEqual(Array.from({ length: 10 }, (_, times) => String(100 + times)));
    });

    it('but keeps their order when it is only slow', async () => {
      double.misbehave({ delayMilliseconds: 20 });
      double.pay((await create()).id);
      for (let times = 0; times < 5; times += 1) double.refundAtBank('TXN-1-1', 100 + times);
      await double.settled();
      const amounts = receiver.received
        .slice(1)
        .map(({ rawBody }) => (JSON.parse(rawBody.toString()) as { data: { amount: string } }).data.amount);
      expect(amounts).toEqual(['100', '101', '102', '103', '104']);
    });

    it('until it is told to stop', async () => {
      double.misbehave({ drop: 1 });
      double.pay((await create()).id);
      await double.settled();
      expect(receiver.received).toHaveLength(0);
      double.misbehave({});
      double.refundAtBank('TXN-1-1');
      await double.settled();
      expect(receiver.received).toHaveLength(1);
    });

    it.each([{ drop: 1.5 }, { duplicate: -1 }, { delayMilliseconds: NaN }])(
      'but not with %j',
      (misbehaviour) => {
        expect(() => double.misbehave(misbehaviour)).toThrow(RangeError);
      },
    );

    it('and lets a share of its requests go wrong by chance, before or after doing the work', async () => {
      const asked = async (seed: number) => {
        double.faultsByChance({ share: 0.5, seed });
        const answers: string[] = [];
        for (let number = 0; number < 60; number += 1) {
          const answer = await post({ reference: `TXN-${seed}-${number}` }).catch(() => undefined);
          answers.push(String(answer?.status));
          await answer?.text();
        }
        return answers;
      };
      const first = await asked(1);
      const { payments } = double.counts();
      const good = first.filter((status) => status === '201').length;
      expect(new Set(first)).toEqual(new Set(['201', '502', '429', 'undefined']));
      expect(good).toBeGreaterThan(15);
      expect(good).toBeLessThan(45);
      expect(payments).toBeGreaterThan(good);
      expect(payments).toBeLessThan(60);
      await restart({});
      expect(await asked(1)).toEqual(first);
      double.faultsByChance({ share: 0 });
      expect((await post({ reference: 'TXN-AFTERWARDS' })).status).toBe(201);
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
        requests: {
          createPayment: 1,
          getPayment: 0,
          findPayments: 0,
          listPayments: 0,
          cancelPayment: 0,
          createRefund: 0,
        },
        payments: 1,
        charges: 1,
        chargesByReference: { 'TXN-1-1': 1 },
        refunds: 0,
        refundedByReference: {},
        webhooks: { sent: 3, delivered: 3, givenUp: 0 },
      });
    });

    it('over HTTP in all that concerns refunds', async () => {
      const { id } = await create();
      await control(`payments/${id}/pay`);
      expect((await control(`payments/${id}/refund`, { amount: 4_000 })).status).toBe(200);
      expect((await control(`payments/${id}/refund`, { amount: 11_001 })).status).toBe(409);
      await control('refunds/hold');
      expect((await control(`payments/${id}/refund`)).status).toBe(200);
      await control('refunds/release');
      const { refunds } = (await get(id)) as PaymentJson & { refunds: { id: string; status: string }[] };
      expect(refunds.map(({ status }) => status)).toEqual(['BOOKED', 'PENDING']);
      expect((await control(`refunds/${refunds[1]?.id}/book`)).status).toBe(200);
      expect((await control('refunds/brfd_none/book')).status).toBe(404);
      expect(double.counts().refundedByReference).toEqual({ 'TXN-1-1': 15_000 });
    });

    it('to write otherwise over HTTP, and only in a hand that there is', async () => {
      expect((await control('writing', { eventIdOfPayment: true, ids: 'LONG' })).status).toBe(200);
      expect((await control('writing', { amount: 'ROMAN' })).status).toBe(422);
      const { id } = await create();
      double.pay(id);
      await double.settled();
      const { id: eventId, data } = JSON.parse(receiver.received[0]!.rawBody.toString()) as {
        id: string;
        data: { transfer_id: string };
      };
      expect(eventId).toBe(id);
      expect(data.transfer_id).toHaveLength(300);
    });

    it('to misbehave over HTTP, and only so that it makes sense', async () => {
      expect((await control('webhooks/misbehave', { drop: 1 })).status).toBe(200);
      expect((await control('webhooks/misbehave', { drop: 2 })).status).toBe(422);
      expect((await control('faults-by-chance', {})).status).toBe(422);
      expect((await control('faults-by-chance', { share: 0, seed: 1 })).status).toBe(200);
      double.pay((await create()).id);
      await double.settled();
      expect(receiver.received).toHaveLength(0);
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
