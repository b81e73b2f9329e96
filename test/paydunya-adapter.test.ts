import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PayDunyaOptions } from '../src/providers/paydunya/paydunya-options.js';
import { createPayDunyaProvider } from '../src/providers/paydunya/paydunya-provider.js';
import type {
  AttemptToInitiate,
  InitiatedAttempt,
  Operator,
  ProviderFailure,
} from '../src/providers/provider.js';
import { NOTIFICATION_SHAPES } from '../src/sandbox/paydunya/dialect.js';
import {
  type PayDunyaDouble,
  type PayDunyaDoubleOptions,
  startPayDunyaDouble,
} from '../src/sandbox/paydunya/paydunya-double.js';
import { eventually } from './support/eventually.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const KEYS = { masterKey: 'master-key-1', privateKey: 'test_private_1', token: 'api-token-1' };

const TIMEOUT_MILLISECONDS = 800;

const TOKEN = 'test_AbC123';
const PAGE = `http://127.0.0.1:9/sandbox-checkout/invoice/${TOKEN}`;
const CREATED = {
  response_code: '00',
  response_text: PAGE,
  description: 'Checkout Invoice Created',
  token: TOKEN,
};
const CONFIRMED = {
  response_code: '00',
  response_text: 'Transaction Found',
  hash: 'the-hash-of-the-account',
  invoice: { token: TOKEN, total_amount: 15_000, description: 'Commande 1042', items: {}, taxes: {} },
  custom_data: { attempt: 'TXN-1042-1' },
  mode: 'test',
  status: 'completed',
};
const PENDING = { ...CONFIRMED, status: 'pending' };

const ATTEMPT: AttemptToInitiate = {
  reference: 'TXN-1042-1',
  idempotencyKey: '5b8f7c0e-3f4d-4a53-9d38-0d8f8a1f4b11',
  amount: 15_000,
  currency: 'XOF',
  method: 'MOBILE_MONEY',
  presentation: 'REDIRECT',
  description: 'Commande 1042',
  returnUrl: 'https://shop.example/done',
  customerEmail: 'a.diop@example.com',
  customerName: 'A. Diop',
  locale: 'fr-SN',
  captureMethod: 'AUTOMATIC',
  expiresAt: new Date('2026-11-30T10:00:00Z'),
};

const ON_PHONE = {
  ...ATTEMPT,
  presentation: 'PHONE',
  returnUrl: undefined,
  phoneNumber: '+2290151345789',
  operator: 'mtn-benin',
  providerReference: TOKEN,
} as const satisfies AttemptToInitiate;

const failureOf = async (call: Promise<unknown>): Promise<ProviderFailure> => {
  const failure = (await call.then(
    () => undefined,
    (error: unknown) => error,
  )) as ProviderFailure | undefined;
  if (failure?.name !== 'ProviderFailure') throw new Error(`not a failure: ${String(failure)}`);
  for (const secret of Object.values(KEYS)) expect(failure.message).not.toContain(secret);
  return failure;
};

/** LATE: success, after any usual time to wait is over. */
type Answer = 'HANG' | 'CLOSE' | 'LATE' | { readonly status: number; readonly text: string } | object;

interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown> | undefined;
}

/** Answers what it was told to, and keeps what it was asked. */
async function startScriptedServer() {
  const answers = {
    create: CREATED as Answer,
    confirm: CONFIRMED as Answer,
    softpay: { success: true } as Answer,
  };
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const path = `${request.method} ${request.url}`;
      const body = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
      requests.push({ path, headers: request.headers, body });
      const operation = /create|confirm|softpay/.exec(path)?.[0] as keyof typeof answers;
      const answer = answers[operation];
      if (answer === 'HANG') return;
      if (answer === 'CLOSE') request.socket.destroy();
      else if (answer === 'LATE')
        setTimeout(() => response.end('{"success":true}'), 2 * TIMEOUT_MILLISECONDS);
      else if ('text' in answer) response.writeHead(answer.status).end(answer.text);
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { answers, requests, server, baseUrl: new URL(`http://127.0.0.1:${port}/sandbox-api/v1/`) };
}

async function stopServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** The requests as PayDunya documents them, one for each operator: the names of the fields have no rule. */
const REQUESTS: Readonly<Record<string, readonly [path: string, phone: string, body: object]>> = {
  'new-orange-money-senegal': [
    'new-orange-money-senegal',
    '+221771111111',
    { customer_name: 'N', customer_email: 'E', phone_number: '771111111', invoice_token: 'T' },
  ],
  'free-money-senegal': [
    'free-money-senegal',
    '+221761111111',
    { customer_name: 'N', customer_email: 'E', phone_number: '761111111', payment_token: 'T' },
  ],
  'expresso-senegal': [
    'expresso-senegal',
    '+221701111111',
    {
      expresso_sn_fullName: 'N',
      expresso_sn_email: 'E',
      expresso_sn_phone: '701111111',
      payment_token: 'T',
    },
  ],
  'wave-senegal': [
    'wave-senegal',
    '+221771111111',
    {
      wave_senegal_fullName: 'N',
      wave_senegal_email: 'E',
      wave_senegal_phone: '771111111',
      wave_senegal_payment_token: 'T',
    },
  ],
  'djamo-senegal': [
    'djamo',
    '+221771111111',
    {
      djamo_fullName: 'N',
      djamo_email: 'E',
      djamo_phone: '771111111',
      code_country: 'sn',
      djamo_payment_token: 'T',
    },
  ],
  'djamo-ci': [
    'djamo',
    '+2250701010101',
    {
      djamo_fullName: 'N',
      djamo_email: 'E',
      djamo_phone: '0701010101',
      code_country: 'ci',
      djamo_payment_token: 'T',
    },
  ],
  'mtn-ci': [
    'mtn-ci',
    '+2250501010101',
    {
      mtn_ci_customer_fullname: 'N',
      mtn_ci_email: 'E',
      mtn_ci_phone_number: '0501010101',
      mtn_ci_wallet_provider: 'MTNCI',
      payment_token: 'T',
    },
  ],
  'moov-ci': [
    'moov-ci',
    '+2250101010101',
    {
      moov_ci_customer_fullname: 'N',
      moov_ci_email: 'E',
      moov_ci_phone_number: '0101010101',
      payment_token: 'T',
    },
  ],
  'wave-ci': [
    'wave-ci',
    '+2250701010101',
    { wave_ci_fullName: 'N', wave_ci_email: 'E', wave_ci_phone: '0701010101', wave_ci_payment_token: 'T' },
  ],
  'mtn-benin': [
    'mtn-benin',
    '+2290151345789',
    {
      mtn_benin_customer_fullname: 'N',
      mtn_benin_email: 'E',
      mtn_benin_phone_number: '0151345789',
      mtn_benin_wallet_provider: 'MTNBENIN',
      payment_token: 'T',
    },
  ],
  'moov-benin': [
    'moov-benin',
    '+2290195345789',
    {
      moov_benin_customer_fullname: 'N',
      moov_benin_email: 'E',
      moov_benin_phone_number: '0195345789',
      payment_token: 'T',
    },
  ],
  'moov-burkina': [
    'moov-burkina',
    '+22670111111',
    {
      moov_burkina_faso_fullName: 'N',
      moov_burkina_faso_email: 'E',
      moov_burkina_faso_phone_number: '70111111',
      moov_burkina_faso_payment_token: 'T',
    },
  ],
  't-money-togo': [
    't-money-togo',
    '+22890111111',
    { name_t_money: 'N', email_t_money: 'E', phone_t_money: '90111111', payment_token: 'T' },
  ],
};

describe('a call to PayDunya', () => {
  let scripted: Awaited<ReturnType<typeof startScriptedServer>>;

  beforeEach(async () => {
    scripted = await startScriptedServer();
  });

  afterEach(() => stopServer(scripted.server));

  const paydunya = (options: Partial<PayDunyaOptions> = {}) =>
    createPayDunyaProvider({
      ...KEYS,
      baseUrl: scripted.baseUrl,
      mode: 'test',
      storeName: 'Ma Boutique',
      notificationUrl: new URL('https://api.shop.example/webhooks/paydunya'),
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
      softPayInTest: true,
      ...options,
    });

  const INITIATED: InitiatedAttempt = {
    ...ATTEMPT,
    providerReference: TOKEN,
    begunAt: new Date(),
    openRefunds: [],
  };

  const bodyOfInvoice = async (attempt: Partial<AttemptToInitiate>, options?: Partial<PayDunyaOptions>) => {
    await paydunya(options).initiate({ ...ATTEMPT, ...attempt });
    return scripted.requests.at(-1)?.body as {
      invoice: Record<string, unknown>;
      actions: Record<string, unknown>;
    };
  };

  const outcomeOf = async (change: object, options?: Partial<PayDunyaOptions>) => {
    scripted.answers.confirm = { ...CONFIRMED, ...change };
    const [event, ...others] = await paydunya(options).verify(INITIATED);
    expect(others).toEqual([]);
    return event?.outcome;
  };

  describe('to open a payment on its page', () => {
    it('makes an invoice that carries our reference, and gives the page that PayDunya names', async () => {
      expect(await paydunya().initiate({ ...ATTEMPT, country: 'SN' })).toEqual({
        providerReference: TOKEN,
        nextAction: { type: 'RedirectToUrl', url: PAGE },
      });
      expect(scripted.requests).toMatchObject([{ path: 'POST /sandbox-api/v1/checkout-invoice/create' }]);
      expect(scripted.requests[0]?.body).toEqual({
        invoice: {
          total_amount: 15_000,
          description: 'Commande 1042',
          channels: [
            'orange-money-senegal',
            'wave-senegal',
            'free-money-senegal',
            'expresso-sn',
            'wizall-senegal',
          ],
        },
        store: { name: 'Ma Boutique' },
        actions: {
          cancel_url: 'https://shop.example/done',
          return_url: 'https://shop.example/done',
          callback_url: 'https://api.shop.example/webhooks/paydunya',
        },
        custom_data: { attempt: 'TXN-1042-1' },
      });
    });

    it('sends the three keys, without the white space that they were pasted with', async () => {
      await paydunya({
        masterKey: ' master-key-1\n',
        privateKey: '\ttest_private_1 ',
        token: 'api-token-1 ',
      }).initiate(ATTEMPT);
      expect(scripted.requests[0]?.headers).toMatchObject({
        'paydunya-master-key': KEYS.masterKey,
        'paydunya-private-key': KEYS.privateKey,
        'paydunya-token': KEYS.token,
        'content-type': 'application/json',
      });
    });

    it('limits the page to the payer’s country only where it is known', async () => {
      expect((await bodyOfInvoice({ country: 'BJ' })).invoice['channels']).toEqual([
        'mtn-benin',
        'moov-benin',
      ]);
      expect((await bodyOfInvoice({})).invoice).not.toHaveProperty('channels');
    });

    it('shows cards alone to who pays by card, and everything to who pays from a wallet', async () => {
      expect((await bodyOfInvoice({ method: 'CARD', country: 'FR' })).invoice['channels']).toEqual(['card']);
      expect((await bodyOfInvoice({ method: 'WALLET', country: 'SN' })).invoice).not.toHaveProperty(
        'channels',
      );
    });

    it('asks for the address of notifications each time, and leaves it to the dashboard where there is none', async () => {
      let path = '/first';
      const notificationUrl = () => new URL(path, 'https://api.shop.example');
      expect((await bodyOfInvoice({}, { notificationUrl })).actions['callback_url']).toBe(
        'https://api.shop.example/first',
      );
      path = '/second';
      expect((await bodyOfInvoice({}, { notificationUrl })).actions['callback_url']).toBe(
        'https://api.shop.example/second',
      );
      expect((await bodyOfInvoice({}, { notificationUrl: undefined })).actions).not.toHaveProperty(
        'callback_url',
      );
    });

    it('reserves nothing beforehand', async () => {
      expect(await paydunya().reserve?.(ATTEMPT)).toBeUndefined();
      expect(scripted.requests).toEqual([]);
    });

    it.each([
      ['in euros', { currency: 'EUR' }, 'CURRENCY_NOT_SUPPORTED'],
      ['in the francs of Central Africa', { currency: 'XAF' }, 'CURRENCY_NOT_SUPPORTED'],
      ['that is held first', { captureMethod: 'MANUAL' }, 'CAPTURE_NOT_SUPPORTED'],
      ['without a way back', { returnUrl: undefined }, 'RETURN_URL_MISSING'],
      ['in our own page', { presentation: 'EMBEDDED' }, 'WAY_NOT_SUPPORTED'],
      ['from a bank', { method: 'BANK' }, 'WAY_NOT_SUPPORTED'],
      ['by mobile money of Cameroon', { country: 'CM' }, 'COUNTRY_NOT_SUPPORTED'],
    ] as const)('is rejected %s, and PayDunya is not asked', async (_, change, code) => {
      const failure = await failureOf(paydunya().initiate({ ...ATTEMPT, ...change }));
      expect(failure).toMatchObject({ provider: 'paydunya', kind: 'rejected', code });
      expect(scripted.requests).toEqual([]);
    });

    it.each([
      ['1001', 'Invalid Masterkey Specified'],
      ['4711', 'A code that nobody has written down'],
    ])(
      'is rejected by any code but 00, and says PayDunya’s own words: %s',
      async (response_code, response_text) => {
        scripted.answers.create = { response_code, response_text, token: TOKEN };
        expect(await failureOf(paydunya().initiate(ATTEMPT))).toMatchObject({
          kind: 'rejected',
          code: response_code,
          message: `PayDunya refused: ${response_text} (${response_code}).`,
        });
      },
    );

    it('is not taken for made by a code that is nearly 00', async () => {
      for (const response_code of [0, '0', '000']) {
        scripted.answers.create = { ...CREATED, response_code };
        expect((await failureOf(paydunya().initiate(ATTEMPT))).kind).toBe('rejected');
      }
    });

    it('never repeats our keys, even when PayDunya does', async () => {
      const response_text = `Unknown key ${KEYS.masterKey} / ${KEYS.privateKey} / ${KEYS.token}`;
      scripted.answers.create = { response_code: '1001', response_text };
      expect((await failureOf(paydunya().initiate(ATTEMPT))).message).toContain('Unknown key [removed]');
    });

    it.each<[string, Answer, string]>([
      ['is never answered', 'HANG', 'TIMEOUT'],
      ['loses its answer', 'CLOSE', 'CONNECTION_LOST'],
      ['is answered 502', { status: 502, text: '<html>Bad gateway</html>' }, 'HTTP_502'],
      ['is answered 500 with JSON', { status: 500, text: JSON.stringify(CREATED) }, 'HTTP_500'],
      ['is answered 429', { status: 429, text: '{}' }, 'HTTP_429'],
      ['is answered by a page', { status: 200, text: '<html>Maintenance</html>' }, 'ANSWER_UNREADABLE'],
      ['is answered by somebody before PayDunya', { status: 403, text: '<html>' }, 'HTTP_403'],
      ['is sent elsewhere', { status: 302, text: '' }, 'HTTP_302'],
      ['is answered without a code', { token: TOKEN }, 'ANSWER_UNREADABLE'],
      ['is answered without a token', { ...CREATED, token: undefined }, 'ANSWER_UNREADABLE'],
      ['is answered with a token that leads elsewhere', { ...CREATED, token: '../x' }, 'ANSWER_UNREADABLE'],
      ['is answered without a page', { ...CREATED, response_text: 'OK' }, 'ANSWER_UNREADABLE'],
      ['is answered with a script', { ...CREATED, response_text: 'javascript:1' }, 'ANSWER_UNREADABLE'],
    ])(
      'may be made again when it %s: nobody can pay an invoice that nobody was shown',
      async (_, answer, code) => {
        scripted.answers.create = answer;
        expect(await failureOf(paydunya().initiate(ATTEMPT))).toMatchObject({ kind: 'unavailable', code });
      },
    );

    it('may be made again when nobody is there', async () => {
      await stopServer(scripted.server);
      const failure = await failureOf(paydunya().initiate(ATTEMPT));
      expect(failure).toMatchObject({ kind: 'unavailable', code: 'UNREACHABLE' });
    });
  });

  describe('to verify a payment', () => {
    it('asks for the invoice by its token', async () => {
      expect(await paydunya().verify(INITIATED)).toEqual([
        {
          providerReference: TOKEN,
          attemptReference: 'TXN-1042-1',
          outcome: { kind: 'paid', amount: 15_000, currency: 'XOF', movementReference: TOKEN },
        },
      ]);
      expect(scripted.requests).toMatchObject([
        {
          path: `GET /sandbox-api/v1/checkout-invoice/confirm/${TOKEN}`,
          headers: { 'paydunya-master-key': KEYS.masterKey },
        },
      ]);
    });

    it('takes amounts as numbers and as texts', async () => {
      for (const total_amount of [15_000, '15000', '15000.00']) {
        expect(await outcomeOf({ invoice: { token: TOKEN, total_amount } })).toMatchObject({
          amount: 15_000,
        });
      }
    });

    it('says the amount that PayDunya says, for it may have added its fees', async () => {
      const outcome = await outcomeOf({ invoice: { token: TOKEN, total_amount: 15_300 } });
      expect(outcome).toMatchObject({ kind: 'paid', amount: 15_300 });
    });

    it.each([
      ['with its fees', 15_300, 15_000],
      ['as it was asked for', 15_000, 15_000],
      ['with less than was asked for', 14_900, 14_900],
      ['with more than fees explain', 16_501, 16_501],
    ])(
      'of an account whose payers bear the fees, says the merchant’s: a total %s',
      async (_, total, amount) => {
        const outcome = await outcomeOf(
          { invoice: { token: TOKEN, total_amount: total } },
          { fees: 'payer' },
        );
        expect(outcome).toMatchObject({ kind: 'paid', amount });
      },
    );

    it.each([
      ['the mode is another', { mode: 'live' }, 'mode is not test'],
      ['there is no mode', { mode: undefined }, 'names no mode'],
      ['the token is another', { invoice: { token: 'test_Other', total_amount: 15_000 } }, 'token'],
      ['there is no token', { invoice: { total_amount: 15_000 } }, 'token'],
      ['the attempt is another', { custom_data: { attempt: 'TXN-1042-2' } }, 'another attempt'],
      ['it was made by somebody else', { custom_data: { order_id: '7' } }, 'another attempt'],
      ['it brings nothing of us back', { custom_data: undefined }, 'which attempt'],
      ['it brings an empty list back', { custom_data: [] }, 'which attempt'],
      ['there is no amount', { invoice: { token: TOKEN } }, 'no exact amount'],
      ['the amount is no whole number', { invoice: { token: TOKEN, total_amount: 0.5 } }, 'no exact amount'],
      ['the amount is nothing', { invoice: { token: TOKEN, total_amount: 0 } }, 'no exact amount'],
      ['there is no status', { status: undefined }, 'no status'],
    ])('believes no money when %s, and says so', async (_, change, words) => {
      const failure = await failureOf(outcomeOf(change));
      expect(failure).toMatchObject({
        kind: 'unavailable',
        code: 'ANSWER_UNREADABLE',
        message: expect.stringContaining(words),
      });
    });

    it('never takes test money for live money', async () => {
      await expect(outcomeOf({ mode: 'test' }, { mode: 'live' })).rejects.toMatchObject({
        kind: 'unavailable',
      });
      expect(await outcomeOf({ mode: 'live' }, { mode: 'live' })).toMatchObject({ kind: 'paid' });
    });

    it('does not end our payment because another one ended', async () => {
      for (const status of ['cancelled', 'failed']) {
        const invoice = { token: 'test_Other', total_amount: 15_000 };
        await expect(outcomeOf({ status, invoice })).rejects.toMatchObject({ kind: 'unavailable' });
      }
    });

    it('understands each word for an end in either spelling', async () => {
      for (const status of ['cancelled', 'canceled', ' Cancelled ']) {
        expect(await outcomeOf({ status })).toEqual({ kind: 'cancelled', reason: 'cancelled' });
      }
      for (const status of ['failed', 'fail']) {
        expect(await outcomeOf({ status })).toMatchObject({ kind: 'failed', code: 'failed' });
      }
    });

    it('says why a payment failed, where PayDunya does', async () => {
      const status = 'failed';
      expect(await outcomeOf({ status, fail_reason: 'Carte refusée' })).toMatchObject({
        message: 'Carte refusée',
      });
      const errors = { message: 'Échec', description: 'Solde insuffisant' };
      expect(await outcomeOf({ status, errors })).toMatchObject({ message: 'Solde insuffisant' });
    });

    it.each(['pending', 'expired', 'toString', 'complete'])(
      'takes %j for not decided yet',
      async (status) => {
        expect(await outcomeOf({ status })).toEqual({ kind: 'pending' });
      },
    );

    it('is rejected by any code but 00, whatever else the answer says', async () => {
      await expect(outcomeOf({ response_code: '1002' })).rejects.toMatchObject({
        kind: 'rejected',
        code: '1002',
      });
    });

    it.each<[string, Answer]>([
      ['TIMEOUT', 'HANG'],
      ['CONNECTION_LOST', 'CLOSE'],
      ['HTTP_503', { status: 503, text: JSON.stringify(CONFIRMED) }],
      ['ANSWER_UNREADABLE', { status: 200, text: 'paid' }],
    ])('is only put off by %s', async (code, answer) => {
      scripted.answers.confirm = answer;
      expect(await failureOf(paydunya().verify(INITIATED))).toMatchObject({ kind: 'unavailable', code });
    });

    it('asks nothing with a reference that is no token', async () => {
      const attempt = { ...INITIATED, providerReference: '../disburse' };
      expect((await failureOf(paydunya().verify(attempt))).kind).toBe('rejected');
      expect(scripted.requests).toEqual([]);
    });
  });

  describe('to ask for a payment on the payer’s phone', () => {
    it('reserves the invoice first, and only that', async () => {
      expect(await paydunya().reserve?.({ ...ON_PHONE, providerReference: undefined })).toBe(TOKEN);
      expect(scripted.requests).toMatchObject([
        {
          path: 'POST /sandbox-api/v1/checkout-invoice/create',
          body: { custom_data: { attempt: 'TXN-1042-1' }, invoice: { total_amount: 15_000 } },
        },
      ]);
    });

    it('may reserve again when the answer is lost: no operator has heard of the first invoice', async () => {
      scripted.answers.create = 'HANG';
      const call = paydunya().reserve?.(ON_PHONE) ?? Promise.resolve();
      expect(await failureOf(call)).toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
    });

    it('has the operator ask, with the local number, and says what the payer does', async () => {
      scripted.answers.softpay = {
        success: true,
        message: 'Validez sur votre téléphone',
        fees: 100,
        currency: 'XOF',
      };
      expect(await paydunya().initiate(ON_PHONE)).toEqual({
        providerReference: TOKEN,
        nextAction: {
          type: 'ApproveOnPhone',
          phoneNumber: '+••••••••••789',
          operator: 'MTN MoMo',
          instructions: [
            'Une demande de paiement MTN MoMo s’affiche sur votre téléphone.',
            'Validez-la avec votre code secret.',
          ],
          expiresAt: ON_PHONE.expiresAt,
        },
      });
      expect(scripted.requests).toMatchObject([{ path: 'POST /sandbox-api/v1/softpay/mtn-benin' }]);
      expect(scripted.requests[0]?.body).toEqual({
        mtn_benin_customer_fullname: 'A. Diop',
        mtn_benin_email: 'a.diop@example.com',
        mtn_benin_phone_number: '0151345789',
        mtn_benin_wallet_provider: 'MTNBENIN',
        payment_token: TOKEN,
      });
    });

    it.each([
      ['en-GB', 'A payment request of MTN MoMo appears on your phone.'],
      ['fr', 'Une demande de paiement MTN MoMo s’affiche sur votre téléphone.'],
      [undefined, 'Une demande de paiement MTN MoMo s’affiche sur votre téléphone.'],
    ])('speaks to the payer in the language of the order: %s', async (locale, first) => {
      const { nextAction } = await paydunya().initiate({ ...ON_PHONE, locale });
      expect(nextAction).toMatchObject({ instructions: [first, expect.any(String)] });
    });

    it('sends the payer to the operator’s page where there is one', async () => {
      scripted.answers.softpay = { success: true, message: '', url: 'https://pay.wave.com/c/cos-1' };
      const attempt = { ...ON_PHONE, operator: 'wave-senegal', phoneNumber: '+221771111111' };
      expect((await paydunya().initiate(attempt)).nextAction).toEqual({
        type: 'RedirectToUrl',
        url: 'https://pay.wave.com/c/cos-1',
      });
    });

    it('does not know what is next without the page that there should be', async () => {
      const attempt = { ...ON_PHONE, operator: 'wave-senegal', phoneNumber: '+221771111111' };
      expect(await failureOf(paydunya().initiate(attempt))).toMatchObject({
        kind: 'outcomeUnknown',
        code: 'ANSWER_UNREADABLE',
        providerReference: TOKEN,
      });
    });

    it('says how long Moov in Côte d’Ivoire waits, and waits for its answer as long', async () => {
      const attempt = { ...ON_PHONE, operator: 'moov-ci', phoneNumber: '+2250101010101' };
      scripted.answers.softpay = 'LATE';
      const before = Date.now();
      const { nextAction } = await paydunya().initiate(attempt);
      if (nextAction.type !== 'ApproveOnPhone') throw new Error(nextAction.type);
      const waits = nextAction.expiresAt.getTime() - before;
      expect(waits).toBeGreaterThanOrEqual(30_000);
      expect(waits).toBeLessThan(35_000);
    });

    it.each([
      ['by an operator that needs a code', { operator: 'orange-money-ci' }, 'OPERATOR_NOT_SUPPORTED'],
      ['by an operator that needs an address', { operator: 'moov-togo' }, 'OPERATOR_NOT_SUPPORTED'],
      ['by MTN in Cameroon', { operator: 'mtn-cameroun' }, 'OPERATOR_NOT_SUPPORTED'],
      ['by nobody', { operator: undefined }, 'OPERATOR_NOT_SUPPORTED'],
      ['with a number of another country', { phoneNumber: '+221771111111' }, 'PHONE_NUMBER_NOT_SUPPORTED'],
      ['without a number', { phoneNumber: undefined }, 'PHONE_NUMBER_NOT_SUPPORTED'],
      ['without an e-mail address', { customerEmail: undefined }, 'EMAIL_MISSING'],
    ])('is rejected %s, before there is an invoice', async (_, change, code) => {
      const attempt = { ...ON_PHONE, ...change };
      for (const call of [paydunya().reserve?.(attempt), paydunya().initiate(attempt)]) {
        expect(await failureOf(call ?? Promise.resolve())).toMatchObject({ kind: 'rejected', code });
      }
      expect(scripted.requests).toEqual([]);
    });

    it('is not made without the invoice', async () => {
      const failure = await failureOf(paydunya().initiate({ ...ON_PHONE, providerReference: undefined }));
      expect(failure).toMatchObject({ kind: 'rejected', code: 'INVOICE_NOT_RESERVED' });
      expect(scripted.requests).toEqual([]);
    });

    it('goes with an address of the merchant’s for a payer who gave none', async () => {
      const attempt = { ...ON_PHONE, customerEmail: undefined, customerName: undefined };
      await paydunya({ fallbackEmail: 'payers@shop.example' }).initiate(attempt);
      expect(scripted.requests[0]?.body).toMatchObject({
        mtn_benin_email: 'payers@shop.example',
        mtn_benin_customer_fullname: 'Client',
      });
    });

    it.each<[string, Answer]>([
      ['TIMEOUT', 'HANG'],
      ['CONNECTION_LOST', 'CLOSE'],
      ['HTTP_502', { status: 502, text: '' }],
      ['HTTP_500', { status: 500, text: '{"success":false}' }],
      ['ANSWER_UNREADABLE', { status: 200, text: '<html>' }],
      ['ANSWER_UNREADABLE', { message: 'neither yes nor no' }],
    ])('may have been done after %s, and says which invoice to ask about', async (code, answer) => {
      scripted.answers.softpay = answer;
      expect(await failureOf(paydunya().initiate(ON_PHONE))).toMatchObject({
        kind: 'outcomeUnknown',
        code,
        providerReference: TOKEN,
      });
    });

    it('did nothing when nobody is there', async () => {
      await stopServer(scripted.server);
      expect(await failureOf(paydunya().initiate(ON_PHONE))).toMatchObject({
        kind: 'unavailable',
        providerReference: TOKEN,
      });
    });

    it('is rejected by a code of PayDunya’s', async () => {
      scripted.answers.softpay = { response_code: '1001', response_text: 'Invalid Masterkey Specified' };
      expect(await failureOf(paydunya().initiate(ON_PHONE))).toMatchObject({
        kind: 'rejected',
        code: '1001',
      });
    });

    describe('that the operator refuses', () => {
      const refused = async (confirm: Answer) => {
        scripted.answers.softpay = { success: false, message: 'Solde insuffisant' };
        scripted.answers.confirm = confirm;
        const failure = await failureOf(paydunya().initiate(ON_PHONE));
        expect(scripted.requests.map(({ path }) => path)).toEqual([
          'POST /sandbox-api/v1/softpay/mtn-benin',
          `GET /sandbox-api/v1/checkout-invoice/confirm/${TOKEN}`,
        ]);
        return failure;
      };

      it('is declined in the operator’s words while the invoice is open, which proves nothing of earlier calls', async () => {
        expect(await refused(PENDING)).toMatchObject({
          kind: 'declined',
          code: 'SOFTPAY_REFUSED',
          message: 'Solde insuffisant',
          coversEarlierCalls: false,
        });
      });

      it.each(['failed', 'cancelled'])('is declined for good when the invoice is %s', async (status) => {
        expect(await refused({ ...CONFIRMED, status })).toMatchObject({
          kind: 'declined',
          coversEarlierCalls: true,
        });
      });

      it('is not declined when an earlier call was paid: whoever asks will find the money', async () => {
        expect(await refused(CONFIRMED)).toMatchObject({
          kind: 'outcomeUnknown',
          code: 'INVOICE_COMPLETED',
          providerReference: TOKEN,
        });
      });

      it.each<[string, Answer]>([
        ['does not answer', 'HANG'],
        ['does not know it', { response_code: '1002', response_text: 'Invoice Not Found' }],
        ['speaks of another mode', { ...CONFIRMED, mode: 'live' }],
      ])('is unknown when PayDunya %s about the invoice', async (_, confirm) => {
        expect(await refused(confirm)).toMatchObject({ kind: 'outcomeUnknown', providerReference: TOKEN });
      });

      it('is told without our keys', async () => {
        scripted.answers.softpay = { success: false, message: `no ${KEYS.privateKey}` };
        scripted.answers.confirm = PENDING;
        expect((await failureOf(paydunya().initiate(ON_PHONE))).message).toBe('no [removed]');
      });
    });
  });

  describe('is offered', () => {
    const waysOf = (options?: Partial<PayDunyaOptions>) => paydunya(options).capabilities.ways;
    const onPhone = (options?: Partial<PayDunyaOptions>) =>
      waysOf(options).find(({ presentation }) => presentation === 'PHONE');

    it('in francs of West Africa, without limits that nobody knows', () => {
      const { capabilities } = paydunya();
      expect(capabilities).toMatchObject({
        currencies: ['XOF'],
        webhookProof: 'STATIC_SECRET',
        partialRefunds: false,
      });
      expect(capabilities.limits('XOF')).toEqual({});
    });

    it('on a page for mobile money and wallets of its countries, and for cards of anywhere', () => {
      const countries = { SN: ['XOF'], CI: ['XOF'], BJ: ['XOF'], BF: ['XOF'], TG: ['XOF'], ML: ['XOF'] };
      expect(waysOf().slice(0, 3)).toEqual([
        { method: 'MOBILE_MONEY', presentation: 'REDIRECT', countries },
        { method: 'WALLET', presentation: 'REDIRECT', countries },
        { method: 'CARD', presentation: 'REDIRECT' },
      ]);
    });

    it('on the phone where the operator needs neither a code nor an address', () => {
      const way = onPhone();
      expect(way).toMatchObject({ method: 'MOBILE_MONEY', needs: ['PHONE_NUMBER', 'OPERATOR'] });
      expect(Object.keys(way?.countries ?? {})).toEqual(['SN', 'CI', 'BJ', 'BF', 'TG']);
      expect(way?.operators).toContainEqual({ code: 'mtn-benin', name: 'MTN MoMo', country: 'BJ' });
      expect(way?.operators?.map(({ code }) => code)).toEqual([
        'new-orange-money-senegal',
        'free-money-senegal',
        'expresso-senegal',
        'wave-senegal',
        'djamo-senegal',
        'djamo-ci',
        'mtn-ci',
        'moov-ci',
        'wave-ci',
        'mtn-benin',
        'moov-benin',
        'moov-burkina',
        't-money-togo',
      ]);
    });

    it('on the phone in the countries of the account only', () => {
      expect(onPhone({ countries: ['BJ', 'ML'] })?.operators).toMatchObject([
        { code: 'mtn-benin' },
        { code: 'moov-benin' },
      ]);
      expect(onPhone({ countries: ['ML'] })).toBeUndefined();
    });

    it('on the phone in mode live, and in a test only where the sandbox has operators', () => {
      expect(onPhone({ mode: 'live', softPayInTest: undefined })).toBeDefined();
      expect(onPhone({ mode: 'test', softPayInTest: undefined })).toBeUndefined();
      expect(paydunya({ softPayInTest: false }).reserve).toBeUndefined();
    });

    it('without what PayDunya has not: cancelling, giving back, changing, holding, listing', () => {
      const provider = paydunya();
      for (const absent of [
        'cancel',
        'refund',
        'updateAmount',
        'capture',
        'listPayments',
        'listNotifications',
      ]) {
        expect(provider).not.toHaveProperty(absent);
      }
    });
  });

  it.each(Object.entries(REQUESTS))(
    'asks %s in its own words',
    async (operator, [path, phoneNumber, body]) => {
      scripted.answers.softpay = { success: true, url: 'https://operator.example/pay' };
      await paydunya().initiate({
        ...ON_PHONE,
        operator,
        phoneNumber,
        providerReference: 'T',
        customerName: 'N',
        customerEmail: 'E',
      });
      expect(scripted.requests).toMatchObject([{ path: `POST /sandbox-api/v1/softpay/${path}` }]);
      expect(scripted.requests[0]?.body).toEqual(body);
    },
  );

  it('asks every operator that is offered in words that are written here', () => {
    const offered = paydunya().capabilities.ways.flatMap(
      ({ operators = [] }): readonly Operator[] => operators,
    );
    expect(offered.map(({ code }) => code).toSorted()).toEqual(Object.keys(REQUESTS).toSorted());
  });
});

describe('a payment at the double of PayDunya', () => {
  let receiver: WebhookReceiver;
  let double: PayDunyaDouble;

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    double = await startDouble();
  });

  afterEach(async () => {
    await double.stop();
    await receiver.stop();
  });

  const startDouble = (options: Partial<PayDunyaDoubleOptions> = {}) =>
    startPayDunyaDouble({ ...KEYS, webhookUrl: () => receiver.url.href, ...options });

  const restartDouble = async (options: Partial<PayDunyaDoubleOptions>) => {
    await double.stop();
    double = await startDouble(options);
  };

  const paydunya = (options: Partial<PayDunyaOptions> = {}) =>
    createPayDunyaProvider({
      ...KEYS,
      baseUrl: double.url,
      mode: 'test',
      storeName: 'Ma Boutique',
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
      softPayInTest: true,
      ...options,
    });

  const asInitiated = (attempt: AttemptToInitiate, providerReference: string): InitiatedAttempt => ({
    ...attempt,
    providerReference,
    begunAt: new Date(),
    openRefunds: [],
  });

  const initiated = async (change: Partial<AttemptToInitiate> = {}) => {
    const attempt = { ...ATTEMPT, ...change };
    return asInitiated(attempt, (await paydunya().initiate(attempt)).providerReference);
  };

  const reserved = async (change: Partial<AttemptToInitiate> = {}) => {
    const attempt = { ...ON_PHONE, ...change };
    const providerReference = (await paydunya().reserve?.(attempt)) ?? '';
    return asInitiated(attempt, providerReference) as InitiatedAttempt & typeof attempt;
  };

  const outcomeOf = async (attempt: InitiatedAttempt) => (await paydunya().verify(attempt))[0]?.outcome;

  const told = async () => {
    await double.settled();
    return receiver.received.map(({ rawBody, headers, receivedAt }) =>
      paydunya().parseNotification(rawBody, headers, receivedAt),
    );
  };

  it.each(NOTIFICATION_SHAPES)(
    'is told of as %s, and confirmed under the same name',
    async (notification) => {
      double.speak({ notification });
      const attempt = await initiated();
      expect(await outcomeOf(attempt)).toEqual({ kind: 'pending' });
      double.pay(attempt.reference);
      const outcome = await outcomeOf(attempt);
      expect(outcome).toMatchObject({
        kind: 'paid',
        amount: 15_000,
        movementReference: attempt.providerReference,
      });
      expect(await told()).toMatchObject([
        {
          verdict: 'accepted',
          proof: 'STATIC_SECRET',
          type: 'invoice.completed',
          markedAsOurs: true,
          events: [
            { attemptReference: attempt.reference, providerReference: attempt.providerReference, outcome },
          ],
        },
      ]);
    },
  );

  it('is understood in the spellings of PayDunya’s own client', async () => {
    double.speak({ spelling: 'README', amounts: 'TEXT' });
    const [paid, failed, cancelled] = [
      await initiated(),
      await initiated({ reference: 'TXN-1043-1' }),
      await initiated({ reference: 'TXN-1044-1' }),
    ];
    double.pay(paid.reference);
    double.fail(failed.reference);
    double.cancel(cancelled.reference);
    expect(await outcomeOf(paid)).toMatchObject({ kind: 'paid', amount: 15_000 });
    expect(await outcomeOf(failed)).toMatchObject({ kind: 'failed', message: expect.any(String) });
    expect(await outcomeOf(cancelled)).toMatchObject({ kind: 'cancelled' });
    expect(await told()).toMatchObject([
      { type: 'invoice.completed' },
      { type: 'invoice.failed' },
      { type: 'invoice.cancelled' },
    ]);
  });

  it('is a hint when it is forged with the hash, and PayDunya says that nothing was paid', async () => {
    const attempt = await initiated();
    double.forge(attempt.reference);
    expect(await told()).toMatchObject([{ verdict: 'accepted', proof: 'STATIC_SECRET' }]);
    expect(await outcomeOf(attempt)).toEqual({ kind: 'pending' });
  });

  it('says what was paid when the payer bore the fees', async () => {
    double.payerBearsFees(0.02);
    const attempt = await initiated();
    double.pay(attempt.reference);
    expect(await outcomeOf(attempt)).toMatchObject({ kind: 'paid', amount: 15_300 });
  });

  it('ends by itself after a day', async () => {
    const attempt = await initiated();
    double.playTimeForward(25 * 3_600_000);
    expect(await outcomeOf(attempt)).toEqual({ kind: 'cancelled', reason: 'cancelled' });
  });

  it('can be opened again when the answer is lost, and is paid once', async () => {
    double.answerNext('createInvoice', { kind: 'hang', afterDoing: true });
    await expect(initiated()).rejects.toMatchObject({ kind: 'unavailable' });
    const attempt = await initiated();
    double.pay(attempt.providerReference);
    expect(await outcomeOf(attempt)).toMatchObject({ kind: 'paid' });
    expect(double.counts()).toMatchObject({ invoices: 2, completed: 1, taken: 15_000 });
  });

  it('is never believed from the other mode', async () => {
    await restartDouble({ mode: 'live' });
    const attempt = await initiated();
    double.pay(attempt.reference);
    await expect(outcomeOf(attempt)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'ANSWER_UNREADABLE',
    });
    expect(await told()).toMatchObject([{ verdict: 'ignored' }]);
  });

  it('is rejected with other keys, and opened with ours however they were pasted', async () => {
    const other = paydunya({ masterKey: 'another' }).initiate(ATTEMPT);
    expect(await failureOf(other)).toMatchObject({ kind: 'rejected', code: '1001' });
    const pasted = paydunya({ masterKey: `${KEYS.masterKey}\n`, token: ` ${KEYS.token}` });
    expect(await pasted.initiate(ATTEMPT)).toMatchObject({ nextAction: { type: 'RedirectToUrl' } });
  });

  it('is rejected when PayDunya does not know the invoice', async () => {
    const attempt = await initiated();
    const unknown = { ...attempt, providerReference: `${attempt.providerReference}0` };
    expect(await failureOf(paydunya().verify(unknown))).toMatchObject({ kind: 'rejected' });
  });

  const AT_ONCE = Object.entries(REQUESTS).filter(([operator]) => operator !== 'moov-ci');

  it.each(AT_ONCE)('is paid with %s', async (operator, [path, phoneNumber]) => {
    const attempt = await reserved({ operator, phoneNumber });
    const { nextAction } = await paydunya().initiate(attempt);
    expect(['ApproveOnPhone', 'RedirectToUrl']).toContain(nextAction.type);
    expect(double.prompts()).toMatchObject([{ channel: path, token: attempt.providerReference }]);
    double.approve(attempt.reference);
    expect(await outcomeOf(attempt)).toMatchObject({ kind: 'paid', amount: 15_000 });
  });

  describe('with an operator who answers when the payer has decided', () => {
    const onMoov = { operator: 'moov-ci', phoneNumber: '+2250101010101' };

    const begun = async () => {
      const attempt = await reserved(onMoov);
      const call = paydunya().initiate(attempt);
      // Handled below; meanwhile nobody listens.
      call.catch(() => undefined);
      await eventually(
        () => double.prompts(),
        ({ length }) => length === 1,
      );
      return { attempt, call };
    };

    it('is begun, and paid, when they approve', async () => {
      const { attempt, call } = await begun();
      double.approve(attempt.reference);
      expect(await call).toMatchObject({ providerReference: attempt.providerReference });
      expect(await outcomeOf(attempt)).toMatchObject({ kind: 'paid' });
    });

    it.each([
      ['they decline', () => double.decline(ATTEMPT.reference)],
      ['they are too slow', () => double.playTimeForward(31_000)],
    ])('is declined when %s', async (_, decide) => {
      const { call } = await begun();
      decide();
      expect(await failureOf(call)).toMatchObject({ kind: 'declined' });
    });
  });

  it('is paid once, however often its operator is asked', async () => {
    const attempt = await reserved();
    await paydunya().initiate(attempt);
    await paydunya().initiate(attempt);
    double.approve(attempt.reference);
    expect(await failureOf(paydunya().initiate(attempt))).toMatchObject({
      kind: 'outcomeUnknown',
      code: 'INVOICE_COMPLETED',
      providerReference: attempt.providerReference,
    });
    expect(await outcomeOf(attempt)).toMatchObject({ kind: 'paid', amount: 15_000 });
    expect(await told()).toHaveLength(1);
  });

  it('on the phone may be under way when the answer is lost, and is found by its invoice', async () => {
    const attempt = await reserved();
    double.answerNext('softpay', { kind: 'hang', afterDoing: true });
    const { kind, providerReference = '' } = await failureOf(paydunya().initiate(attempt));
    expect(kind).toBe('outcomeUnknown');
    double.approve(attempt.reference);
    expect(await outcomeOf({ ...attempt, providerReference })).toMatchObject({ kind: 'paid' });
  });

  it('fails when the payer says no on their phone', async () => {
    const attempt = await reserved();
    await paydunya().initiate(attempt);
    double.decline(attempt.reference);
    expect(await outcomeOf(attempt)).toMatchObject({ kind: 'failed' });
  });

  it('is declined when the operator is taken away from the merchant, or was never there', async () => {
    double.withdrawOperator('mtn-benin');
    expect(await failureOf(paydunya().initiate(await reserved()))).toMatchObject({ kind: 'declined' });
    await restartDouble({ simulateOperators: false });
    expect(await failureOf(paydunya().initiate(await reserved()))).toMatchObject({ kind: 'declined' });
  });
});
