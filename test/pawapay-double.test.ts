import { constants, createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import {
  type PawaPayDouble,
  type PawaPayDoubleOptions,
  startPawaPayDouble,
} from '../src/sandbox/pawapay/pawapay-double.js';
import { eventually } from './support/eventually.js';
import { type ReceivedWebhook, startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const TOKEN = 'pawapay_token_1';
const WAITS = '22951345000';
const COMPLETES = '22951345789';

describe('the double of PawaPay', () => {
  let receiver: WebhookReceiver;
  let double: PawaPayDouble;

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    double = await start();
  });

  afterEach(async () => {
    await double.stop();
    await receiver.stop();
  });

  const start = (options: Partial<PawaPayDoubleOptions> = {}) =>
    startPawaPayDouble({
      token: TOKEN,
      webhookUrl: () => receiver.url.href,
      firstRetryMilliseconds: 5,
      decisionMilliseconds: 5,
      ...options,
    });

  const restart = async (options: Partial<PawaPayDoubleOptions>) => {
    await double.stop();
    double = await start(options);
  };

  const ask = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    fetch(new URL(path, double.url), {
      redirect: 'manual',
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, ...init.headers },
    });

  const get = async (path: string): Promise<any> => (await ask(path)).json();

  const postTo = (path: string, body: object) =>
    ask(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });

  const post = async (path: string, body: object): Promise<any> => (await postTo(path, body)).json();

  const pressed = (url: string | URL, form?: Record<string, string>) =>
    fetch(url, {
      method: 'POST',
      redirect: 'manual',
      ...(form && { body: new URLSearchParams(form) }),
    });

  const deposit = async (order: object = {}) => {
    const body = orderOf(order);
    await post('v2/deposits', body);
    return body.depositId;
  };

  const paid = async (order: object = {}) => {
    const id = await deposit(order);
    double.approve(id);
    return id;
  };

  const statusOf = async (id: string) => (await get(`v2/deposits/${id}`)).data?.status as string | undefined;

  const callbacks = async () => {
    await double.settled();
    return receiver.received.map(
      ({ rawBody }) => JSON.parse(rawBody.toString('utf8')) as Record<string, any>,
    );
  };

  describe('takes deposits', () => {
    it('and accepts them, which is not yet paid', async () => {
      const order = orderOf({ clientReferenceId: 'TXN-1-1' });
      const answer = await postTo('v2/deposits', order);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        depositId: order.depositId,
        status: 'ACCEPTED',
        nextStep: 'FINAL_STATUS',
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      });
      expect(double.counts()).toMatchObject({ deposits: 1, completed: 0 });
    });

    it('and shows one in an envelope, with its metadata flat and its amount with two decimals', async () => {
      const metadata = [{ paymentId: 'pay_1' }, { customerId: 'cus_9', isPII: true }];
      const id = await deposit({ clientReferenceId: 'TXN-1-1', metadata });
      double.approve(id);
      expect(await get(`v2/deposits/${id}`)).toEqual({
        status: 'FOUND',
        data: {
          depositId: id,
          status: 'COMPLETED',
          amount: '15000.00',
          currency: 'XOF',
          country: 'BEN',
          payer: { type: 'MMO', accountDetails: { phoneNumber: WAITS, provider: 'MTN_MOMO_BEN' } },
          customerMessage: 'Commande 1042',
          clientReferenceId: 'TXN-1-1',
          created: expect.any(String),
          providerTransactionId: expect.any(String),
          metadata: { paymentId: 'pay_1', customerId: 'cus_9' },
        },
      });
    });

    it('and knows nothing of an id that it never accepted', async () => {
      const answer = await ask(`v2/deposits/${randomUUID()}`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ status: 'NOT_FOUND' });
    });

    it('only once for each id, whatever else the second request says', async () => {
      const id = await deposit();
      const again = await post('v2/deposits', orderOf({ depositId: id, amount: '1' }));
      expect(again).toEqual({ depositId: id, status: 'DUPLICATE_IGNORED', created: expect.any(String) });
      expect(double.counts().deposits).toBe(1);
    });

    it('only from whoever knows the token', async () => {
      const without = await fetch(new URL(`v2/deposits/${randomUUID()}`, double.url));
      expect(without.status).toBe(401);
      expect(await without.json()).toMatchObject({ failureReason: { failureCode: 'NO_AUTHENTICATION' } });
      const wrong = await ask('v2/active-conf', { headers: { authorization: 'Bearer wrong' } });
      expect(wrong.status).toBe(403);
      expect(await wrong.json()).toMatchObject({ failureReason: { failureCode: 'AUTHENTICATION_ERROR' } });
    });

    it.each([
      [{ depositId: 'TXN-1-1' }, 'INVALID_PARAMETER'],
      [{ depositId: '00000000-0000-1000-8000-000000000000' }, 'INVALID_PARAMETER'],
      [{ amount: 15000 }, 'INVALID_PARAMETER'],
      [{ amount: undefined }, 'MISSING_PARAMETER'],
      [{ payer: undefined }, 'MISSING_PARAMETER'],
      [{ payer: { type: 'MSISDN' } }, 'INVALID_PARAMETER'],
      [{ callbackUrl: 'https://shop.test' }, 'UNSUPPORTED_PARAMETER'],
      [{ correspondent: 'MTN_MOMO_BEN' }, 'UNSUPPORTED_PARAMETER'],
      [{ successfulUrl: 'https://shop.test' }, 'UNSUPPORTED_PARAMETER'],
      [{ customerMessage: 'abc' }, 'INVALID_PARAMETER'],
      [{ customerMessage: 'Commande n° 1' }, 'INVALID_PARAMETER'],
      [{ customerMessage: 'x'.repeat(23) }, 'INVALID_PARAMETER'],
      [{ metadata: { paymentId: '1' } }, 'INVALID_PARAMETER'],
      [{ metadata: [{ a: '1', b: '2' }] }, 'INVALID_PARAMETER'],
      [{ metadata: Array.from({ length: 11 }, (_, index) => ({ [`n${index}`]: '1' })) }, 'INVALID_PARAMETER'],
      [{ metadata: [{ a: '1' }, { a: '2' }] }, 'DUPLICATE_METADATA_FIELD'],
      [payerOf('22607000000', 'ORANGE_BFA'), 'MISSING_PARAMETER'],
    ])('and answers 400 to %j', async (order, failureCode) => {
      const answer = await postTo('v2/deposits', orderOf(order));
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        status: 'REJECTED',
        failureReason: { failureCode, failureMessage: expect.any(String) },
      });
    });

    it.each([
      [{ amount: '5.' }, 'INVALID_AMOUNT'],
      [{ amount: '.5' }, 'INVALID_AMOUNT'],
      [{ amount: '-5' }, 'INVALID_AMOUNT'],
      [{ amount: '005' }, 'INVALID_AMOUNT'],
      [{ amount: '1e3' }, 'INVALID_AMOUNT'],
      [{ amount: '15000.00' }, 'INVALID_AMOUNT'],
      [{ amount: '9'.repeat(24) }, 'INVALID_AMOUNT'],
      [{ amount: '2000001' }, 'AMOUNT_OUT_OF_BOUNDS'],
      [{ ...payerOf('22995000000', 'MOOV_BEN'), amount: '99' }, 'AMOUNT_OUT_OF_BOUNDS'],
      [{ currency: 'XAF' }, 'INVALID_CURRENCY'],
      [{ currency: 'xof' }, 'INVALID_CURRENCY'],
      [payerOf('22951345000', 'MTN_BEN'), 'INVALID_PROVIDER'],
      [payerOf('22995000000', 'MTN_MOMO_BEN'), 'INVALID_PHONE_NUMBER'],
      [payerOf('221773456000', 'MTN_MOMO_BEN'), 'INVALID_PHONE_NUMBER'],
      [payerOf('+22951345000', 'MTN_MOMO_BEN'), 'INVALID_PHONE_NUMBER'],
      [payerOf('2295134500', 'MTN_MOMO_BEN'), 'INVALID_PHONE_NUMBER'],
    ])('and rejects %j with 200', async (order, failureCode) => {
      const body = orderOf(order);
      const answer = await postTo('v2/deposits', body);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        depositId: body.depositId,
        status: 'REJECTED',
        failureReason: { failureCode, failureMessage: expect.any(String) },
      });
      expect(await get(`v2/deposits/${body.depositId}`)).toEqual({ status: 'NOT_FOUND' });
    });

    it.each(['5', '5.0', '5.00', '5.5', '5.55', '0.5'])(
      'of %s where there are two decimals',
      async (amount) => {
        await restart({ decisionMilliseconds: 1000 });
        const order = orderOf({ ...payerOf('243813456000', 'VODACOM_MPESA_COD'), currency: 'USD', amount });
        const answer = await post('v2/deposits', order);
        if (amount === '0.5') expect(answer.failureReason.failureCode).toBe('AMOUNT_OUT_OF_BOUNDS');
        else expect(Number((await get(`v2/deposits/${order.depositId}`)).data.amount)).toBe(Number(amount));
      },
    );

    it('from the ten digits of Benin as from the eight', async () => {
      const id = await deposit(payerOf('2290151345789', 'MTN_MOMO_BEN'));
      await double.settled();
      expect(await statusOf(id)).toBe('COMPLETED');
    });

    it('and rejects an id for ever once it was rejected', async () => {
      const { depositId } = await post('v2/deposits', orderOf({ currency: 'XAF' }));
      expect(await post('v2/deposits', orderOf({ depositId }))).toMatchObject({
        status: 'REJECTED',
        failureReason: { failureCode: 'INVALID_CURRENCY' },
      });
    });

    it('of ORANGE_BFA with the code that the payer obtained', async () => {
      const order = orderOf({ ...payerOf('22607345678', 'ORANGE_BFA'), preAuthorisationCode: '123456' });
      expect(await post('v2/deposits', order)).toMatchObject({ status: 'ACCEPTED' });
      await double.settled();
      expect(await statusOf(order.depositId)).toBe('COMPLETED');
    });

    it('not while the operator is closed', async () => {
      double.setOperatorStatus('MTN_MOMO_BEN', 'CLOSED');
      expect(await post('v2/deposits', orderOf({}))).toMatchObject({
        status: 'REJECTED',
        failureReason: { failureCode: 'PROVIDER_TEMPORARILY_UNAVAILABLE' },
      });
      double.setOperatorStatus('MTN_MOMO_BEN', 'DELAYED');
      expect(await post('v2/deposits', orderOf({}))).toMatchObject({ status: 'ACCEPTED' });
    });
  });

  describe('decides by the number', () => {
    it.each([
      ['22951345029', 'MTN_MOMO_BEN', 'PAYER_NOT_FOUND'],
      ['22951345039', 'MTN_MOMO_BEN', 'PAYMENT_NOT_APPROVED'],
      ['22951345069', 'MTN_MOMO_BEN', 'UNSPECIFIED_FAILURE'],
      ['22602345048', 'MOOV_BFA', 'INSUFFICIENT_BALANCE'],
      ['221763456049', 'FREE_SEN', 'INSUFFICIENT_BALANCE'],
      ['237653456019', 'MTN_MOMO_CMR', 'PAYER_LIMIT_REACHED'],
    ])('%s of %s fails with %s', async (phoneNumber, provider, failureCode) => {
      const currency = provider.endsWith('CMR') ? 'XAF' : 'XOF';
      const id = await deposit({ ...payerOf(phoneNumber, provider), currency });
      expect(await callbacks()).toMatchObject([
        { depositId: id, status: 'FAILED', failureReason: { failureCode } },
      ]);
      expect(await get(`v2/deposits/${id}`)).toMatchObject({
        data: { status: 'FAILED', failureReason: { failureCode } },
      });
      expect(double.counts().taken).toEqual({});
    });

    it.each([
      [COMPLETES, 'MTN_MOMO_BEN'],
      ['22602345678', 'MOOV_BFA'],
      ['2250734567890', 'ORANGE_CIV'],
      ['221773456789', 'ORANGE_SEN'],
    ])('%s of %s completes', async (phoneNumber, provider) => {
      const id = await deposit(payerOf(phoneNumber, provider));
      await double.settled();
      expect(await statusOf(id)).toBe('COMPLETED');
      expect(double.counts()).toMatchObject({ completed: 1, taken: { XOF: 15000 } });
    });

    it.each([
      ['22951345129', 'MTN_MOMO_BEN'],
      ['22602345138', 'MOOV_BFA'],
    ])('%s of %s stays pending, and nobody is told', async (phoneNumber, provider) => {
      const id = await deposit(payerOf(phoneNumber, provider));
      expect(await callbacks()).toEqual([]);
      expect(await statusOf(id)).toBe('PROCESSING');
    });

    it('and leaves any other to a person', async () => {
      const [first, second] = [await deposit({ clientReferenceId: 'TXN-1-1' }), await deposit()];
      await double.settled();
      expect(await statusOf(first)).toBe('PROCESSING');
      double.approve('TXN-1-1');
      double.decline(second, 'INSUFFICIENT_BALANCE');
      expect(await statusOf(first)).toBe('COMPLETED');
      expect(await get(`v2/deposits/${second}`)).toMatchObject({
        data: { status: 'FAILED', failureReason: { failureCode: 'INSUFFICIENT_BALANCE' } },
      });
    });

    it('and never changes what is final', async () => {
      const id = await paid({ clientReferenceId: 'TXN-1-1' });
      double.decline(id);
      double.approve(id);
      expect(await statusOf(id)).toBe('COMPLETED');
      expect(double.counts()).toMatchObject({ completed: 1, chargesByReference: { 'TXN-1-1': 1 } });
    });

    it('and counts two charges of one reference as two', async () => {
      await paid({ clientReferenceId: 'TXN-1-1' });
      await paid({ clientReferenceId: 'TXN-1-1' });
      expect(double.counts()).toMatchObject({
        depositsByReference: { 'TXN-1-1': 2 },
        chargesByReference: { 'TXN-1-1': 2 },
        taken: { XOF: 30000 },
      });
    });

    it('unless it does not know itself, and is finding out', async () => {
      const id = await deposit({ ...payerOf(COMPLETES, 'MTN_MOMO_BEN') });
      double.reconcile(id);
      await double.settled();
      expect(await statusOf(id)).toBe('IN_RECONCILIATION');
      double.approve(id);
      expect(await statusOf(id)).toBe('COMPLETED');
    });
  });

  describe('sends payers to Wave', () => {
    const wave = (order: object = {}) =>
      orderOf({
        ...payerOf('221773456789', 'WAVE_SEN'),
        successfulUrl: 'https://shop.test/paid',
        failedUrl: 'https://shop.test/failed',
        ...order,
      });

    it('at once, and tells where to', async () => {
      const order = wave();
      const answer = await post('v2/deposits', order);
      const authorizationUrl = `${double.url.href}wave/${order.depositId}`;
      expect(answer).toMatchObject({
        status: 'ACCEPTED',
        nextStep: 'REDIRECT_TO_AUTH_URL',
        authorizationUrl,
      });
      const waiting = { status: 'PROCESSING', nextStep: 'REDIRECT_TO_AUTH_URL', authorizationUrl };
      expect(await get(`v2/deposits/${order.depositId}`)).toMatchObject({ data: waiting });
      expect(await callbacks()).toMatchObject([waiting]);
    });

    it('or lets them ask again until it knows where to', async () => {
      await restart({ decisionMilliseconds: 100 });
      double.setAuthorisationMode('LATER');
      const order = wave();
      const answer = await post('v2/deposits', order);
      expect(answer).toMatchObject({ status: 'ACCEPTED', nextStep: 'GET_AUTH_URL' });
      expect(answer).not.toHaveProperty('authorizationUrl');
      expect((await get(`v2/deposits/${order.depositId}`)).data).not.toHaveProperty('authorizationUrl');
      const found = await eventually(
        () => get(`v2/deposits/${order.depositId}`),
        ({ data }) => data.authorizationUrl !== undefined,
      );
      expect(found.data).toMatchObject({ status: 'PROCESSING', nextStep: 'REDIRECT_TO_AUTH_URL' });
      expect(await callbacks()).toMatchObject([{ authorizationUrl: found.data.authorizationUrl }]);
    });

    it.each([
      ['approve', 'COMPLETED', 'https://shop.test/paid'],
      ['decline', 'FAILED', 'https://shop.test/failed'],
    ])('where they %s, and come back', async (button, status, onward) => {
      const order = wave();
      const { authorizationUrl } = await post('v2/deposits', order);
      expect(await (await fetch(authorizationUrl)).text()).toContain(`/wave/${order.depositId}/${button}`);
      const answer = await pressed(`${authorizationUrl}/${button}`);
      expect(answer.headers.get('location')).toBe(onward);
      expect(await statusOf(order.depositId)).toBe(status);
    });
  });

  describe('has a phone', () => {
    it('with the prompts that wait for a person, who approves or declines', async () => {
      const [first, second] = [await deposit(), await deposit()];
      await deposit(payerOf('22951345129', 'MTN_MOMO_BEN'));
      const page = await (await ask('phone')).text();
      expect(page.match(/\/phone\/[\w-]+\/approve/g)).toEqual([
        `/phone/${first}/approve`,
        `/phone/${second}/approve`,
      ]);
      expect((await pressed(new URL(`phone/${first}/approve`, double.url))).status).toBe(303);
      await pressed(new URL(`phone/${second}/decline`, double.url));
      expect([await statusOf(first), await statusOf(second)]).toEqual(['COMPLETED', 'FAILED']);
      expect(await (await ask('phone')).text()).toContain('Nothing is waiting');
    });

    it('and a front page that shows the numbers and amounts that decide', async () => {
      const page = await (await fetch(double.url)).text();
      expect(page).toContain('PAYMENT_NOT_APPROVED');
      expect(page).toContain('66601');
    });
  });

  describe('has a page of its own', () => {
    const pageOf = (order: object = {}) => ({
      depositId: randomUUID(),
      returnUrl: 'https://shop.test/back?order=7',
      amountDetails: { amount: '15000', currency: 'XOF' },
      country: 'BEN',
      language: 'FR',
      reason: 'Commande <1042>',
      metadata: [{ paymentId: 'pay_1' }],
      ...order,
    });

    it('on which a payer says with what they pay, and confirms', async () => {
      const order = pageOf();
      const { redirectUrl } = await post('v2/paymentpage', order);
      expect(await statusOf(order.depositId)).toBeUndefined();
      const page = await (await fetch(redirectUrl)).text();
      expect(page).toContain('Commande &lt;1042&gt;');
      expect(page).toContain('MOOV_BEN');
      expect(page).not.toContain('WAVE_SEN');
      const submitted = await pressed(redirectUrl, {
        provider: 'MTN_MOMO_BEN',
        phoneNumber: '+229 51 34 50 00',
      });
      expect(submitted.headers.get('location')).toBe(redirectUrl);
      const [, approve] =
        /action="(\/paywith\/approve[^"]*)"/.exec(await (await fetch(redirectUrl)).text()) ?? [];
      const back = await pressed(new URL(approve ?? '', double.url));
      expect(back.headers.get('location')).toBe(
        `https://shop.test/back?order=7&depositId=${order.depositId}`,
      );
      expect(await callbacks()).toMatchObject([
        {
          depositId: order.depositId,
          status: 'COMPLETED',
          amount: '15000.00',
          metadata: { paymentId: 'pay_1' },
        },
      ]);
    });

    it('from which they can walk away, and there never was a deposit', async () => {
      const order = pageOf();
      const { redirectUrl } = await post('v2/paymentpage', order);
      expect(await (await fetch(redirectUrl)).text()).toContain(
        `href="https://shop.test/back?order=7&amp;depositId=${order.depositId}"`,
      );
      expect(await get(`v2/deposits/${order.depositId}`)).toEqual({ status: 'NOT_FOUND' });
    });

    it('which tells the payer what they got wrong', async () => {
      const { redirectUrl } = await post('v2/paymentpage', pageOf());
      const answer = await pressed(redirectUrl, { provider: 'MOOV_BEN', phoneNumber: WAITS });
      expect(await answer.text()).toContain('22951345000 is no number of MOOV_BEN');
      expect(double.counts().deposits).toBe(0);
    });

    it('the same one for the same deposit, until there is one', async () => {
      const order = pageOf();
      const first = await post('v2/paymentpage', order);
      expect(await post('v2/paymentpage', order)).toEqual(first);
      double.payByPage(order.depositId);
      expect(await post('v2/paymentpage', order)).toMatchObject({ status: 'DUPLICATE_IGNORED' });
      expect(double.counts()).toMatchObject({ completed: 1, chargesByReference: { [order.depositId]: 1 } });
    });

    it('which closes after a quarter of an hour', async () => {
      let now = new Date();
      await restart({ now: () => now });
      const order = pageOf();
      const { redirectUrl } = await post('v2/paymentpage', order);
      now = new Date(now.getTime() + 15 * 60 * 1000);
      expect(await (await fetch(redirectUrl)).text()).toContain('expired');
      await pressed(redirectUrl, { provider: 'MTN_MOMO_BEN', phoneNumber: WAITS });
      expect(await statusOf(order.depositId)).toBeUndefined();
    });

    it('on which the number is fixed when it was given', async () => {
      const order = pageOf({ country: undefined, phoneNumber: '221773456000' });
      const { redirectUrl } = await post('v2/paymentpage', order);
      await pressed(redirectUrl, { provider: 'ORANGE_SEN', phoneNumber: '221780000000' });
      expect(await get(`v2/deposits/${order.depositId}`)).toMatchObject({
        data: { payer: { accountDetails: { phoneNumber: '221773456000' } } },
      });
    });

    it('for somebody of every operator that there is', async () => {
      const { countries } = await get('v2/active-conf');
      for (const { country, providers } of countries) {
        for (const { provider, currencies } of providers) {
          const amountDetails = { amount: '1000', currency: currencies[0].currency };
          const { depositId, ...order } = pageOf({ country, amountDetails });
          await post('v2/paymentpage', { depositId, ...order });
          double.payByPage(depositId, { provider });
          expect(double.deposit(depositId)).toMatchObject({
            status: 'COMPLETED',
            country,
            payer: { accountDetails: { provider } },
          });
        }
      }
      expect(double.counts().completed).toBe(42);
    });

    it.each([
      [{ returnUrl: undefined }, 'MISSING_PARAMETER'],
      [{ country: undefined }, 'MISSING_PARAMETER'],
      [{ country: 'BJ' }, 'INVALID_PARAMETER'],
      [{ language: 'fr' }, 'INVALID_PARAMETER'],
      [{ reason: 'x'.repeat(51) }, 'INVALID_PARAMETER'],
      [{ amount: '15000' }, 'UNSUPPORTED_PARAMETER'],
      [{ clientReferenceId: 'TXN-1-1' }, 'UNSUPPORTED_PARAMETER'],
      [{ amountDetails: { amount: '1.5', currency: 'XOF' } }, 'INVALID_AMOUNT'],
      [{ amountDetails: { amount: '15', currency: 'EUR' } }, 'INVALID_CURRENCY'],
    ])('but none for %j', async (order, failureCode) => {
      const body = pageOf(order);
      expect(await post('v2/paymentpage', body)).toMatchObject({
        depositId: body.depositId,
        status: 'REJECTED',
        failureReason: { failureCode },
      });
    });
  });

  describe('gives money back', () => {
    const refundOf = (depositId: string, order: object = {}) => ({
      refundId: randomUUID(),
      depositId,
      amount: '5000',
      currency: 'XOF',
      ...order,
    });

    it('a part, to whoever paid, and tells', async () => {
      const depositId = await paid();
      const order = refundOf(depositId, { clientReferenceId: 'RFD-1', metadata: [{ refund: 'RFD-1' }] });
      expect(await post('v2/refunds', order)).toEqual({
        refundId: order.refundId,
        status: 'ACCEPTED',
        created: expect.any(String),
      });
      await double.settled();
      const shown = {
        refundId: order.refundId,
        status: 'COMPLETED',
        amount: '5000.00',
        currency: 'XOF',
        country: 'BEN',
        recipient: { type: 'MMO', accountDetails: { phoneNumber: WAITS, provider: 'MTN_MOMO_BEN' } },
        customerMessage: 'Commande 1042',
        created: expect.any(String),
        providerTransactionId: expect.any(String),
        metadata: { refund: 'RFD-1' },
      };
      expect((await callbacks()).at(-1)).toEqual(shown);
      expect(await get(`v2/refunds/${order.refundId}`)).toEqual({
        status: 'FOUND',
        data: { ...shown, clientReferenceId: 'RFD-1' },
      });
      expect(double.counts()).toMatchObject({ refunds: 1, givenBack: { XOF: 5000 } });
    });

    it('only once for each id', async () => {
      const order = refundOf(await paid());
      await post('v2/refunds', order);
      expect(await post('v2/refunds', order)).toMatchObject({ status: 'DUPLICATE_IGNORED' });
      await double.settled();
      expect(double.counts()).toMatchObject({ refunds: 1, givenBack: { XOF: 5000 } });
    });

    it('all that is left when no amount is given, and then no more', async () => {
      const depositId = await paid({ clientReferenceId: 'TXN-1-1' });
      await post('v2/refunds', refundOf(depositId));
      await double.settled();
      await post('v2/refunds', refundOf(depositId, { amount: undefined, currency: undefined }));
      await double.settled();
      expect(double.counts().refundedByReference).toEqual({ 'TXN-1-1': 15000 });
      expect(await post('v2/refunds', refundOf(depositId))).toMatchObject({
        status: 'REJECTED',
        failureReason: { failureCode: 'DEPOSIT_ALREADY_REFUNDED' },
      });
    });

    it('one refund after the other', async () => {
      const depositId = await paid();
      double.holdRefunds();
      const first = refundOf(depositId);
      await post('v2/refunds', first);
      const second = refundOf(depositId);
      expect(await post('v2/refunds', second)).toMatchObject({
        status: 'REJECTED',
        failureReason: { failureCode: 'REFUND_IN_PROGRESS' },
      });
      await double.settled();
      expect(await get(`v2/refunds/${first.refundId}`)).toMatchObject({ data: { status: 'ENQUEUED' } });
      double.holdRefunds(false);
      expect(await get(`v2/refunds/${first.refundId}`)).toMatchObject({ data: { status: 'COMPLETED' } });
      expect(await post('v2/refunds', second)).toMatchObject({ status: 'ACCEPTED' });
    });

    it('and what failed to go back can go back again', async () => {
      const depositId = await paid();
      double.holdRefunds();
      const order = refundOf(depositId, { amount: '15000' });
      await post('v2/refunds', order);
      double.settleRefund(order.refundId, 'fail', 'RECIPIENT_NOT_FOUND');
      expect((await callbacks()).at(-1)).toMatchObject({
        refundId: order.refundId,
        status: 'FAILED',
        failureReason: { failureCode: 'RECIPIENT_NOT_FOUND' },
      });
      expect(double.counts()).toMatchObject({ refunds: 0, givenBack: {} });
      expect(await post('v2/refunds', refundOf(depositId))).toMatchObject({ status: 'ACCEPTED' });
    });

    it('not to a number that refuses it', async () => {
      const order = refundOf(await paid(payerOf('22951345089', 'MTN_MOMO_BEN')));
      await post('v2/refunds', order);
      await double.settled();
      expect(double.refund(order.refundId)).toMatchObject({
        status: 'FAILED',
        failureReason: { failureCode: 'RECIPIENT_NOT_FOUND' },
      });
    });

    it.each([
      [{ amount: '15001' }, 'AMOUNT_TOO_LARGE'],
      [{ amount: '5000.00' }, 'INVALID_AMOUNT'],
      [{ currency: 'XAF' }, 'INVALID_CURRENCY'],
      [{ currency: undefined }, 'MISSING_PARAMETER'],
      [{ depositId: randomUUID() }, 'NOT_FOUND'],
      [{ reason: 'because' }, 'UNSUPPORTED_PARAMETER'],
    ])('never for %j', async (order, failureCode) => {
      const body = refundOf(await paid(), order);
      expect(await post('v2/refunds', body)).toMatchObject({
        refundId: body.refundId,
        status: 'REJECTED',
        failureReason: { failureCode },
      });
      expect(await get(`v2/refunds/${body.refundId}`)).toEqual({ status: 'NOT_FOUND' });
    });

    it('never of a deposit that nobody paid', async () => {
      const answer = await post('v2/refunds', refundOf(await deposit()));
      expect(answer).toMatchObject({ failureReason: { failureCode: 'INVALID_STATE' } });
    });

    it('and says why not under its other name, when it is told to', async () => {
      await restart({ refundRefusals: 'rejectionReason' });
      const depositId = await paid();
      const answer = await post('v2/refunds', refundOf(depositId, { amount: '15001' }));
      expect(answer.rejectionReason).toMatchObject({ rejectionCode: 'AMOUNT_TOO_LARGE' });
      expect(answer).not.toHaveProperty('failureReason');
    });

    it('when its staff says so, and names the deposit when it is told to', async () => {
      await restart({ depositIdInRefunds: true });
      const depositId = await paid();
      const { id } = double.refundByStaff(depositId, 1000);
      expect((await callbacks()).at(-1)).toMatchObject({ refundId: id, depositId, status: 'COMPLETED' });
      expect(() => double.refundByStaff(depositId, 14_001)).toThrow('AMOUNT_TOO_LARGE');
    });
  });

  describe('calls back', () => {
    it('once at the end, without the reference unless told', async () => {
      const id = await paid({ clientReferenceId: 'TXN-1-1' });
      const [callback, ...others] = await callbacks();
      expect(others).toEqual([]);
      expect(callback).toMatchObject({
        depositId: id,
        status: 'COMPLETED',
        amount: '15000.00',
        country: 'BEN',
      });
      expect(callback).not.toHaveProperty('clientReferenceId');
    });

    it('with the reference when it is told to', async () => {
      await restart({ clientReferenceInCallbacks: true });
      await paid({ clientReferenceId: 'TXN-1-1' });
      expect(await callbacks()).toMatchObject([{ clientReferenceId: 'TXN-1-1' }]);
    });

    it('until it is answered with 200 and nothing else', async () => {
      receiver.answerNext(500, 204, 302);
      await paid();
      expect(await callbacks()).toHaveLength(4);
      expect(double.counts().webhooks).toEqual({ sent: 4, delivered: 1, givenUp: 0 });
    });

    it('again when it is asked, and only of what is final', async () => {
      const [done, waiting] = [await paid(), await deposit()];
      expect(await post(`v2/deposits/resend-callback/${done}`, {})).toEqual({
        depositId: done,
        status: 'ACCEPTED',
      });
      expect(await post(`v2/deposits/resend-callback/${waiting}`, {})).toMatchObject({
        status: 'REJECTED',
        failureReason: { failureCode: 'INVALID_STATE' },
      });
      expect(await post(`v2/refunds/resend-callback/${randomUUID()}`, {})).toMatchObject({
        failureReason: { failureCode: 'NOT_FOUND' },
      });
      const { id } = double.refundByStaff(done);
      await double.settled();
      await post(`v2/refunds/resend-callback/${id}`, {});
      const told = await callbacks();
      expect(told.map(({ refundId, depositId }) => refundId ?? depositId)).toEqual([done, done, id, id]);
    });

    it('not, or twice, when it misbehaves', async () => {
      double.misbehave({ drop: 1 });
      await paid();
      expect(await callbacks()).toHaveLength(0);
      double.misbehave({ duplicate: 1 });
      await paid();
      expect(await callbacks()).toHaveLength(2);
    });
  });

  describe('signs its callbacks', () => {
    const signedCallback = async (): Promise<ReceivedWebhook> => {
      await paid();
      await double.settled();
      return receiver.received.at(-1)!;
    };

    it('with ECDSA in DER, as seen in the wild', async () => {
      const callback = await signedCallback();
      expect(callback.headers['content-type']).toBe('application/json');
      expect(callback.headers['content-digest']).toBe(
        `sha-512=:${createHash('sha512').update(callback.rawBody).digest('base64')}:`,
      );
      const { base, signature, parameters } = readSignature(callback, receiver.url);
      expect(parameters).toMatch(
        /^\("@method" "@authority" "@path" "signature-date" "content-digest" "content-type"\);alg="ecdsa-p256-sha256";keyid="HTTP_EC_P256_KEY:1";created=\d+;expires=\d+$/,
      );
      const [, created, expires] = /created=(\d+);expires=(\d+)/.exec(parameters) ?? [];
      expect(Number(expires) - Number(created)).toBe(60);
      expect(Math.abs(Number(created) * 1000 - Date.now())).toBeLessThan(10_000);
      const key = await publicKey('HTTP_EC_P256_KEY:1');
      expect(rawFromDer(signature)).toHaveLength(64);
      expect(verify('sha256', base, { key, dsaEncoding: 'der' }, signature)).toBe(true);
      expect(verify('sha256', base, { key, dsaEncoding: 'ieee-p1363' }, rawFromDer(signature))).toBe(true);
      expect(verify('sha256', base, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(false);
    });

    it('or as RFC 9421 says', async () => {
      await restart({ signCallbacks: { algorithm: 'ecdsa-p256-sha256', encoding: 'ieee-p1363' } });
      const { base, signature } = readSignature(await signedCallback(), receiver.url);
      const key = await publicKey('HTTP_EC_P256_KEY:1');
      expect(signature).toHaveLength(64);
      expect(verify('sha256', base, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    });

    it('or with a longer curve', async () => {
      await restart({ signCallbacks: { algorithm: 'ecdsa-p384-sha384' } });
      const { base, signature } = readSignature(await signedCallback(), receiver.url);
      const key = await publicKey('HTTP_EC_P384_KEY:1');
      expect(verify('sha384', base, { key, dsaEncoding: 'der' }, signature)).toBe(true);
    });

    it('or with RSA of either kind', async () => {
      await restart({ signCallbacks: { algorithm: 'rsa-v1_5-sha256' } });
      const plain = readSignature(await signedCallback(), receiver.url);
      expect(verify('sha256', plain.base, await publicKey('HTTP_RSA_KEY:1'), plain.signature)).toBe(true);
      await restart({ signCallbacks: { algorithm: 'rsa-pss-sha512' } });
      const salted = readSignature(await signedCallback(), receiver.url);
      const key = await publicKey('HTTP_RSA_PSS_KEY:1');
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 };
      expect(verify('sha512', salted.base, { key, ...padding }, salted.signature)).toBe(true);
    });

    it('for the address that the world knows, without its query', async () => {
      await restart({ publicUrl: () => 'https://API.shop.test:443/webhooks/pawapay?node=2' });
      const { base, signature } = readSignature(
        await signedCallback(),
        new URL('https://api.shop.test/webhooks/pawapay'),
      );
      expect(base.toString()).toContain('"@authority": api.shop.test\n"@path": /webhooks/pawapay\n');
      expect(verify('sha256', base, { key: await publicKey('HTTP_EC_P256_KEY:1') }, signature)).toBe(true);
    });

    it('with a new key after a rotation, which is the one that it publishes', async () => {
      double.rotateKey();
      const callback = await signedCallback();
      const { base, signature, parameters } = readSignature(callback, receiver.url);
      expect(parameters).toContain('keyid="HTTP_EC_P256_KEY:2"');
      expect((await get('v2/public-key/http')).map(({ id }: { id: string }) => id)).toEqual([
        'HTTP_EC_P256_KEY:2',
      ]);
      expect(verify('sha256', base, { key: await publicKey('HTTP_EC_P256_KEY:2') }, signature)).toBe(true);
    });

    it('or not at all, and says so', async () => {
      await restart({ signCallbacks: false });
      const { headers } = await signedCallback();
      expect(headers).not.toHaveProperty('signature');
      expect(await get('v2/active-conf')).toMatchObject({
        signatureConfiguration: { signedCallbacks: false },
      });
      expect(await get('v2/public-key/http')).toEqual([]);
    });

    it('but not those that somebody else sends in its name', async () => {
      const id = await deposit();
      const key = await publicKey('HTTP_EC_P256_KEY:1');
      double.forge(id);
      expect(await callbacks()).toMatchObject([{ depositId: id, status: 'COMPLETED' }]);
      const wrong = readSignature(receiver.received[0]!, receiver.url);
      expect(verify('sha256', wrong.base, { key }, wrong.signature)).toBe(false);
      double.forge(id, { signature: 'NONE', body: { amount: '1.00' } });
      expect((await callbacks())[1]).toMatchObject({ amount: '1.00' });
      expect(receiver.received[1]!.headers).not.toHaveProperty('signature');
      double.forge(id, { signature: 'UNKNOWN_KEY' });
      double.forge(id, { signature: 'STALE' });
      double.forge(id, { signature: 'OF_ANOTHER_BODY' });
      await double.settled();
      const [unknown, stale, other] = receiver.received
        .slice(2)
        .map((one) => readSignature(one, receiver.url));
      expect(unknown!.parameters).toContain('keyid="HTTP_EC_P256_KEY:999"');
      const created = Number(/created=(\d+)/.exec(stale!.parameters)![1]);
      expect(Date.now() / 1000 - created).toBeGreaterThan(3000);
      expect(verify('sha256', other!.base, { key }, other!.signature)).toBe(true);
      expect(receiver.received[4]!.headers['content-digest']).not.toContain(
        createHash('sha512').update(receiver.received[4]!.rawBody).digest('base64'),
      );
      expect(await statusOf(id)).not.toBe('COMPLETED');
    });

    it('even of a deposit that nobody made, when it is told to', async () => {
      const id = randomUUID();
      double.forge(id, { signature: 'RIGHT' });
      expect(await callbacks()).toMatchObject([{ depositId: id, status: 'COMPLETED', currency: 'XOF' }]);
      const { base, signature } = readSignature(receiver.received[0]!, receiver.url);
      expect(verify('sha256', base, { key: await publicKey('HTTP_EC_P256_KEY:1') }, signature)).toBe(true);
    });

    const publicKey = async (keyId: string) => {
      const keys = (await get('v2/public-key/http')) as { id: string; key: string }[];
      return createPublicKey(keys.find(({ id }) => id === keyId)?.key ?? '');
    };
  });

  describe('tells what an account can do', () => {
    it('in each country, with limits and how payers confirm', async () => {
      const configuration = await get('v2/active-conf?country=BEN&operationType=DEPOSIT');
      expect(configuration).toMatchObject({
        signatureConfiguration: { signedRequestsOnly: false, signedCallbacks: true },
        countries: [{ country: 'BEN', prefix: '229', displayName: { en: 'Benin', fr: 'Bénin' } }],
      });
      const [mtn, moov] = configuration.countries[0].providers;
      expect(mtn.currencies[0].operationTypes).toMatchObject({
        DEPOSIT: {
          minAmount: '1',
          maxAmount: '2000000',
          decimalsInAmount: 'NONE',
          status: 'OPERATIONAL',
          authType: 'PROVIDER_AUTH',
          pinPrompt: 'AUTOMATIC',
        },
      });
      expect(Object.keys(mtn.currencies[0].operationTypes)).toEqual(['DEPOSIT']);
      expect(moov.currencies[0].operationTypes.DEPOSIT.minAmount).toBe('100');
    });

    it('and how operators are doing at the moment', async () => {
      double.setOperatorStatus('MTN_MOMO_BEN', 'CLOSED');
      expect(await get('v2/availability?country=BEN&operationType=DEPOSIT')).toMatchObject([
        {
          country: 'BEN',
          providers: [
            { provider: 'MTN_MOMO_BEN', operationTypes: { DEPOSIT: 'CLOSED' } },
            { provider: 'MOOV_BEN', operationTypes: { DEPOSIT: 'OPERATIONAL' } },
          ],
        },
      ]);
      expect((await get('v2/availability')).length).toBeGreaterThan(5);
    });

    it.each([
      ['+229 51 34 57 89', { country: 'BEN', provider: 'MTN_MOMO_BEN', phoneNumber: '22951345789' }],
      ['00221 (77) 345-67-89', { country: 'SEN', provider: 'ORANGE_SEN', phoneNumber: '221773456789' }],
      ['24174345678', { country: 'GAB', provider: 'AIRTEL_GAB', phoneNumber: '24174345678' }],
    ])('and whose number %s is', async (phoneNumber, predicted) => {
      expect(await post('v2/predict-provider', { phoneNumber })).toEqual(predicted);
    });

    it('unless it is nobody’s', async () => {
      const answer = await postTo('v2/predict-provider', { phoneNumber: '+33 6 12 34 56 78' });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ failureReason: { failureCode: 'INVALID_PHONE_NUMBER' } });
    });
  });

  describe('goes wrong', () => {
    it('before it has done anything', async () => {
      double.answerNext('createDeposit', { kind: 'status', status: 502 });
      const order = orderOf();
      expect((await postTo('v2/deposits', order)).status).toBe(502);
      expect(await statusOf(order.depositId)).toBeUndefined();
      expect(await post('v2/deposits', order)).toMatchObject({ status: 'ACCEPTED' });
    });

    it('after it has taken the deposit', async () => {
      double.answerNext('createDeposit', { kind: 'status', status: 502, afterDoing: true });
      const order = orderOf(payerOf(COMPLETES, 'MTN_MOMO_BEN'));
      expect((await postTo('v2/deposits', order)).status).toBe(502);
      await double.settled();
      expect(await statusOf(order.depositId)).toBe('COMPLETED');
    });

    it('with a status of which nobody knows what was done', async () => {
      double.answerNext('getDeposit', { kind: 'status', status: 500 });
      const answer = await ask(`v2/deposits/${randomUUID()}`);
      expect(answer.status).toBe(500);
      expect(await answer.json()).toMatchObject({ failureReason: { failureCode: 'UNKNOWN_ERROR' } });
    });

    it.each([
      ['is reset', { kind: 'close', afterDoing: true }, undefined],
      ['hangs', { kind: 'hang', afterDoing: true }, 100],
    ] as const)('when the connection %s', async (_how, fault, patience) => {
      double.answerNext('createRefund', fault);
      const order = { refundId: randomUUID(), depositId: await paid() };
      const asked = ask('v2/refunds', {
        method: 'POST',
        body: JSON.stringify(order),
        ...(patience !== undefined && { signal: AbortSignal.timeout(patience) }),
      });
      await expect(asked).rejects.toThrow();
      expect(double.refund(order.refundId)).toMatchObject({ amount: '15000.00' });
    });

    it('with a rejection that is made up', async () => {
      double.answerNext('createDeposit', { kind: 'reject', failureCode: 'DEPOSITS_NOT_ALLOWED' });
      expect(await post('v2/deposits', orderOf())).toMatchObject({
        status: 'REJECTED',
        failureReason: { failureCode: 'DEPOSITS_NOT_ALLOWED' },
      });
    });

    it('by chance, the same way for the same seed', async () => {
      const statuses = async () => {
        double.faultsByChance({ share: 0.5, seed: 7 });
        const seen: (number | string)[] = [];
        for (let asked = 0; asked < 20; asked += 1) {
          seen.push(
            await ask('v2/availability').then(
              ({ status }) => status,
              () => 'reset',
            ),
          );
        }
        return seen;
      };
      const first = await statuses();
      expect(new Set(first).size).toBeGreaterThan(2);
      expect(await statuses()).toEqual(first);
    });

    it.each([
      ['66601', 502, 'ACCEPTED'],
      ['66602', 502, undefined],
      ['66606', 429, undefined],
      ['66607', 500, undefined],
      ['66608', 500, 'ACCEPTED'],
      ['66609', 200, undefined],
    ])('for whoever types %s, once', async (amount, status, becomes) => {
      await restart({ decisionMilliseconds: 1000 });
      const order = orderOf({ amount });
      expect((await postTo('v2/deposits', order)).status).toBe(status);
      expect(await statusOf(order.depositId)).toBe(becomes);
      const again = await post('v2/deposits', order);
      expect(again.status).toMatch(becomes ? 'DUPLICATE_IGNORED' : status === 200 ? 'REJECTED' : 'ACCEPTED');
    });

    it.each([
      ['66610', 0],
      ['66611', 2],
      ['66612', 1],
    ])('in the callbacks of whoever pays %s', async (amount, times) => {
      await paid({ amount });
      expect(await callbacks()).toHaveLength(times);
      const unsigned = receiver.received.filter(({ headers }) => headers['signature'] === undefined);
      expect(unsigned).toHaveLength(amount === '66612' ? 1 : 0);
    });
  });

  describe('can be held from another process', () => {
    const control = async (path: string, body?: object): Promise<any> => {
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      return (await fetch(new URL(`_double/${path}`, double.url), { method: 'POST', ...init })).json();
    };

    it('as from this one', async () => {
      const [first, second] = [await deposit({ clientReferenceId: 'TXN-1-1' }), await deposit()];
      await control('webhooks/misbehave', { duplicate: 1, seed: 3 });
      await control('deposits/TXN-1-1/approve');
      await control(`deposits/${second}/decline`, { failureCode: 'INSUFFICIENT_BALANCE' });
      const { id } = await control(`deposits/${first}/refund`, { amount: 1000 });
      await control('settled');
      expect(await get('_double/counts')).toEqual(double.counts());
      expect(double.counts()).toMatchObject({ completed: 1, refunds: 1, givenBack: { XOF: 1000 } });
      expect(await get(`_double/refunds/${id}`)).toMatchObject({ refundId: id, status: 'COMPLETED' });
      expect(await get(`_double/deposits/${second}`)).toMatchObject({ status: 'FAILED' });
      expect(receiver.received).toHaveLength(6);
    });

    it('with everything that can go wrong', async () => {
      await control('faults', { operation: 'getDeposit', fault: { kind: 'status', status: 429 }, times: 2 });
      expect((await ask(`v2/deposits/${randomUUID()}`)).status).toBe(429);
      await control('operators/MTN_MOMO_BEN/close');
      expect(await post('v2/deposits', orderOf())).toMatchObject({ status: 'REJECTED' });
      await control('operators/MTN_MOMO_BEN/open');
      await control('keys/rotate');
      await control('refunds/hold');
      const id = await paid();
      const { id: refundId } = await control(`deposits/${id}/refund`);
      await control('settled');
      expect(double.refund(refundId)).toMatchObject({ status: 'ENQUEUED' });
      await control(`refunds/${refundId}/fail`);
      expect(double.refund(refundId)).toMatchObject({ status: 'FAILED' });
      await control(`deposits/${id}/forge`, { signature: 'NONE' });
      await control('settled');
      expect(receiver.received).toHaveLength(3);
    });

    it('and says what makes no sense', async () => {
      expect(await control('webhooks/misbehave', { drop: 2 })).toMatchObject({
        error: { code: expect.stringContaining('drop') },
      });
      expect(await control('deposits/TXN-9-9/approve')).toEqual({
        error: { code: 'no_such_deposit: TXN-9-9' },
      });
      const id = await deposit();
      expect(await control(`deposits/${id}/forge`, { signature: 'GOOD' })).toEqual({
        error: { code: 'bad_signature' },
      });
      expect(await control('faults', { operation: 'none' })).toEqual({ error: { code: 'bad_operation' } });
      expect(await control('nothing')).toEqual({ error: { code: 'no_such_control' } });
    });
  });
});

function orderOf(order: object = {}): { depositId: string } & Record<string, unknown> {
  return {
    depositId: randomUUID(),
    ...payerOf(WAITS, 'MTN_MOMO_BEN'),
    amount: '15000',
    currency: 'XOF',
    customerMessage: 'Commande 1042',
    ...order,
  };
}

function payerOf(phoneNumber: string, provider: string): object {
  return { payer: { type: 'MMO', accountDetails: { phoneNumber, provider } } };
}

interface ReadSignature {
  readonly parameters: string;
  readonly base: Buffer;
  readonly signature: Buffer;
}

/** By hand, as providers.md D.7 says: a line for each component in the order of Signature-Input, then its raw text. */
function readSignature({ headers }: ReceivedWebhook, url: URL): ReadSignature {
  const parameters = String(headers['signature-input']).replace(/^sig-pp=/, '');
  const [, list = ''] = /^\(([^)]*)\)/.exec(parameters) ?? [];
  const lines = list.split(' ').map((quoted) => {
    const component = quoted.slice(1, -1);
    const derived = { '@method': 'POST', '@authority': url.host, '@path': url.pathname }[component];
    return `"${component}": ${derived ?? String(headers[component])}`;
  });
  const base = [...lines, `"@signature-params": ${parameters}`].join('\n');
  const [, encoded = ''] = /^sig-pp=:([^:]*):$/.exec(String(headers['signature'])) ?? [];
  return { parameters, base: Buffer.from(base), signature: Buffer.from(encoded, 'base64') };
}

/** SEQUENCE { INTEGER r, INTEGER s }, each as 32 bytes. */
function rawFromDer(der: Buffer): Buffer {
  expect(der[0]).toBe(0x30);
  expect(der[1]).toBe(der.length - 2);
  const numbers: Buffer[] = [];
  for (let at = 2; at < der.length;) {
    expect(der[at]).toBe(0x02);
    const length = der[at + 1] ?? 0;
    const bytes = der.subarray(at + 2, at + 2 + length);
    const significant = bytes[0] === 0 ? bytes.subarray(1) : bytes;
    numbers.push(Buffer.concat([Buffer.alloc(32 - significant.length), significant]));
    at += 2 + length;
  }
  return Buffer.concat(numbers);
}
