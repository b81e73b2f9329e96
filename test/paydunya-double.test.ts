import { createHash } from 'node:crypto';
import type { NotificationShape } from '../src/sandbox/paydunya/dialect.js';
import { OPERATORS } from '../src/sandbox/paydunya/operators.js';
import {
  type PayDunyaDouble,
  type PayDunyaDoubleOptions,
  startPayDunyaDouble,
} from '../src/sandbox/paydunya/paydunya-double.js';
import { eventually } from './support/eventually.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const KEYS = { masterKey: 'test-master-key', privateKey: 'test_private_1', token: 'token_1' };

/** SHA-512 of that master key, as published in providers.md C.4. */
const HASH =
  '1f242d13fca84cf537ff47cd47971de7ad6d4dd244340c5d53815cef06464f0a111ec5dfc692ec7eb68d4265f55af149a3776969c3a1faba695b6b1c36358ede';

const HEADERS = {
  'PAYDUNYA-MASTER-KEY': KEYS.masterKey,
  'PAYDUNYA-PRIVATE-KEY': KEYS.privateKey,
  'PAYDUNYA-TOKEN': KEYS.token,
  'Content-Type': 'application/json',
};

const DAY_MILLISECONDS = 24 * 3_600_000;

type Json = Record<string, any>;

describe('the double of PayDunya', () => {
  let receiver: WebhookReceiver;
  let double: PayDunyaDouble;

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    double = await start();
  });

  afterEach(async () => {
    await double.stop();
    await receiver.stop();
  });

  const start = (options: Partial<PayDunyaDoubleOptions> = {}) =>
    startPayDunyaDouble({
      ...KEYS,
      webhookUrl: () => receiver.url.href,
      firstRetryMilliseconds: 5,
      ...options,
    });

  const restart = async (options: Partial<PayDunyaDoubleOptions>) => {
    await double.stop();
    double = await start(options);
  };

  const ask = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    fetch(`${double.url.href}/${path}`, { ...init, headers: { ...HEADERS, ...init.headers } });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(path, { method: 'POST', body: JSON.stringify(body), headers });

  const postForJson = async (path: string, body: unknown) => (await (await post(path, body)).json()) as Json;

  const create = async (order: Json = {}) => postForJson('checkout-invoice/create', orderOf(order));

  const createToken = async (order: Json = {}) => (await create(order)).token as string;

  const confirm = async (token: string) =>
    (await (await ask(`checkout-invoice/confirm/${token}`)).json()) as Json;

  const told = async () => {
    await double.settled();
    return receiver.received.map(({ rawBody }) => new URLSearchParams(rawBody.toString()));
  };

  describe('makes invoices', () => {
    it('and answers with a token and a page to pay on', async () => {
      const answer = await post('checkout-invoice/create', orderOf());
      expect(answer.status).toBe(200);
      const json = (await answer.json()) as Json;
      expect(json).toEqual({
        response_code: '00',
        response_text: `${double.pageUrl.href}sandbox-checkout/invoice/${json.token}`,
        description: 'Checkout Invoice Created',
        token: expect.stringMatching(/^test_[0-9a-f]{20}$/),
      });
      expect(await confirm(json.token)).toEqual({
        response_code: '00',
        response_text: 'Transaction Found',
        hash: HASH,
        invoice: {
          token: json.token,
          total_amount: 15_000,
          description: 'Commande 1042',
          items: {},
          taxes: {},
        },
        custom_data: { attempt: 'TXN-1-1' },
        actions: { return_url: 'https://shop.example/done', cancel_url: 'https://shop.example/left' },
        mode: 'test',
        status: 'pending',
      });
    });

    it('anew at each request, even for the same attempt: there is no idempotency', async () => {
      const [first, second] = [await createToken(), await createToken()];
      expect(second).not.toBe(first);
      expect(double.counts()).toMatchObject({
        invoices: 2,
        invoicesByAttempt: { 'TXN-1-1': 2 },
        requests: { createInvoice: 2 },
      });
    });

    it('elsewhere and with other tokens in live mode', async () => {
      await restart({ mode: 'live' });
      expect(double.url.href).toBe(`${double.pageUrl.href}api/v1`);
      const { token, response_text } = await create();
      expect(token).toMatch(/^[0-9a-f]{20}$/);
      expect(response_text).toBe(`${double.pageUrl.href}checkout/invoice/${token}`);
      expect((await confirm(token)).mode).toBe('live');
    });

    it('with whatever the merchant put into it', async () => {
      const items = {
        item_0: {
          name: 'Abonnement',
          quantity: 1,
          unit_price: '15000',
          total_price: '15000',
          description: '',
        },
      };
      const token = await createToken({
        invoice: { items, taxes: { tax_0: { name: 'TVA', amount: 0 } }, channels: ['card'] },
        custom_data: { attempt: 'TXN-7-1', nested: { deep: [1] } },
      });
      expect(await confirm(token)).toMatchObject({
        invoice: { items, taxes: { tax_0: { name: 'TVA', amount: 0 } } },
        custom_data: { attempt: 'TXN-7-1', nested: { deep: [1] } },
      });
    });

    it.each([
      [{ invoice: { total_amount: 0 } }],
      [{ invoice: { total_amount: '15000' } }],
      [{ invoice: { total_amount: 150.5 } }],
      [{ invoice: { items: { first: { name: 'A' } } } }],
      [{ invoice: { items: { item_0: {} } } }],
      [{ invoice: { channels: 'card' } }],
      [{ store: {} }],
      [{ store: { name: ' ' } }],
      [{ actions: { callback_url: 'javascript:alert(1)' } }],
      [{ custom_data: 'TXN-1-1' }],
      [{ invoice: { total_amount: 4001 } }],
    ])('never with %j, and says so with HTTP 200', async (order) => {
      const answer = await post('checkout-invoice/create', orderOf(order));
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        response_code: '4002',
        response_text: expect.any(String),
      });
      expect(double.counts().invoices).toBe(0);
    });

    it.each(['PAYDUNYA-MASTER-KEY', 'PAYDUNYA-PRIVATE-KEY', 'PAYDUNYA-TOKEN'])(
      'only for whoever knows the %s, and says otherwise with HTTP 200',
      async (header) => {
        const lines: string[] = [];
        await restart({ log: (line) => lines.push(line) });
        const answer = await post('checkout-invoice/create', orderOf(), { [header]: 'wrong' });
        expect(answer.status).toBe(200);
        expect(await answer.json()).toEqual({
          response_code: '1001',
          response_text: 'Invalid Masterkey Specified',
        });
        expect(double.counts().invoices).toBe(0);
        expect(lines).toEqual([`paydunya: the header ${header.toLowerCase()} is missing or wrong`]);
      },
    );

    it('from JSON alone', async () => {
      const asForm = await post('checkout-invoice/create', orderOf(), { 'Content-Type': 'text/plain' });
      expect(await asForm.json()).toMatchObject({ response_code: '4002' });
      const broken = await ask('checkout-invoice/create', { method: 'POST', body: '{' });
      expect(await broken.json()).toMatchObject({ response_code: '4002' });
    });

    it('and knows no other token', async () => {
      expect(await confirm('test_none')).toEqual({
        response_code: '4002',
        response_text: 'Invoice Not Found',
      });
    });

    it('that turn cancelled when nobody pays them for 24 hours, and tells', async () => {
      const token = await createToken();
      double.playTimeForward(DAY_MILLISECONDS - 60_000);
      expect((await confirm(token)).status).toBe('pending');
      double.playTimeForward(60_000);
      expect((await confirm(token)).status).toBe('cancelled');
      double.pay(token);
      expect((await confirm(token)).status).toBe('cancelled');
      expect((await told()).map((form) => form.get('data[status]'))).toEqual(['cancelled']);
    });

    it('and forgets the oldest beyond the number it may keep', async () => {
      await restart({ maximumInvoices: 1 });
      const token = await createToken();
      await createToken();
      expect((await confirm(token)).response_code).toBe('4002');
      expect(double.counts()).toMatchObject({ invoices: 2, invoicesByAttempt: { 'TXN-1-1': 1 } });
    });
  });

  describe('moves money', () => {
    it('once, however often the payer pays', async () => {
      const token = await createToken();
      double.pay(token);
      double.pay('TXN-1-1');
      double.payLate(token);
      double.cancel(token);
      const paid = await confirm(token);
      expect(paid).toMatchObject({
        status: 'completed',
        invoice: { total_amount: 15_000 },
        customer: { name: 'Awa Diop', phone: '771111111', email: 'awa.diop@example.test' },
        receipt_url: `${double.pageUrl.href}sandbox-checkout/receipt/pdf/${token}.pdf`,
        receipt_identifier: expect.any(String),
        provider_reference: expect.any(String),
      });
      expect(double.invoice('TXN-1-1')).toEqual(paid);
      expect(double.counts()).toMatchObject({
        completed: 1,
        completedByAttempt: { 'TXN-1-1': 1 },
        taken: 15_000,
      });
      expect(await told()).toHaveLength(1);
    });

    it('twice when both of two invoices for one attempt are paid: that is for the merchant to prevent', async () => {
      for (const token of [await createToken(), await createToken()]) double.pay(token);
      expect(double.counts()).toMatchObject({
        completed: 2,
        completedByAttempt: { 'TXN-1-1': 2 },
        taken: 30_000,
      });
    });

    it.each(['fail', 'cancel'] as const)('not after %s, unless it is told to be late', async (end) => {
      const token = await createToken();
      double[end](token);
      double.pay(token);
      expect(double.counts().completed).toBe(0);
      double.payLate(token);
      expect((await confirm(token)).status).toBe('completed');
    });

    it('and gives a receipt for it, and for nothing else', async () => {
      const token = await createToken({ invoice: { description: 'Café (1) \\' } });
      const receipt = () => fetch(`${double.pageUrl.href}sandbox-checkout/receipt/pdf/${token}.pdf`);
      expect((await receipt()).status).toBe(404);
      double.pay(token);
      const answer = await receipt();
      expect(answer.headers.get('content-type')).toBe('application/pdf');
      const pdf = await answer.text();
      expect(pdf).toMatch(/^%PDF-1\.4\n[^]*\(15000 FCFA\)[^]*%%EOF\n$/);
      expect(pdf).toContain('(Caf? \\(1\\) \\\\)');
      expect(pdf.slice(Number(/startxref\n(\d+)/.exec(pdf)?.[1]))).toMatch(/^xref\n0 6\n/);
    });

    it('for another total where the payer bears the fees, or pays something else', async () => {
      double.payerBearsFees(0.015);
      const token = await createToken({ invoice: { total_amount: 1_010 } });
      expect((await confirm(token)).invoice.total_amount).toBe(1_010);
      double.pay(token);
      expect((await confirm(token)).invoice.total_amount).toBe(1_026);
      double.payerBearsFees(0);
      const other = await createToken();
      double.pay(other, { amount: 14_999 });
      expect((await confirm(other)).invoice.total_amount).toBe(14_999);
      expect(double.counts().taken).toBe(1_026 + 14_999);
      expect(() => double.payerBearsFees(2)).toThrow(RangeError);
    });

    it('or fails, with the reason if it was a card', async () => {
      const token = await createToken();
      double.fail(token);
      expect(await confirm(token)).toMatchObject({
        response_code: '00',
        status: 'failed',
        fail_reason: 'Declined by the customer',
        errors: { message: 'Declined by the customer', description: expect.any(String) },
      });
    });
  });

  describe('notifies', () => {
    it('with a PHP-style form and a hash that is the same each time', async () => {
      const token = await createToken({
        invoice: { items: { item_0: { name: "L'été (1)", quantity: 2, description: '' } }, taxes: {} },
      });
      double.pay(token);
      const [form] = await told();
      const [webhook] = receiver.received;
      expect(webhook?.headers['content-type']).toBe('application/x-www-form-urlencoded');
      const body = webhook!.rawBody.toString();
      expect(body).toMatch(
        /^data%5Bresponse_code%5D=00&data%5Bresponse_text%5D=Transaction\+Found&data%5Bhash%5D=1f242d13/,
      );
      expect(body).toContain('L%27%C3%A9t%C3%A9+%281%29');
      expect(Object.fromEntries(form!)).toEqual({
        'data[response_code]': '00',
        'data[response_text]': 'Transaction Found',
        'data[hash]': HASH,
        'data[invoice][token]': token,
        'data[invoice][total_amount]': '15000',
        'data[invoice][description]': 'Commande 1042',
        'data[invoice][items][item_0][name]': "L'été (1)",
        'data[invoice][items][item_0][quantity]': '2',
        'data[invoice][items][item_0][description]': '',
        'data[custom_data][attempt]': 'TXN-1-1',
        'data[actions][cancel_url]': 'https://shop.example/left',
        'data[actions][return_url]': 'https://shop.example/done',
        'data[mode]': 'test',
        'data[status]': 'completed',
        'data[customer][name]': 'Awa Diop',
        'data[customer][phone]': '771111111',
        'data[customer][email]': 'awa.diop@example.test',
        'data[receipt_url]': `${double.pageUrl.href}sandbox-checkout/receipt/pdf/${token}.pdf`,
        'data[receipt_identifier]': expect.any(String),
        'data[provider_reference]': expect.any(String),
      });
      expect(createHash('sha512').update(KEYS.masterKey).digest('hex')).toBe(HASH);
    });

    it('of completed, failed and cancelled alike', async () => {
      double.pay(await createToken());
      double.fail(await createToken());
      double.cancel(await createToken());
      const forms = await told();
      expect(forms.map((form) => form.get('data[status]')).sort()).toEqual([
        'cancelled',
        'completed',
        'failed',
      ]);
      expect(new Set(forms.map((form) => form.get('data[hash]')))).toEqual(new Set([HASH]));
    });

    it('in the other shapes that people report', async () => {
      const token = await createToken();
      const bodyIn = async (notification: NotificationShape) => {
        double.speak({ notification });
        double.forge(token);
        await double.settled();
        const { rawBody, headers } = receiver.received.at(-1)!;
        return [headers['content-type'], rawBody.toString()] as const;
      };
      const FORM = 'application/x-www-form-urlencoded';
      const bare = await bodyIn('FORM_WITH_BARE_BRACKETS');
      expect(bare).toEqual([FORM, expect.stringContaining(`&data[invoice][token]=${token}&`)]);
      expect(bare[1]).toContain('Commande+1042');
      const withJson = await bodyIn('FORM_WITH_JSON');
      expect(withJson[0]).toBe(FORM);
      expect(JSON.parse(new URLSearchParams(withJson[1]).get('data')!)).toMatchObject({
        hash: HASH,
        invoice: { token },
      });
      const onTop = await bodyIn('FORM_WITH_TOKEN_AT_THE_TOP');
      expect(onTop).toEqual([FORM, expect.stringMatching(new RegExp(`^data%5Btoken%5D=${token}&`))]);
      const json = await bodyIn('JSON');
      expect(json[0]).toBe('application/json');
      expect(JSON.parse(json[1])).toMatchObject({ data: { hash: HASH, invoice: { token } } });
      expect(JSON.parse((await bodyIn('JSON_WITHOUT_DATA'))[1])).toMatchObject({
        hash: HASH,
        invoice: { token },
      });
    });

    it('at the address that the invoice brought, if it did, and nobody if there is none at all', async () => {
      const other = await startWebhookReceiver();
      double.pay(await createToken({ actions: { callback_url: other.url.href } }));
      await double.settled();
      expect([other.received.length, receiver.received.length]).toEqual([1, 0]);
      await other.stop();
      await double.stop();
      double = await startPayDunyaDouble(KEYS);
      double.pay(await createToken());
      await double.settled();
      expect(double.counts().webhooks.sent).toBe(0);
    });

    it('again until it is answered with 2xx, and again when it is told to, byte for byte', async () => {
      receiver.answerNext(503, 500);
      const token = await createToken();
      double.pay(token);
      await double.settled();
      double.deliverAgain(token);
      await told();
      expect(receiver.received).toHaveLength(4);
      expect(new Set(receiver.received.map(({ rawBody }) => rawBody.toString())).size).toBe(1);
      expect(double.counts().webhooks).toEqual({ sent: 4, delivered: 2, givenUp: 0 });
    });

    it('nobody while it is paused, and then what was held back', async () => {
      double.pauseWebhooks();
      double.pay(await createToken());
      expect(await told()).toHaveLength(0);
      double.resumeWebhooks();
      expect(await told()).toHaveLength(1);
    });

    it('lies with the right hash when it is told to, and asking shows that it is a lie', async () => {
      const token = await createToken();
      double.forge(token, { amount: 99 });
      const [form] = await told();
      expect(Object.fromEntries(form!)).toMatchObject({
        'data[hash]': HASH,
        'data[status]': 'completed',
        'data[invoice][token]': token,
        'data[invoice][total_amount]': '99',
        'data[receipt_url]': expect.any(String),
      });
      expect((await confirm(token)).status).toBe('pending');
      expect(double.counts()).toMatchObject({ completed: 0, taken: 0 });
    });

    it('with a wrong hash or none when it is told to', async () => {
      const token = await createToken();
      double.forge(token, { hash: 'WRONG', status: 'failed' });
      double.forge(token, { hash: 'MISSING' });
      const [wrong, missing] = await told();
      expect([wrong?.get('data[hash]'), wrong?.get('data[status]')]).toEqual(['0'.repeat(128), 'failed']);
      expect(missing?.has('data[hash]')).toBe(false);
    });
  });

  describe('speaks as documented, or as told:', () => {
    it('amounts as texts', async () => {
      await restart({ dialect: { amounts: 'TEXT' } });
      expect((await confirm(await createToken())).invoice.total_amount).toBe('15000');
    });

    it('the spelling of its own README', async () => {
      double.speak({ spelling: 'README' });
      const [cancelled, failed] = [await createToken(), await createToken()];
      double.cancel(cancelled);
      double.fail(failed);
      expect((await confirm(cancelled)).status).toBe('canceled');
      expect((await confirm(failed)).status).toBe('fail');
      double.speak({});
      expect((await confirm(failed)).status).toBe('failed');
    });

    it.each([{ amounts: 'WORDS' }, { tone: 'FRIENDLY' }])('but not %j', (dialect: any) => {
      expect(() => double.speak(dialect)).toThrow(RangeError);
    });
  });

  describe('shows the payer a page', () => {
    it('with the ways to pay, that escapes what others wrote', async () => {
      const { response_text } = await create({
        invoice: { description: '<script>alert(1)</script>' },
        store: { name: 'Ma <Boutique>' },
      });
      const html = await (await fetch(response_text)).text();
      expect(html).toContain('Sandbox – no real money');
      expect(html).toContain('Ma &lt;Boutique&gt;');
      expect(html).toMatch(/15.000.F.CFA/u);
      expect(html).not.toContain('<script>');
      expect(html).toContain('<option value="card">Card</option>');
      expect(html).toContain('<option value="orange-money-senegal">');
      expect(html.match(/<option/g)).toHaveLength(OPERATORS.length + 1);
      expect(html.match(/<button/g)).toHaveLength(3);
    });

    it('with those alone that the invoice asks for and the merchant has', async () => {
      double.withdrawOperator('new-orange-money-senegal');
      const { response_text } = await create({
        invoice: { channels: ['wave-senegal', 'orange-money-senegal', 'something-new'] },
      });
      const html = await (await fetch(response_text)).text();
      expect([...html.matchAll(/<option value="([^"]+)"/g)].map(([, channel]) => channel)).toEqual([
        'wave-senegal',
        'something-new',
      ]);
    });

    it.each([
      ['pay', 'completed', 'https://shop.example/done?cart=7&token='],
      ['fail', 'failed', 'https://shop.example/done?cart=7&token='],
      ['cancel', 'cancelled', 'https://shop.example/left?token='],
    ])('whose button "%s" leaves the invoice %s and goes back to the shop', async (action, status, back) => {
      const { response_text, token } = await create({
        actions: { return_url: 'https://shop.example/done?cart=7' },
      });
      const body = new URLSearchParams({ action, channel: 'wave-senegal' });
      const answer = await fetch(response_text, { method: 'POST', body, redirect: 'manual' });
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toBe(`${back}${token}`);
      expect(await confirm(token)).toMatchObject({ status });
      expect(await confirm(token)).not.toHaveProperty('fail_reason');
      const html = await (await fetch(response_text)).text();
      expect(html).toContain(`<strong>${status}</strong>`);
      expect(html).toContain('Back to the shop');
    });

    it('that stays where it is when the shop has no address', async () => {
      const { response_text } = await create({ actions: null });
      const body = new URLSearchParams({ action: 'pay' });
      const answer = await fetch(response_text, { method: 'POST', body });
      expect(answer.url).toBe(response_text);
      expect(await answer.text()).not.toContain('Back to the shop');
    });

    it('and another that says what it is, and what goes wrong for which amount', async () => {
      await restart({ displayName: 'Pay <Dunya>' });
      const html = await (await fetch(double.pageUrl)).text();
      expect(html).toContain('A double of Pay &lt;Dunya&gt;');
      expect(html).toContain('771111111');
      expect(html).toContain('5002');
      expect((await fetch(new URL('/nowhere', double.pageUrl))).status).toBe(404);
    });
  });

  describe('lets payers pay without its page', () => {
    const softpay = async (path: string, token: string, changes: Json = {}) =>
      postForJson(`softpay/${path}`, { ...softpayBody(path, token), ...changes });

    it.each(OPERATORS.map(({ path }) => path))(
      'by %s, with exactly the names of its fields',
      async (path) => {
        const token = await createToken();
        const body = softpayBody(path, token);
        for (const name of Object.keys(body)) {
          const { [name]: value, ...others } = body;
          const wrong = await postForJson(`softpay/${path}`, { ...others, [`${name}_`]: value });
          expect(wrong).toEqual({
            success: false,
            message: expect.any(String),
            errors: { message: expect.any(String), description: expect.any(String) },
          });
        }
        expect(double.prompts()).toEqual([]);
        const answer = softpay(path, token);
        // This one is answered only when its payer has decided.
        if (path === 'moov-ci') await eventually(() => double.approve(token));
        expect(await answer).toMatchObject({ success: true, message: expect.any(String) });
      },
    );

    it('after they approve on their phone', async () => {
      const token = await createToken();
      expect(await softpay('mtn-benin', token)).toEqual({ success: true, message: expect.any(String) });
      expect((await confirm(token)).status).toBe('pending');
      expect(double.prompts()).toEqual([
        { id: expect.any(String), token, channel: 'mtn-benin', phone: '0197000001' },
      ]);
      double.approve(token);
      expect(await confirm(token)).toMatchObject({
        status: 'completed',
        customer: { name: 'Ada B', phone: '0197000001', email: 'ada@example.test' },
      });
      expect(double.prompts()).toEqual([]);
      expect((await told()).map((form) => form.get('data[status]'))).toEqual(['completed']);
    });

    it('or not, if they decline', async () => {
      const token = await createToken();
      await softpay('t-money-togo', token);
      double.decline(token);
      const declined = await confirm(token);
      expect(declined.status).toBe('failed');
      expect(declined).not.toHaveProperty('fail_reason');
      expect(() => double.approve(token)).toThrow('no_prompt_about');
    });

    it('on the page that is the phone', async () => {
      const [one, two] = [await createToken(), await createToken({ store: { name: '<b>' } })];
      await softpay('mtn-benin', one);
      await softpay('mtn-benin', two);
      const phone = new URL('/phone', double.pageUrl);
      const html = await (await fetch(phone)).text();
      const addresses = [...html.matchAll(/action="(\/phone\/[^"]+)"/g)].map(([, address]) => address);
      expect(addresses).toHaveLength(2);
      expect(html).toContain('0197000001, MTN Benin');
      expect(html).not.toContain('<b>');
      const press = (address: string | undefined, decision: string) =>
        fetch(new URL(address!, double.pageUrl), {
          method: 'POST',
          body: new URLSearchParams({ decision }),
        });
      await press(addresses[0], 'approve');
      expect(await (await press(addresses[1], 'decline')).text()).toContain('Nothing is waiting.');
      expect([(await confirm(one)).status, (await confirm(two)).status]).toEqual(['completed', 'failed']);
      expect((await press(addresses[0], 'decline')).status).toBe(404);
    });

    it.each(['wave-senegal', 'wave-ci', 'djamo', 'new-orange-money-senegal'])(
      'on a page of the operator, for %s',
      async (path) => {
        const token = await createToken();
        const { url, other_url } = await softpay(path, token);
        if (path.startsWith('new-orange')) expect(other_url).toEqual({ om_url: url, maxit_url: url });
        expect(await (await fetch(url)).text()).toContain('Approve');
        const answer = await fetch(url, {
          method: 'POST',
          body: new URLSearchParams({ decision: 'approve' }),
          redirect: 'manual',
        });
        expect(answer.headers.get('location')).toBe(`https://shop.example/done?token=${token}`);
        expect((await confirm(token)).status).toBe('completed');
        expect((await fetch(url)).status).toBe(404);
      },
    );

    it.each([
      ['orange-money-ci', 'orange_money_ci_otp'],
      ['orange-money-burkina', 'otp_code'],
    ])('at once with a code that they fetched, for %s', async (path, field) => {
      const token = await createToken();
      expect(await softpay(path, token, { [field]: '0000' })).toMatchObject({ success: false });
      expect((await confirm(token)).status).toBe('pending');
      expect(await softpay(path, token)).toMatchObject({ success: true });
      expect((await confirm(token)).status).toBe('completed');
    });

    it('with a code instead of the page, for Orange Money Senegal', async () => {
      const token = await createToken();
      const code = { api_type: 'OTPCODE', authorization_code: '123456' };
      const half = { authorization_code: '123456' };
      expect(await softpay('new-orange-money-senegal', token, half)).toMatchObject({ success: false });
      const answer = await softpay('new-orange-money-senegal', token, code);
      expect(answer).toEqual({ success: true, message: expect.any(String) });
      expect((await confirm(token)).status).toBe('completed');
    });

    it('in two steps for Wizall, with the code on their phone', async () => {
      const token = await createToken();
      const { data } = await softpay('wizall-money-senegal', token);
      const [prompt] = double.prompts();
      expect(() => double.approve(token)).toThrow('a_code_is_no_question');
      expect(await (await fetch(new URL('/phone', double.pageUrl))).text()).toContain(prompt!.code);
      const finish = (authorization_code: string, phone_number = '771111111') =>
        postForJson('softpay/wizall-money-senegal/confirm', {
          authorization_code,
          phone_number,
          transaction_id: data.TransactionID,
        });
      expect(await finish('1')).toMatchObject({ success: false });
      expect(await finish(prompt!.code!, '771111112')).toMatchObject({ success: false });
      expect((await confirm(token)).status).toBe('pending');
      expect(await finish(prompt!.code!)).toMatchObject({ success: true });
      expect((await confirm(token)).status).toBe('completed');
      expect(await finish(prompt!.code!)).toMatchObject({ success: false });
    });

    it('while PayDunya waits with its answer, for Moov Côte d’Ivoire', async () => {
      const [approved, declined] = [await createToken(), await createToken()];
      const answers = [softpay('moov-ci', approved), softpay('moov-ci', declined)];
      await eventually(() => expect(double.prompts()).toHaveLength(2));
      double.approve(approved);
      double.decline(declined);
      expect(await answers[0]).toMatchObject({ success: true });
      expect(await answers[1]).toMatchObject({ success: false });
      expect((await confirm(declined)).status).toBe('failed');
    });

    it('but not when its time is up: then the invoice waits for another way', async () => {
      await restart({ approvalWindowMilliseconds: 20 });
      const token = await createToken();
      expect(await softpay('moov-ci', token)).toMatchObject({ success: false });
      expect(double.prompts()).toEqual([]);
      expect((await confirm(token)).status).toBe('pending');
      await restart({});
      const other = await createToken();
      const answer = softpay('moov-ci', other);
      await eventually(() => expect(double.prompts()).toHaveLength(1));
      double.playTimeForward(30_000);
      expect(await answer).toMatchObject({ success: false });
      expect(() => double.approve(other)).toThrow('no_prompt_about');
    });

    it('with details of the transaction for Free Money', async () => {
      const token = await createToken();
      expect(await softpay('free-money-senegal', token)).toMatchObject({
        data: {
          status: 'PENDING',
          amount: 15_000,
          currency: 'XOF',
          customermsisdn: '771111111',
          transactionid: expect.any(String),
          externaltransactionid: token,
        },
      });
    });

    it('and says what the fees are if the payer bears them, and that Cameroon counts in XAF', async () => {
      expect(await softpay('mtn-cameroun', await createToken())).toMatchObject({ currency: 'XAF' });
      double.payerBearsFees(0.01);
      expect(await softpay('mtn-ci', await createToken())).toMatchObject({ fees: 150, currency: 'XOF' });
    });

    it.each([
      ['a number with the country’s code', 'mtn-benin', { mtn_benin_phone_number: '+2290197000001' }],
      ['a number of another length', 'mtn-ci', { mtn_ci_phone_number: '97000001' }],
      ['no e-mail address', 'mtn-ci', { mtn_ci_email: 'ada' }],
      ['another wallet provider', 'mtn-ci', { mtn_ci_wallet_provider: 'MTN' }],
      ['a country that it is not in', 'djamo', { code_country: 'bj' }],
      ['an unknown token', 'mtn-ci', { payment_token: 'test_none' }],
      ['a name that it does not know', 'mtn-ci', { phone: '0501000001' }],
      ['an operator that there is not', 'card', {}],
    ])('but not with %s', async (_, path, changes) => {
      expect(await softpay(path, await createToken(), changes)).toMatchObject({ success: false });
      expect(double.prompts()).toEqual([]);
    });

    it('but not an invoice that is over, nor with wrong keys', async () => {
      const token = await createToken();
      const wrong = await post('softpay/mtn-ci', softpayBody('mtn-ci', token), {
        'PAYDUNYA-TOKEN': 'wrong',
      });
      expect(await wrong.json()).toMatchObject({ success: false, message: 'Invalid Masterkey Specified' });
      double.pay(token);
      expect(await softpay('mtn-ci', token)).toMatchObject({
        success: false,
        message: 'The invoice is already completed',
      });
    });

    it('but not through an operator that was taken away, nor any where they are not simulated', async () => {
      double.withdrawOperator('mtn-ci');
      expect(await softpay('mtn-ci', await createToken())).toMatchObject({ success: false });
      double.withdrawOperator('mtn-ci', false);
      expect(await softpay('mtn-ci', await createToken())).toMatchObject({ success: true });
      expect(() => double.withdrawOperator('mtn')).toThrow('no_such_operator');
      await restart({ simulateOperators: false });
      expect(await softpay('mtn-ci', await createToken())).toMatchObject({ success: false });
    });

    it('one invoice once, though two phones ask', async () => {
      const token = await createToken();
      await softpay('mtn-ci', token);
      await softpay('wave-ci', token);
      const [, wave] = double.prompts();
      double.approve(token);
      expect(double.prompts()).toEqual([]);
      expect((await fetch(new URL(`/wallet/${wave!.id}`, double.pageUrl))).status).toBe(404);
      expect(double.counts().completed).toBe(1);
    });

    describe('as a fictitious customer of the sandbox,', () => {
      const makePayment = (token: string, changes: Json = {}) =>
        postForJson('softpay/checkout/make-payment', {
          phone_phone: '771111111',
          customer_email: 'awa.diop@example.test',
          password: 'paydunya',
          invoice_token: token,
          ...changes,
        });

      it('with the password of their account', async () => {
        const token = await createToken();
        expect(await makePayment(token, { password: 'other' })).toMatchObject({ success: false });
        expect(await makePayment(token, { phone_phone: '779999999' })).toMatchObject({ success: false });
        expect(await makePayment(token)).toEqual({ success: true, message: expect.any(String) });
        expect((await confirm(token)).status).toBe('completed');
        expect(await makePayment(token)).toMatchObject({ success: false });
      });

      it('as long as the balance lasts', async () => {
        const poor = { phone_phone: '772222222', customer_email: 'koffi.poor@example.test' };
        expect(await makePayment(await createToken(), poor)).toMatchObject({ success: false });
        const cheap = () => createToken({ invoice: { total_amount: 60 } });
        expect(await makePayment(await cheap(), poor)).toMatchObject({ success: true });
        expect(await makePayment(await cheap(), poor)).toMatchObject({ success: false });
      });

      it('whose number has another name if it is told so', async () => {
        double.speak({ sandboxPhoneField: 'phone_number' });
        const token = await createToken();
        expect(await makePayment(token)).toMatchObject({ success: false });
        const { phone_phone, ...others } = {
          phone_phone: '771111111',
          customer_email: 'awa.diop@example.test',
          password: 'paydunya',
          invoice_token: token,
        };
        expect(
          await postForJson('softpay/checkout/make-payment', { ...others, phone_number: phone_phone }),
        ).toMatchObject({ success: true });
      });

      it('and in live mode not at all', async () => {
        await restart({ mode: 'live' });
        const answer = await post('softpay/checkout/make-payment', {});
        expect(answer.status).toBe(404);
      });
    });
  });

  describe('does for certain amounts', () => {
    it.each([
      [5001, 502, 0],
      [5002, 502, 1],
      [5005, 429, 0],
      [5006, 500, 0],
      [5007, 200, 1],
    ])('something wrong: creating %d answers %d, and makes %d invoices', async (amount, status, made) => {
      const order = orderOf({ invoice: { total_amount: amount } });
      const answer = await post('checkout-invoice/create', order);
      expect(answer.status).toBe(status);
      if (status === 200) expect(await answer.text()).toMatch(/^<html>/);
      expect(double.counts().invoices).toBe(made);
      expect(await postForJson('checkout-invoice/create', order)).toMatchObject({ response_code: '00' });
    });

    it.each([
      [5003, 0],
      [5004, 1],
    ])('nothing at all: creating %d never answers, and makes %d invoices', async (amount, made) => {
      const signal = AbortSignal.timeout(100);
      const body = JSON.stringify(orderOf({ invoice: { total_amount: amount } }));
      await expect(ask('checkout-invoice/create', { method: 'POST', body, signal })).rejects.toThrow();
      expect(double.counts().invoices).toBe(made);
    });

    it('a reset of the connection, and the invoice was made', async () => {
      await expect(create({ invoice: { total_amount: 5008 } })).rejects.toThrow('fetch failed');
      expect(double.counts().invoices).toBe(1);
    });

    it.each([
      [4002, 'failed', 4002],
      [4003, 'cancelled', 4003],
      [6001, 'completed', 6122],
    ])('what it says: %d ends %s', async (amount, status, total) => {
      const token = await createToken({ invoice: { total_amount: amount } });
      double.pay(token);
      expect(await confirm(token)).toMatchObject({ status, invoice: { total_amount: total } });
    });

    it.each([
      [7001, []],
      [7002, ['completed', 'completed']],
      [7003, ['completed', 'failed']],
    ])('odd things with notifications: %d', async (amount, statuses) => {
      const token = await createToken({ invoice: { total_amount: amount } });
      if (amount === 7003) double.fail(token);
      else double.pay(token);
      expect((await told()).map((form) => form.get('data[status]'))).toEqual(statuses);
    });
  });

  describe('misbehaves when it is told to', () => {
    const COUNT = 40;

    const payMany = async () => {
      for (let number = 0; number < COUNT; number += 1) double.pay(await createToken());
      return (await told()).map((form) => form.get('data[invoice][token]'));
    };

    it('and loses a share of its notifications for good', async () => {
      double.misbehave({ drop: 0.5, seed: 7 });
      const tokens = await payMany();
      expect(tokens.length).toBeGreaterThan(COUNT / 4);
      expect(tokens.length).toBeLessThan((COUNT * 3) / 4);
    });

    it('and sends a share of them twice', async () => {
      double.misbehave({ duplicate: 0.5, seed: 7 });
      const tokens = await payMany();
      expect(new Set(tokens).size).toBe(COUNT);
      expect(tokens.length).toBeGreaterThan(COUNT * 1.25);
    });

    it('and mixes up the order of those about one invoice', async () => {
      double.misbehave({ reorder: true, delayMilliseconds: 100, seed: 1 });
      const token = await createToken();
      for (let amount = 100; amount < 110; amount += 1) double.forge(token, { amount });
      const amounts = (await told()).map((form) => form.get('data[invoice][total_amount]'));
      expect(amounts).not.toEqual(amounts.toSorted());
      expect(amounts).toHaveLength(10);
    });

    it('and answers badly, before or after it has done its work', async () => {
      double.answerNext('createInvoice', { kind: 'status', status: 502 });
      double.answerNext('createInvoice', { kind: 'close' });
      double.answerNext('createInvoice', { kind: 'status', status: 502, afterDoing: true });
      expect((await post('checkout-invoice/create', orderOf())).status).toBe(502);
      await expect(create()).rejects.toThrow('fetch failed');
      expect(double.counts().invoices).toBe(0);
      expect((await post('checkout-invoice/create', orderOf())).status).toBe(502);
      expect(double.counts().invoices).toBe(1);
    });

    it('and confirms or begins badly as well', async () => {
      const token = await createToken();
      double.answerNext('confirmInvoice', { kind: 'status', status: 200, body: '<html>' });
      expect(await (await ask(`checkout-invoice/confirm/${token}`)).text()).toBe('<html>');
      double.answerNext('softpay', { kind: 'status', status: 500, afterDoing: true });
      expect((await post('softpay/mtn-ci', softpayBody('mtn-ci', token))).status).toBe(500);
      expect(double.prompts()).toHaveLength(1);
    });

    it('and lets a share of its requests go wrong by chance', async () => {
      double.faultsByChance({ share: 0.5, seed: 1 });
      const answers: string[] = [];
      for (let number = 0; number < 60; number += 1) {
        const answer = await post('checkout-invoice/create', orderOf()).catch(() => undefined);
        answers.push(String(answer?.status));
        await answer?.text();
      }
      expect(new Set(answers)).toEqual(new Set(['200', '502', '429', 'undefined']));
      const good = answers.filter((status) => status === '200').length;
      expect(double.counts().invoices).toBeGreaterThan(good);
    });
  });

  describe('is controlled over HTTP as well', () => {
    const control = (path: string, body?: object) =>
      fetch(new URL(`/_double/${path}`, double.url), { method: 'POST', body: body && JSON.stringify(body) });
    const look = async (path: string) =>
      (await (await fetch(new URL(`/_double/${path}`, double.url))).json()) as any;

    it('in all that happens to invoices', async () => {
      for (const [attempt, action] of [
        ['TXN-1-1', 'pay'],
        ['TXN-2-1', 'fail'],
        ['TXN-3-1', 'cancel'],
      ] as const) {
        await create({ custom_data: { attempt } });
        expect((await control(`invoices/${attempt}/${action}`)).status).toBe(200);
      }
      await control('invoices/TXN-3-1/pay-late');
      await control('invoices/TXN-1-1/deliver-again');
      await control('invoices/TXN-1-1/forge', { hash: 'WRONG' });
      expect((await control('settled')).status).toBe(200);
      expect(await look('counts')).toEqual({
        requests: {
          createInvoice: 3,
          confirmInvoice: 0,
          softpay: 0,
          confirmSoftpay: 0,
          makePayment: 0,
          createOnsiteInvoice: 0,
          chargeOnsiteInvoice: 0,
          creditAccount: 0,
        },
        invoices: 3,
        completed: 2,
        taken: 30_000,
        invoicesByAttempt: { 'TXN-1-1': 1, 'TXN-2-1': 1, 'TXN-3-1': 1 },
        completedByAttempt: { 'TXN-1-1': 1, 'TXN-3-1': 1 },
        webhooks: { sent: 6, delivered: 6, givenUp: 0 },
      });
      expect(await look('invoices/TXN-2-1')).toMatchObject({ status: 'failed' });
      expect((await control('invoices/TXN-9-9/pay')).status).toBe(404);
      expect((await control('invoices/TXN-1-1/burn')).status).toBe(404);
    });

    it('in what the payer pays and approves', async () => {
      await create();
      const { token } = double.invoice('TXN-1-1').invoice as Json;
      await post('softpay/mtn-ci', softpayBody('mtn-ci', token));
      expect(await look('prompts')).toMatchObject([{ token, channel: 'mtn-ci' }]);
      expect((await control(`invoices/${token}/decline`)).status).toBe(200);
      expect((await control(`invoices/${token}/approve`)).status).toBe(404);
      await create({ custom_data: { attempt: 'TXN-2-1' } });
      expect((await control('invoices/TXN-2-1/pay', { amount: 0.5 })).status).toBe(422);
      expect((await control('invoices/TXN-2-1/pay', { amount: 20 })).status).toBe(200);
      expect(double.counts().taken).toBe(20);
    });

    it('in time, fees, operators, dialect, faults and bad luck', async () => {
      const token = await createToken();
      expect((await control('payer-bears-fees', { share: 0.5 })).status).toBe(200);
      expect((await control('dialect', { amounts: 'TEXT' })).status).toBe(200);
      expect((await control('operators/mtn-ci/withdraw')).status).toBe(200);
      expect((await control('webhooks/misbehave', { drop: 1 })).status).toBe(200);
      expect((await control('faults-by-chance', { share: 0 })).status).toBe(200);
      const fault = { kind: 'status', status: 418 };
      expect((await control('faults', { operation: 'confirmInvoice', fault })).status).toBe(200);
      expect((await ask(`checkout-invoice/confirm/${token}`)).status).toBe(418);
      double.pay(token);
      expect((await confirm(token)).invoice.total_amount).toBe('22500');
      const other = await createToken();
      expect(await postForJson('softpay/mtn-ci', softpayBody('mtn-ci', other))).toMatchObject({
        success: false,
      });
      expect((await control('operators/mtn-ci/restore')).status).toBe(200);
      expect((await control('time-forward', { milliseconds: DAY_MILLISECONDS })).status).toBe(200);
      expect((await confirm(other)).status).toBe('cancelled');
      expect(await told()).toHaveLength(0);
    });

    it.each([
      ['time-forward', { milliseconds: -1 }, 422],
      ['payer-bears-fees', { share: 'much' }, 422],
      ['dialect', { amounts: 'WORDS' }, 422],
      ['webhooks/misbehave', { drop: 2 }, 422],
      ['faults-by-chance', {}, 422],
      ['faults', { operation: 'sleep' }, 422],
      ['operators/mtn/withdraw', undefined, 404],
      ['webhooks/shout', undefined, 404],
      ['nothing', undefined, 404],
    ])('and only so that it makes sense: not %s with %j', async (path, body, status) => {
      expect((await control(path, body)).status).toBe(status);
    });
  });

  describe('leaves nothing behind when it stops,', () => {
    it('no request without an answer, and no phone that is waited for', async () => {
      const token = await createToken();
      double.answerNext('confirmInvoice', { kind: 'hang' });
      const hanging = expect(confirm(token)).rejects.toThrow('fetch failed');
      const waiting = expect(post('softpay/moov-ci', softpayBody('moov-ci', token))).rejects.toThrow(
        'fetch failed',
      );
      await eventually(() => expect(double.prompts()).toHaveLength(1));
      await eventually(() => expect(double.counts().requests.confirmInvoice).toBe(1));
      await double.stop();
      await double.stop();
      await Promise.all([hanging, waiting]);
    });

    it('no notification that waits for its answer', async () => {
      receiver.answerNext('NEVER');
      double.pay(await createToken());
      await eventually(() => expect(receiver.received).toHaveLength(1));
      await double.stop();
      expect(double.counts().webhooks).toEqual({ sent: 1, delivered: 0, givenUp: 0 });
    });
  });
});

function orderOf({ invoice, ...given }: Json = {}): Json {
  const order: Json = {
    invoice: { total_amount: 15_000, description: 'Commande 1042', ...invoice },
    store: { name: 'Ma Boutique' },
    custom_data: { attempt: 'TXN-1-1' },
    ...given,
  };
  if (given.actions === null) return order;
  order.actions = {
    cancel_url: 'https://shop.example/left',
    return_url: 'https://shop.example/done',
    ...given.actions,
  };
  return order;
}

/** Copied by hand from the vendor's table (providers.md C.6), so that a slip in the double's own is found. */
function softpayBody(path: string, token: string): Record<string, string> {
  const [name, email] = ['Ada B', 'ada@example.test'];
  const bodies: Record<string, Record<string, string>> = {
    'new-orange-money-senegal': {
      customer_name: name,
      customer_email: email,
      phone_number: '771111111',
      invoice_token: token,
    },
    'free-money-senegal': {
      customer_name: name,
      customer_email: email,
      phone_number: '771111111',
      payment_token: token,
    },
    'expresso-senegal': {
      expresso_sn_fullName: name,
      expresso_sn_email: email,
      expresso_sn_phone: '701111111',
      payment_token: token,
    },
    'wave-senegal': {
      wave_senegal_fullName: name,
      wave_senegal_email: email,
      wave_senegal_phone: '771111111',
      wave_senegal_payment_token: token,
    },
    'wizall-money-senegal': {
      customer_name: name,
      customer_email: email,
      phone_number: '771111111',
      invoice_token: token,
    },
    djamo: {
      djamo_fullName: name,
      djamo_email: email,
      djamo_phone: '0701000001',
      code_country: 'ci',
      djamo_payment_token: token,
    },
    'orange-money-ci': {
      orange_money_ci_customer_fullname: name,
      orange_money_ci_email: email,
      orange_money_ci_phone_number: '0701000001',
      orange_money_ci_otp: '4321',
      payment_token: token,
    },
    'mtn-ci': {
      mtn_ci_customer_fullname: name,
      mtn_ci_email: email,
      mtn_ci_phone_number: '0501000001',
      mtn_ci_wallet_provider: 'MTNCI',
      payment_token: token,
    },
    'moov-ci': {
      moov_ci_customer_fullname: name,
      moov_ci_email: email,
      moov_ci_phone_number: '0101000001',
      payment_token: token,
    },
    'wave-ci': {
      wave_ci_fullName: name,
      wave_ci_email: email,
      wave_ci_phone: '0701000001',
      wave_ci_payment_token: token,
    },
    'mtn-benin': {
      mtn_benin_customer_fullname: name,
      mtn_benin_email: email,
      mtn_benin_phone_number: '0197000001',
      mtn_benin_wallet_provider: 'MTNBENIN',
      payment_token: token,
    },
    'moov-benin': {
      moov_benin_customer_fullname: name,
      moov_benin_email: email,
      moov_benin_phone_number: '0195000001',
      payment_token: token,
    },
    'orange-money-burkina': {
      name_bf: name,
      email_bf: email,
      phone_bf: '74000001',
      otp_code: '4321',
      payment_token: token,
    },
    'moov-burkina': {
      moov_burkina_faso_fullName: name,
      moov_burkina_faso_email: email,
      moov_burkina_faso_phone_number: '70000001',
      moov_burkina_faso_payment_token: token,
    },
    't-money-togo': {
      name_t_money: name,
      email_t_money: email,
      phone_t_money: '90000001',
      payment_token: token,
    },
    'moov-togo': {
      moov_togo_customer_fullname: name,
      moov_togo_email: email,
      moov_togo_customer_address: 'Lomé',
      moov_togo_phone_number: '96000001',
      payment_token: token,
    },
    'orange-money-mali': {
      orange_money_mali_customer_fullname: name,
      orange_money_mali_email: email,
      orange_money_mali_phone_number: '70000001',
      orange_money_mali_customer_address: 'Bamako',
      payment_token: token,
    },
    'moov-mali': {
      moov_ml_customer_fullname: name,
      moov_ml_email: email,
      moov_ml_phone_number: '60000001',
      moov_ml_customer_address: 'Bamako',
      payment_token: token,
    },
    'mtn-cameroun': {
      mtn_cameroun_customer_fullname: name,
      mtn_cameroun_email: email,
      mtn_cameroun_phone_number: '670000001',
      mtn_cameroun_wallet_provider: 'MTNCAMEROUN',
      payment_token: token,
    },
    paydunya: {
      customer_name: 'Awa Diop',
      customer_email: 'awa.diop@example.test',
      phone_phone: '771111111',
      password: 'paydunya',
      invoice_token: token,
    },
  };
  return bodies[path] ?? { payment_token: token };
}
