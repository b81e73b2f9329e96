import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { CURRENCIES } from '../src/money.js';
import { readTerms } from '../src/providers/pawapay/active-configuration.js';
import { KeptAnswer } from '../src/providers/pawapay/kept-answer.js';
import type { PawaPayProviderOptions } from '../src/providers/pawapay/pawapay-options.js';
import { readMoney, toPawaPayAmount } from '../src/providers/pawapay/pawapay-amount.js';
import { createPawaPayProvider } from '../src/providers/pawapay/pawapay-provider.js';
import { customerMessage, pageReason } from '../src/providers/pawapay/what-is-told.js';
import type {
  AttemptToInitiate,
  InitiatedAttempt,
  Provider,
  ProviderFailure,
  RefundToMake,
} from '../src/providers/provider.js';
import {
  type PawaPayDouble,
  type PawaPayDoubleOptions,
  startPawaPayDouble,
} from '../src/sandbox/pawapay/pawapay-double.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const TOKEN = 'pawapay-token-that-nobody-may-see';

type Answer = {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly hangs?: true;
};

interface SeenRequest {
  readonly route: string;
  readonly body: any;
  readonly authorization: string | undefined;
}

/** pawaPay as one test wants it. A route without an answer is a fault of the test. */
class ScriptedPawaPay {
  readonly seen: SeenRequest[] = [];
  readonly #answers = new Map<string, Answer[]>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const route = `${request.method} ${request.url}`;
        const { authorization } = request.headers;
        this.seen.push({ route, body: body === '' ? undefined : JSON.parse(body), authorization });
        this.#answer(route, response);
      });
    });
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** In this order; the last one for ever. */
  answer(route: string, ...answers: Answer[]): void {
    this.#answers.set(route, answers);
  }

  bodiesOf(route: string): any[] {
    return this.seen.filter((request) => request.route === route).map(({ body }) => body);
  }

  #answer(route: string, response: ServerResponse): void {
    const answers = this.#answers.get(route) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (!answer) response.writeHead(599).end(`no answer for ${route}`);
    else if (!answer.hangs) {
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
      response.end(answer.text ?? JSON.stringify(answer.json));
    }
  }
}

const DEPOSITS = 'POST /v2/deposits';
const PAGE = 'POST /v2/paymentpage';
const REFUNDS = 'POST /v2/refunds';
const PREDICT = 'POST /v2/predict-provider';
const CONFIGURATION = 'GET /v2/active-conf?operationType=DEPOSIT';
const AVAILABILITY = 'GET /v2/availability?operationType=DEPOSIT';
const PHONE_NUMBER = '22951345789';

/** How one operator takes money, by default as MTN in Benin does. */
function configuration(deposit: object = {}, operator = 'MTN_MOMO_BEN', currency = 'XOF', country = 'BEN') {
  const terms = {
    minAmount: '1',
    maxAmount: '2000000',
    decimalsInAmount: 'NONE',
    status: 'OPERATIONAL',
    authType: 'PROVIDER_AUTH',
    pinPrompt: 'AUTOMATIC',
    pinPromptRevivable: true,
    ...deposit,
  };
  const currencies = [{ currency, displayName: currency, operationTypes: { DEPOSIT: terms } }];
  const providers = [{ provider: operator, displayName: 'MTN', currencies }];
  return { json: { companyName: 'Shop', countries: [{ country, prefix: '229', providers }] } };
}

const REFUSED = (failureCode: string) => ({
  failureReason: { failureCode, failureMessage: 'In their words.' },
});

let pawaPay: ScriptedPawaPay;

beforeEach(async () => {
  pawaPay = await new ScriptedPawaPay().start();
  pawaPay.answer(CONFIGURATION, configuration());
  pawaPay.answer(PREDICT, {
    json: { country: 'BEN', provider: 'MTN_MOMO_BEN', phoneNumber: PHONE_NUMBER },
  });
});

afterEach(() => pawaPay.stop());

const provider = (options: Partial<PawaPayProviderOptions> = {}): Provider =>
  createPawaPayProvider({ token: TOKEN, baseUrl: pawaPay.url, timeoutMilliseconds: 300, ...options });

const EXPIRES_AT = new Date('2026-11-01T12:00:00Z');

const attemptOf = (change: Partial<AttemptToInitiate> = {}): AttemptToInitiate => ({
  reference: 'TXN-1042-1',
  idempotencyKey: randomUUID(),
  amount: 15_000,
  currency: 'XOF',
  method: 'MOBILE_MONEY',
  presentation: 'PHONE',
  description: 'Commande n° 1042 – café',
  phoneNumber: `+${PHONE_NUMBER}`,
  captureMethod: 'AUTOMATIC',
  expiresAt: EXPIRES_AT,
  ...change,
});

const onPage = (change: Partial<AttemptToInitiate> = {}) =>
  attemptOf({
    presentation: 'REDIRECT',
    returnUrl: 'https://shop.example/done',
    country: 'BJ',
    phoneNumber: undefined,
    locale: 'fr',
    ...change,
  });

const MINUTE = 60_000;

const initiated = (change: Partial<InitiatedAttempt> = {}): InitiatedAttempt => {
  const depositId = randomUUID();
  return {
    reference: 'TXN-1042-1',
    providerReference: depositId,
    idempotencyKey: depositId,
    amount: 15_000,
    currency: 'XOF',
    presentation: 'PHONE',
    begunAt: new Date(Date.now() - 5 * MINUTE),
    openRefunds: [],
    ...change,
  };
};

/** How a call fails, without the words. */
const failureOf = async (call: Promise<unknown>): Promise<ProviderFailure> => {
  try {
    await call;
  } catch (error) {
    return error as ProviderFailure;
  }
  throw new Error('it did not fail');
};

const acceptDeposits = (more: object = { nextStep: 'FINAL_STATUS' }, attempt = attemptOf()) => {
  pawaPay.answer(DEPOSITS, { json: { depositId: attempt.idempotencyKey, status: 'ACCEPTED', ...more } });
  return attempt;
};

const rejectDeposits = (failureCode: string, attempt = attemptOf()) => {
  const { idempotencyKey: depositId } = attempt;
  pawaPay.answer(DEPOSITS, { json: { depositId, status: 'REJECTED', ...REFUSED(failureCode) } });
  return attempt;
};

const showDeposit = (depositId: string, deposit: object | undefined) =>
  pawaPay.answer(`GET /v2/deposits/${depositId}`, {
    json: deposit
      ? { status: 'FOUND', data: { depositId, amount: '15000.00', currency: 'XOF', ...deposit } }
      : { status: 'NOT_FOUND' },
  });

const duplicate = (deposit: object | undefined, attempt = attemptOf()) => {
  const { idempotencyKey: depositId } = attempt;
  pawaPay.answer(DEPOSITS, { json: { depositId, status: 'DUPLICATE_IGNORED' } });
  showDeposit(depositId, deposit);
  return attempt;
};

describe('a payment on the payer’s phone', () => {
  it('is ordered under the attempt’s key, and carries our reference', async () => {
    const attempt = acceptDeposits();
    await provider().initiate(attempt);
    expect(pawaPay.bodiesOf(DEPOSITS)).toEqual([
      {
        depositId: attempt.idempotencyKey,
        payer: { type: 'MMO', accountDetails: { phoneNumber: PHONE_NUMBER, provider: 'MTN_MOMO_BEN' } },
        amount: '15000',
        currency: 'XOF',
        customerMessage: 'Commande n 1042 cafe',
        clientReferenceId: 'TXN-1042-1',
        metadata: [{ attempt: 'TXN-1042-1' }],
      },
    ]);
    for (const { authorization } of pawaPay.seen) expect(authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('tells the payer what to do, with all but the end of the number hidden', async () => {
    const attempt = acceptDeposits();
    expect(await provider().initiate(attempt)).toEqual({
      providerReference: attempt.idempotencyKey,
      nextAction: {
        type: 'ApproveOnPhone',
        phoneNumber: '+••••••••789',
        operator: 'MTN MoMo',
        instructions: [
          expect.stringMatching(/^MTN MoMo asks you on your phone to approve the payment of .*15,000/),
          'Enter your PIN there.',
        ],
        expiresAt: EXPIRES_AT,
      },
    });
  });

  it.each(['fr', 'fr-BJ', 'FR'])('tells it in French to a payer of locale %s', async (locale) => {
    const { nextAction } = await provider().initiate(acceptDeposits({}, attemptOf({ locale })));
    expect(nextAction).toMatchObject({
      instructions: [expect.any(String), 'Saisissez-y votre code secret.'],
    });
  });

  it.each([undefined, 'en', 'pt', 'fro', 'zz'])('tells it in English for locale %s', async (locale) => {
    const { nextAction } = await provider().initiate(acceptDeposits({}, attemptOf({ locale })));
    expect(nextAction).toMatchObject({ instructions: [expect.any(String), 'Enter your PIN there.'] });
  });

  const CHANNELS = [
    {
      type: 'USSD',
      displayName: { en: 'Did not get a PIN prompt?', fr: 'Pas reçu la demande ?' },
      instructions: {
        en: [{ text: 'Dial *840#' }, { text: 'Enter PIN' }],
        fr: [{ text: 'Composez *840#' }, { text: 'Entrez le code PIN' }],
      },
    },
  ];

  const instructionsWith = async (terms: object, locale = 'en') => {
    pawaPay.answer(CONFIGURATION, configuration(terms));
    const { nextAction } = await provider().initiate(acceptDeposits({}, attemptOf({ locale })));
    if (nextAction.type !== 'ApproveOnPhone') throw new Error(nextAction.type);
    return nextAction.instructions;
  };

  it('tells the operator’s own steps where the payer must ask for the prompt', async () => {
    const terms = { pinPrompt: 'MANUAL', pinPromptInstructions: { channels: CHANNELS } };
    expect(await instructionsWith(terms)).toEqual(['Dial *840#', 'Enter PIN']);
    expect(await instructionsWith(terms, 'fr')).toEqual(['Composez *840#', 'Entrez le code PIN']);
  });

  it('tells them as a way out where the prompt should come by itself', async () => {
    const instructions = await instructionsWith({ pinPromptInstructions: { channels: CHANNELS } });
    expect(instructions.slice(1)).toEqual([
      'Enter your PIN there.',
      'Did not get a PIN prompt?',
      'Dial *840#',
      'Enter PIN',
    ]);
  });

  it.each([
    null,
    [],
    {},
    { channels: null },
    { channels: [7, 'x'] },
    { channels: [{ instructions: { en: 'Dial' } }] },
  ])('has steps of its own where the operator’s are %j', async (pinPromptInstructions) => {
    const instructions = await instructionsWith({ pinPrompt: 'MANUAL', pinPromptInstructions });
    expect(instructions[0]).toBe('Open the menu or the app of MTN MoMo on your phone.');
    expect(instructions).toHaveLength(3);
  });

  it('goes to the operator that the payer named, and nobody is asked which', async () => {
    pawaPay.answer(CONFIGURATION, configuration({}, 'MOOV_BEN'));
    await provider().initiate(acceptDeposits({}, attemptOf({ operator: 'MOOV_BEN' })));
    expect(pawaPay.bodiesOf(DEPOSITS)[0].payer.accountDetails.provider).toBe('MOOV_BEN');
    expect(pawaPay.bodiesOf(PREDICT)).toEqual([]);
  });

  it('goes to the number as pawaPay spells it', async () => {
    pawaPay.answer(PREDICT, {
      json: { country: 'BEN', provider: 'MTN_MOMO_BEN', phoneNumber: '2290151345789' },
    });
    const { nextAction } = await provider().initiate(acceptDeposits());
    expect(pawaPay.bodiesOf(PREDICT)).toEqual([{ phoneNumber: PHONE_NUMBER }]);
    expect(pawaPay.bodiesOf(DEPOSITS)[0].payer.accountDetails.phoneNumber).toBe('2290151345789');
    expect(nextAction).toMatchObject({ phoneNumber: '+••••••••••789' });
  });

  it.each([
    ['another number', { phoneNumber: '22951000111' }, 'unavailable', 'ANSWER_UNREADABLE'],
    ['a number of another country', { country: 'CIV' }, 'rejected', 'PHONE_NUMBER_NOT_SUPPORTED'],
  ])('asks nobody’s phone when pawaPay’s guess is of %s', async (_what, guess, kind, code) => {
    pawaPay.answer(PREDICT, {
      json: { country: 'BEN', provider: 'MTN_MOMO_BEN', phoneNumber: PHONE_NUMBER, ...guess },
    });
    const failure = await failureOf(provider().initiate(acceptDeposits({}, attemptOf({ country: 'BJ' }))));
    expect(failure).toMatchObject({ kind, code });
    expect(pawaPay.bodiesOf(DEPOSITS)).toEqual([]);
  });

  it.each([
    ['a key that is no UUIDv4', { idempotencyKey: 'key-1' }, 'KEY_NOT_UUID'],
    ['a key that is a UUIDv7', { idempotencyKey: '0192f0c1-7a3b-7c4d-8e5f-001122334455' }, 'KEY_NOT_UUID'],
    ['a card', { method: 'CARD' }, 'WAY_NOT_SUPPORTED'],
    ['a page of ours', { presentation: 'EMBEDDED' }, 'WAY_NOT_SUPPORTED'],
    ['money that is to be held', { captureMethod: 'MANUAL' }, 'CAPTURE_NOT_SUPPORTED'],
    ['no number', { phoneNumber: undefined }, 'PHONE_NUMBER_MISSING'],
    ['a number that is not E.164', { phoneNumber: '0151345789' }, 'PHONE_NUMBER_MISSING'],
    ['an operator that our account does not have', { operator: 'WAVE_SEN' }, 'OPERATOR_NOT_ACTIVE'],
    ['a currency that the operator does not take', { currency: 'EUR' }, 'CURRENCY_NOT_SUPPORTED'],
  ] as const)('is refused before it is ordered with %s', async (_what, change, code) => {
    const failure = await failureOf(provider().initiate(attemptOf(change)));
    expect(failure).toMatchObject({ kind: 'rejected', code, provider: 'pawapay' });
    expect(pawaPay.bodiesOf(DEPOSITS)).toEqual([]);
  });

  it('is refused from a country that we do not use pawaPay in', async () => {
    const failure = await failureOf(provider({ countries: ['SN'] }).initiate(attemptOf()));
    expect(failure).toMatchObject({ kind: 'rejected', code: 'COUNTRY_NOT_SUPPORTED' });
  });

  it('says to use the page for an operator that wants a code beforehand', async () => {
    pawaPay.answer(CONFIGURATION, configuration({ authType: 'PREAUTH' }));
    const failure = await failureOf(provider().initiate(attemptOf()));
    expect(failure).toMatchObject({ kind: 'rejected', code: 'OPERATOR_NEEDS_CODE' });
    expect(failure.message).toContain('REDIRECT');
  });

  it.each([
    [99, '100', '2000000'],
    [2_001, '1', '2000'],
  ])('of %d is out of the bounds %s to %s', async (amount, minAmount, maxAmount) => {
    pawaPay.answer(CONFIGURATION, configuration({ minAmount, maxAmount }));
    const failure = await failureOf(provider().initiate(attemptOf({ amount })));
    expect(failure).toMatchObject({ kind: 'rejected', code: 'AMOUNT_OUT_OF_BOUNDS' });
    expect(failure.message).toContain(`${minAmount} to ${maxAmount} XOF`);
  });

  it.each([100, 2_000])('of %d is within the bounds, which are inclusive', async (amount) => {
    pawaPay.answer(CONFIGURATION, configuration({ minAmount: '100', maxAmount: '2000.00' }));
    await expect(provider().initiate(acceptDeposits({}, attemptOf({ amount })))).resolves.toBeDefined();
  });

  it.each([undefined, null, 'many', '7,000'])('leaves bounds of %j to pawaPay', async (maxAmount) => {
    pawaPay.answer(CONFIGURATION, configuration({ minAmount: maxAmount, maxAmount }));
    await expect(provider().initiate(acceptDeposits())).resolves.toBeDefined();
  });

  it('of cents goes to an operator that takes them, and to no other', async () => {
    const inDollars = () => attemptOf({ amount: 10_50, currency: 'USD', operator: 'AIRTEL_COD' });
    const terms = (decimalsInAmount: string) =>
      configuration({ decimalsInAmount }, 'AIRTEL_COD', 'USD', 'COD');
    pawaPay.answer(CONFIGURATION, terms('NONE'));
    const failure = await failureOf(provider().initiate(inDollars()));
    expect(failure).toMatchObject({ kind: 'rejected', code: 'AMOUNT_NOT_WHOLE' });
    pawaPay.answer(CONFIGURATION, terms('TWO_PLACES'));
    await provider().initiate(acceptDeposits({}, inDollars()));
    expect(pawaPay.bodiesOf(DEPOSITS)[0]).toMatchObject({ amount: '10.50', currency: 'USD' });
  });

  it('does not happen while the operator is closed, so another provider may be asked', async () => {
    pawaPay.answer(CONFIGURATION, configuration({ status: 'CLOSED' }));
    const failure = await failureOf(provider().initiate(attemptOf()));
    expect(failure).toMatchObject({ kind: 'unavailable', code: 'OPERATOR_CLOSED' });
    expect(pawaPay.bodiesOf(DEPOSITS)).toEqual([]);
  });

  it('happens while the operator is slow', async () => {
    pawaPay.answer(CONFIGURATION, configuration({ status: 'DELAYED' }));
    await expect(provider().initiate(acceptDeposits())).resolves.toBeDefined();
  });

  it.each([PREDICT, CONFIGURATION])('has not begun when %s gives no answer', async (route) => {
    for (const answer of [{ hangs: true }, { status: 500, json: {} }, { text: 'hello' }] as const) {
      pawaPay.answer(route, answer);
      expect(await failureOf(provider().initiate(attemptOf()))).toMatchObject({ kind: 'unavailable' });
    }
    expect(pawaPay.bodiesOf(DEPOSITS)).toEqual([]);
  });

  it.each([
    ['nothing', { hangs: true }, 'TIMEOUT'],
    ['500', { status: 500, json: REFUSED('UNKNOWN_ERROR') }, 'UNKNOWN_ERROR'],
    ['an unknown error as a fault of ours', { status: 400, json: REFUSED('UNKNOWN_ERROR') }, 'UNKNOWN_ERROR'],
    ['503', { status: 503, text: 'busy' }, 'HTTP_503'],
    ['408', { status: 408, text: '' }, 'HTTP_408'],
    ['a redirect', { status: 302, text: '' }, 'HTTP_302'],
    ['no JSON', { text: '<html>' }, 'ANSWER_UNREADABLE'],
    ['an unknown word', { json: { status: 'PERHAPS' } }, 'ANSWER_UNREADABLE'],
    ['another deposit', { json: { depositId: randomUUID(), status: 'ACCEPTED' } }, 'ANSWER_UNREADABLE'],
    ['null', { json: null }, 'ANSWER_UNREADABLE'],
  ] as const)(
    'may have been begun when its answer is %s, and can be asked about',
    async (_what, answer, code) => {
      const attempt = attemptOf();
      pawaPay.answer(DEPOSITS, answer);
      const failure = await failureOf(provider().initiate(attempt));
      expect(failure).toMatchObject({
        kind: 'outcomeUnknown',
        code,
        providerReference: attempt.idempotencyKey,
      });
    },
  );

  it.each([
    ['PAYMENT_NOT_APPROVED', 'declined'],
    ['INSUFFICIENT_BALANCE', 'declined'],
    ['PAYMENT_IN_PROGRESS', 'declined'],
    ['PAYER_NOT_FOUND', 'declined'],
    ['PAYER_LIMIT_REACHED', 'declined'],
    ['WALLET_LIMIT_REACHED', 'declined'],
    ['INVALID_PHONE_NUMBER', 'declined'],
    ['AMOUNT_OUT_OF_BOUNDS', 'rejected'],
    ['INVALID_AMOUNT', 'rejected'],
    ['INVALID_CURRENCY', 'rejected'],
    ['INVALID_PROVIDER', 'rejected'],
    ['DEPOSITS_NOT_ALLOWED', 'rejected'],
    ['UNSPECIFIED_FAILURE', 'rejected'],
    ['UNKNOWN_ERROR', 'rejected'],
    ['A_CODE_OF_TOMORROW', 'rejected'],
    ['constructor', 'rejected'],
    ['PROVIDER_TEMPORARILY_UNAVAILABLE', 'unavailable'],
  ])('that is rejected with %s is %s', async (code, kind) => {
    const failure = await failureOf(provider().initiate(rejectDeposits(code)));
    expect(failure).toMatchObject({ kind, code, coversEarlierCalls: false });
    expect(failure.message).toMatch(/^pawaPay: \p{Lu}?.+\.$/u);
    expect(failure.message).not.toContain('In their words');
  });

  it('that pawaPay has seen before is the same one, begun before', async () => {
    const first = attemptOf();
    const begun = await provider().initiate(acceptDeposits({ nextStep: 'FINAL_STATUS' }, first));
    expect(await provider().initiate(duplicate({ status: 'PROCESSING' }, first))).toEqual(begun);
    expect(await provider().initiate(duplicate({ status: 'COMPLETED' }, first))).toEqual(begun);
  });

  it.each([
    ['INSUFFICIENT_BALANCE', 'declined'],
    ['UNSPECIFIED_FAILURE', 'rejected'],
    ['PROVIDER_TEMPORARILY_UNAVAILABLE', 'rejected'],
  ])('that was begun before and failed with %s is over, whatever was called earlier', async (code, kind) => {
    const attempt = duplicate({ status: 'FAILED', ...REFUSED(code) });
    const failure = await failureOf(provider().initiate(attempt));
    expect(failure).toMatchObject({ kind, code, coversEarlierCalls: true });
  });

  it('that pawaPay has seen, but does not show, is to be asked about', async () => {
    const attempt = duplicate(undefined);
    const failure = await failureOf(provider().initiate(attempt));
    expect(failure).toMatchObject({ kind: 'outcomeUnknown', providerReference: attempt.idempotencyKey });
  });

  it('that was ordered stays unknown when its status can’t be had', async () => {
    const attempt = duplicate({});
    pawaPay.answer(`GET /v2/deposits/${attempt.idempotencyKey}`, { status: 500, json: {} });
    const failure = await failureOf(provider().initiate(attempt));
    expect(failure).toMatchObject({ kind: 'outcomeUnknown', providerReference: attempt.idempotencyKey });
  });
});

describe('a payment that the payer approves on the operator’s page', () => {
  const URL_OF_WAVE = `https://pay.wave.com/c/${'long'.repeat(100)}`;
  const withReturn = () => attemptOf({ operator: 'WAVE_SEN', returnUrl: 'https://shop.example/done' });
  const redirect = (attempt: AttemptToInitiate) => ({
    providerReference: attempt.idempotencyKey,
    nextAction: { type: 'RedirectToUrl', url: URL_OF_WAVE },
  });

  beforeEach(() => {
    pawaPay.answer(CONFIGURATION, configuration({ authType: 'REDIRECT_AUTH' }, 'WAVE_SEN', 'XOF', 'SEN'));
  });

  it('sends the payer there, and tells it where to send them back to', async () => {
    const answer = { nextStep: 'REDIRECT_TO_AUTH_URL', authorizationUrl: URL_OF_WAVE };
    const attempt = acceptDeposits(answer, withReturn());
    expect(await provider().initiate(attempt)).toEqual(redirect(attempt));
    expect(pawaPay.bodiesOf(DEPOSITS)[0]).toMatchObject({
      successfulUrl: 'https://shop.example/done',
      failedUrl: 'https://shop.example/done',
    });
  });

  it('waits for a page that is not there at once', async () => {
    const attempt = acceptDeposits({ nextStep: 'GET_AUTH_URL' }, withReturn());
    const found = (more: object) => ({
      json: { status: 'FOUND', data: { depositId: attempt.idempotencyKey, status: 'PROCESSING', ...more } },
    });
    pawaPay.answer(
      `GET /v2/deposits/${attempt.idempotencyKey}`,
      { json: { status: 'NOT_FOUND' } },
      found({ nextStep: 'REDIRECT_TO_AUTH_URL', authorizationUrl: URL_OF_WAVE }),
    );
    expect(await provider({ timeoutMilliseconds: 2_000 }).initiate(attempt)).toEqual(redirect(attempt));
  });

  it('finds the same page when it is asked for again', async () => {
    const attempt = duplicate({ status: 'PROCESSING', authorizationUrl: URL_OF_WAVE }, withReturn());
    expect(await provider().initiate(attempt)).toEqual(redirect(attempt));
  });

  it.each(['javascript:alert(1)', '/pay', '', 7])('never sends the payer to %j', async (authorizationUrl) => {
    const attempt = acceptDeposits({ nextStep: 'REDIRECT_TO_AUTH_URL', authorizationUrl }, withReturn());
    showDeposit(attempt.idempotencyKey, { status: 'PROCESSING', authorizationUrl });
    const failure = await failureOf(provider().initiate(attempt));
    expect(failure).toMatchObject({ kind: 'outcomeUnknown', providerReference: attempt.idempotencyKey });
  });

  it('is declined when the operator declines it while we wait', async () => {
    const attempt = acceptDeposits({ nextStep: 'GET_AUTH_URL' }, withReturn());
    showDeposit(attempt.idempotencyKey, { status: 'FAILED', ...REFUSED('PAYER_NOT_FOUND') });
    const failure = await failureOf(provider().initiate(attempt));
    expect(failure).toMatchObject({ kind: 'declined', code: 'PAYER_NOT_FOUND' });
  });

  it('needs an address to come back to', async () => {
    const failure = await failureOf(provider().initiate(attemptOf({ operator: 'WAVE_SEN' })));
    expect(failure).toMatchObject({ kind: 'rejected', code: 'RETURN_URL_MISSING' });
  });
});

describe('a payment on pawaPay’s page', () => {
  const redirectUrl = `https://sandbox.paywith.pawapay.io/v2?token=${'t'.repeat(400)}`;

  it('is for exactly this amount, country and language', async () => {
    pawaPay.answer(PAGE, { json: { redirectUrl } });
    const attempt = onPage();
    expect(await provider().initiate(attempt)).toEqual({
      providerReference: attempt.idempotencyKey,
      nextAction: { type: 'RedirectToUrl', url: redirectUrl },
    });
    expect(pawaPay.bodiesOf(PAGE)).toEqual([
      {
        depositId: attempt.idempotencyKey,
        returnUrl: 'https://shop.example/done',
        amountDetails: { amount: '15000', currency: 'XOF' },
        country: 'BEN',
        language: 'FR',
        reason: 'Commande n° 1042 – café',
        customerMessage: 'Commande n 1042 cafe',
        metadata: [{ attempt: 'TXN-1042-1' }],
      },
    ]);
  });

  it('is for the payer’s number where the country isn’t known', async () => {
    pawaPay.answer(PAGE, { json: { redirectUrl } });
    await provider().initiate(onPage({ country: undefined, phoneNumber: `+${PHONE_NUMBER}` }));
    expect(pawaPay.bodiesOf(PAGE)[0]).toMatchObject({ phoneNumber: PHONE_NUMBER });
  });

  it.each([
    [{ returnUrl: undefined }, 'RETURN_URL_MISSING'],
    [{ country: undefined }, 'COUNTRY_MISSING'],
    [{ country: 'DE' }, 'COUNTRY_NOT_SUPPORTED'],
    [{ currency: 'XAF' }, 'CURRENCY_NOT_SUPPORTED'],
  ] as const)('is refused with %j', async (change, code) => {
    const failure = await failureOf(provider().initiate(onPage(change)));
    expect(failure).toMatchObject({ kind: 'rejected', code });
    expect(pawaPay.seen).toEqual([]);
  });

  it.each([
    { hangs: true },
    { status: 500, json: REFUSED('UNKNOWN_ERROR') },
    { text: 'hello' },
    { json: {} },
  ] as const)('whose address got lost (%j) charges nobody', async (answer) => {
    pawaPay.answer(PAGE, answer);
    expect(await failureOf(provider().initiate(onPage()))).toMatchObject({ kind: 'unavailable' });
  });

  const REFUSALS = [
    { json: { status: 'REJECTED', ...REFUSED('INVALID_INPUT') } },
    { status: 400, json: REFUSED('INVALID_INPUT') },
  ];

  it.each(REFUSALS)('that is refused (%j), and of which there is no payment, is refused', async (answer) => {
    const attempt = onPage();
    pawaPay.answer(PAGE, answer);
    showDeposit(attempt.idempotencyKey, undefined);
    const failure = await failureOf(provider().initiate(attempt));
    expect(failure).toMatchObject({ kind: 'rejected', code: 'INVALID_INPUT', coversEarlierCalls: false });
  });

  it.each([...REFUSALS, { json: { status: 'DUPLICATE_IGNORED' } }])(
    'that is refused (%j) because the payer has begun is to be asked about',
    async (answer) => {
      const attempt = onPage();
      pawaPay.answer(PAGE, answer);
      for (const status of ['ACCEPTED', 'COMPLETED']) {
        showDeposit(attempt.idempotencyKey, { status });
        const failure = await failureOf(provider().initiate(attempt));
        expect(failure).toMatchObject({ kind: 'outcomeUnknown', providerReference: attempt.idempotencyKey });
      }
      showDeposit(attempt.idempotencyKey, { status: 'FAILED', ...REFUSED('INSUFFICIENT_BALANCE') });
      const failure = await failureOf(provider().initiate(attempt));
      expect(failure).toMatchObject({ kind: 'declined', coversEarlierCalls: true });
    },
  );

  it('that pawaPay has made before, and on which nobody has begun, is to be asked about', async () => {
    const attempt = onPage();
    pawaPay.answer(PAGE, { json: { status: 'DUPLICATE_IGNORED' } });
    showDeposit(attempt.idempotencyKey, undefined);
    const failure = await failureOf(provider().initiate(attempt));
    expect(failure).toMatchObject({ kind: 'outcomeUnknown', providerReference: attempt.idempotencyKey });
  });
});

describe('asked how a payment is, pawaPay', () => {
  const outcomeOf = async (attempt: InitiatedAttempt) => (await provider().verify(attempt))[0]?.outcome;

  it.each([
    ['ACCEPTED', 'pending'],
    ['SUBMITTED', 'pending'],
    ['ENQUEUED', 'pending'],
    ['PROCESSING', 'pending'],
    ['IN_RECONCILIATION', 'processing'],
    ['A_WORD_OF_TOMORROW', 'processing'],
    ['completed', 'paid'],
    ['COMPLETED', 'paid'],
    ['FAILED', 'failed'],
    ['REJECTED', 'failed'],
  ])('says %s, which means %s', async (status, kind) => {
    const attempt = initiated();
    showDeposit(attempt.providerReference, { status, ...REFUSED('PAYMENT_NOT_APPROVED') });
    expect((await outcomeOf(attempt))?.kind).toBe(kind);
  });

  it('tells money by its value, and by the id of the deposit', async () => {
    const attempt = initiated();
    for (const amount of ['15000', '15000.0', '15000.00']) {
      showDeposit(attempt.providerReference, { status: 'COMPLETED', amount });
      expect(await provider().verify(attempt)).toEqual([
        {
          providerReference: attempt.providerReference,
          attemptReference: 'TXN-1042-1',
          outcome: {
            kind: 'paid',
            amount: 15_000,
            currency: 'XOF',
            movementReference: attempt.providerReference,
          },
        },
      ]);
    }
  });

  it.each([
    ['PAYMENT_NOT_APPROVED', /did not approve/],
    ['INSUFFICIENT_BALANCE', /not enough money/],
    ['PAYMENT_IN_PROGRESS', /in progress/],
    ['PAYER_NOT_FOUND', /no wallet/],
    ['PAYER_LIMIT_REACHED', /limit/],
    ['MANUALLY_CANCELLED', /cancelled by hand/],
    ['UNSPECIFIED_FAILURE', /no reason/],
    ['UNKNOWN_ERROR', /not known/],
    ['A_CODE_OF_TOMORROW', /reason that we don’t know/],
  ])('says why it failed: %s', async (code, message) => {
    const attempt = initiated();
    showDeposit(attempt.providerReference, { status: 'FAILED', ...REFUSED(code) });
    expect(await outcomeOf(attempt)).toEqual({
      kind: 'failed',
      code,
      message: expect.stringMatching(message),
    });
  });

  it('may fail a payment without saying why', async () => {
    const attempt = initiated();
    showDeposit(attempt.providerReference, { status: 'FAILED' });
    expect(await outcomeOf(attempt)).toMatchObject({ kind: 'failed', code: 'UNSPECIFIED_FAILURE' });
  });

  it.each([
    ['no status', { status: undefined }],
    ['no amount', { status: 'COMPLETED', amount: undefined }],
    ['an amount of nothing', { status: 'COMPLETED', amount: '0' }],
    ['a part of a franc', { status: 'COMPLETED', amount: '15000.5' }],
    ['an amount that could be two', { status: 'COMPLETED', amount: '15,000' }],
    ['a currency that we can’t count in', { status: 'COMPLETED', currency: 'XXX' }],
    ['another deposit', { status: 'COMPLETED', depositId: randomUUID() }],
  ])('is not believed with %s', async (_what, deposit) => {
    const attempt = initiated();
    showDeposit(attempt.providerReference, deposit);
    const failure = await failureOf(provider().verify(attempt));
    expect(failure).toMatchObject({ kind: 'unavailable', code: 'ANSWER_UNREADABLE' });
  });

  it.each([{ hangs: true }, { status: 500, json: {} }, { text: 'x' }, { json: { status: 'GONE' } }] as const)(
    'can be asked again after %j',
    async (answer) => {
      const attempt = initiated();
      pawaPay.answer(`GET /v2/deposits/${attempt.providerReference}`, answer);
      expect(await failureOf(provider().verify(attempt))).toMatchObject({ kind: 'unavailable' });
    },
  );

  const unknownSince = async (presentation: InitiatedAttempt['presentation'], milliseconds: number) => {
    const attempt = initiated({ presentation, begunAt: new Date(Date.now() - milliseconds) });
    showDeposit(attempt.providerReference, undefined);
    return outcomeOf(attempt);
  };

  it('may not know an order to a phone yet; after a minute it never will', async () => {
    expect(await unknownSince('PHONE', 0.9 * MINUTE)).toEqual({ kind: 'pending' });
    expect(await unknownSince('PHONE', 1.1 * MINUTE)).toMatchObject({
      kind: 'failed',
      code: 'NEVER_ACCEPTED',
    });
  });

  it('knows no payment of a page before the payer begins; after half an hour the page is gone (G15)', async () => {
    expect(await unknownSince('REDIRECT', 29 * MINUTE)).toEqual({ kind: 'pending' });
    expect(await unknownSince('REDIRECT', 31 * MINUTE)).toEqual({
      kind: 'cancelled',
      reason: 'PAGE_EXPIRED',
    });
  });

  it('is asked about each refund that is not settled, and says nothing of those that it does not know', async () => {
    const attempt = initiated({
      openRefunds: ['RFD-1', 'RFD-2', 'RFD-3'].map((reference) => ({
        reference,
        idempotencyKey: randomUUID(),
      })),
    });
    showDeposit(attempt.providerReference, { status: 'COMPLETED' });
    const [done, unknown, failed] = attempt.openRefunds.map(({ idempotencyKey }) => idempotencyKey);
    const show = (refundId: string | undefined, refund: object | undefined) =>
      pawaPay.answer(`GET /v2/refunds/${refundId}`, {
        json: refund
          ? { status: 'FOUND', data: { refundId, amount: '5000.00', currency: 'XOF', ...refund } }
          : { status: 'NOT_FOUND' },
      });
    show(done, { status: 'COMPLETED' });
    show(unknown, undefined);
    show(failed, { status: 'FAILED', ...REFUSED('RECIPIENT_NOT_FOUND') });
    const [, ...refunds] = await provider().verify(attempt);
    const about = { providerReference: attempt.providerReference, attemptReference: 'TXN-1042-1' };
    const money = { kind: 'refund', amount: 5_000, currency: 'XOF' };
    expect(refunds).toEqual([
      {
        ...about,
        outcome: { ...money, refundReference: 'RFD-1', providerRefundReference: done, status: 'succeeded' },
      },
      {
        ...about,
        outcome: {
          ...money,
          refundReference: 'RFD-3',
          providerRefundReference: failed,
          status: 'failed',
          code: 'RECIPIENT_NOT_FOUND',
          message: expect.any(String),
        },
      },
    ]);
  });
});

describe('a refund', () => {
  const wantedOf = (change: Partial<RefundToMake> = {}): RefundToMake => {
    const attempt = initiated();
    return {
      reference: 'RFD-7',
      idempotencyKey: randomUUID(),
      attempt,
      captureReference: attempt.providerReference,
      amount: 5_000,
      currency: 'XOF',
      reason: null,
      ...change,
    };
  };
  const refund = (wanted: RefundToMake, by = provider()) => {
    if (!by.refund) throw new Error('it gives nothing back');
    return by.refund(wanted);
  };
  const answerRefund = (wanted: RefundToMake, answer: object) =>
    pawaPay.answer(REFUNDS, { json: { refundId: wanted.idempotencyKey, ...answer } });
  const showRefund = (refundId: string, data: object | undefined) =>
    pawaPay.answer(`GET /v2/refunds/${refundId}`, {
      json: data
        ? { status: 'FOUND', data: { refundId, amount: '5000.00', currency: 'XOF', ...data } }
        : { status: 'NOT_FOUND' },
    });
  const outcome = (wanted: RefundToMake, status: string) => ({
    providerReference: wanted.attempt.providerReference,
    attemptReference: 'TXN-1042-1',
    outcome: {
      kind: 'refund',
      refundReference: 'RFD-7',
      providerRefundReference: wanted.idempotencyKey,
      amount: 5_000,
      currency: 'XOF',
      status,
    },
  });

  it('is ordered under its own key', async () => {
    const wanted = wantedOf();
    answerRefund(wanted, { status: 'ACCEPTED' });
    expect(await refund(wanted)).toEqual(outcome(wanted, 'pending'));
    expect(pawaPay.bodiesOf(REFUNDS)).toEqual([
      {
        refundId: wanted.idempotencyKey,
        depositId: wanted.captureReference,
        amount: '5000',
        currency: 'XOF',
        clientReferenceId: 'RFD-7',
        metadata: [{ refund: 'RFD-7' }, { attempt: 'TXN-1042-1' }],
      },
    ]);
  });

  it.each([
    ['ENQUEUED', 'pending'],
    ['IN_RECONCILIATION', 'pending'],
    ['A_WORD_OF_TOMORROW', 'pending'],
    ['COMPLETED', 'succeeded'],
  ])('that was made before and is %s is %s', async (status, ours) => {
    const wanted = wantedOf();
    answerRefund(wanted, { status: 'DUPLICATE_IGNORED' });
    showRefund(wanted.idempotencyKey, { status });
    expect(await refund(wanted)).toEqual(outcome(wanted, ours));
  });

  it('that was made before, of another amount, is not believed', async () => {
    const wanted = wantedOf();
    answerRefund(wanted, { status: 'DUPLICATE_IGNORED' });
    showRefund(wanted.idempotencyKey, { status: 'COMPLETED', amount: '5001' });
    expect(await failureOf(refund(wanted))).toMatchObject({ kind: 'outcomeUnknown' });
  });

  it('whose id is used up without a refund was never made', async () => {
    const wanted = wantedOf();
    answerRefund(wanted, { status: 'DUPLICATE_IGNORED' });
    showRefund(wanted.idempotencyKey, undefined);
    const failure = await failureOf(refund(wanted));
    expect(failure).toMatchObject({ kind: 'rejected', code: 'NEVER_ACCEPTED', coversEarlierCalls: true });
  });

  const REFUND_CODES = [
    ['REFUND_IN_PROGRESS', 'unavailable'],
    ['PROVIDER_TEMPORARILY_UNAVAILABLE', 'unavailable'],
    ['DEPOSIT_ALREADY_REFUNDED', 'rejected'],
    ['AMOUNT_TOO_LARGE', 'rejected'],
    ['NOT_FOUND', 'rejected'],
    ['INVALID_STATE', 'rejected'],
    ['REFUNDS_NOT_ALLOWED', 'rejected'],
    ['PAWAPAY_WALLET_OUT_OF_FUNDS', 'rejected'],
    ['A_CODE_OF_TOMORROW', 'rejected'],
  ] as const;

  it.each(REFUND_CODES)(
    'is refused alike for %s (%s), in either form that pawaPay shows (G14)',
    async (code, kind) => {
      const forms = [
        REFUSED(code),
        { rejectionReason: { rejectionCode: code, rejectionMessage: 'In their words.' } },
      ];
      for (const form of forms) {
        const wanted = wantedOf();
        answerRefund(wanted, { status: 'REJECTED', ...form });
        expect(await failureOf(refund(wanted))).toMatchObject({ kind, code });
        pawaPay.answer(REFUNDS, { status: 400, json: form });
        expect(await failureOf(refund(wanted))).toMatchObject({ kind, code });
      }
    },
  );

  it.each([
    { hangs: true },
    { status: 500, json: {} },
    { text: 'x' },
    { json: { status: 'PERHAPS' } },
  ] as const)('may have been made when its answer is %j', async (answer) => {
    pawaPay.answer(REFUNDS, answer);
    expect(await failureOf(refund(wantedOf()))).toMatchObject({ kind: 'outcomeUnknown' });
  });

  it('waits for another of ours without using up its id', async () => {
    const other = { reference: 'RFD-6', idempotencyKey: randomUUID() };
    const idempotencyKey = randomUUID();
    const openRefunds = [other, { reference: 'RFD-7', idempotencyKey }];
    const wanted = wantedOf({ idempotencyKey, attempt: initiated({ openRefunds }) });
    showRefund(other.idempotencyKey, { status: 'ENQUEUED' });
    const failure = await failureOf(refund(wanted));
    expect(failure).toMatchObject({ kind: 'unavailable', code: 'REFUND_IN_PROGRESS' });
    expect(pawaPay.bodiesOf(REFUNDS)).toEqual([]);
    answerRefund(wanted, { status: 'ACCEPTED' });
    for (const settled of [{ status: 'COMPLETED' }, { status: 'FAILED' }, undefined]) {
      showRefund(other.idempotencyKey, settled);
      await refund(wanted);
    }
    expect(pawaPay.bodiesOf(REFUNDS)).toHaveLength(3);
  });
});

describe('a callback without a signature', () => {
  const parse = (body: unknown, by = provider()) =>
    by.parseNotification(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), {}, new Date());
  const DEPOSIT_ID = randomUUID();
  const deposit = (change: object = {}) => ({
    depositId: DEPOSIT_ID,
    status: 'COMPLETED',
    amount: '15000.00',
    currency: 'XOF',
    country: 'BEN',
    payer: { type: 'MMO', accountDetails: { phoneNumber: PHONE_NUMBER, provider: 'MTN_MOMO_BEN' } },
    metadata: { attempt: 'TXN-1042-1' },
    ...change,
  });

  it('is a hint, in our words', async () => {
    expect(await parse(deposit())).toEqual({
      verdict: 'accepted',
      proof: 'NONE',
      eventId: expect.stringMatching(/^[0-9a-f]{64}$/),
      type: 'deposit.completed',
      markedAsOurs: true,
      events: [
        {
          providerReference: DEPOSIT_ID,
          attemptReference: 'TXN-1042-1',
          outcome: { kind: 'paid', amount: 15_000, currency: 'XOF', movementReference: DEPOSIT_ID },
        },
      ],
    });
  });

  it('is refused where signatures are required', async () => {
    const strict = provider({ requireSignatures: true, notificationUrl: new URL('https://api.shop.test/w') });
    expect(await parse(deposit(), strict)).toMatchObject({ verdict: 'refused', reason: 'SIGNATURE_MISSING' });
  });

  it('has the same id as long as the status is the same', async () => {
    const idOf = async (body: object) => {
      const parsed = await parse(body);
      return 'eventId' in parsed ? parsed.eventId : undefined;
    };
    const ids = await Promise.all([
      idOf(deposit()),
      idOf(deposit({ providerTransactionId: 'other' })),
      idOf(deposit({ status: 'FAILED' })),
      idOf(deposit({ depositId: randomUUID() })),
      idOf(deposit({ status: 'WORD_1' })),
      idOf(deposit({ status: 'WORD_2' })),
    ]);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[5]).toBe(ids[4]);
    expect(new Set(ids).size).toBe(4);
  });

  it.each([
    ['PROCESSING', 'deposit.processing', 'pending'],
    ['IN_RECONCILIATION', 'deposit.in_reconciliation', 'processing'],
    ['FAILED', 'deposit.failed', 'failed'],
    ['WORD_OF_TOMORROW', 'deposit.unknown', 'processing'],
  ])('that says %s is %s and means %s', async (status, type, kind) => {
    const parsed = await parse(deposit({ status }));
    expect(parsed).toMatchObject({ verdict: 'accepted', type, events: [{ outcome: { kind } }] });
  });

  it.each([
    ['by both marks', { clientReferenceId: 'TXN-1042-1' }, true],
    ['by our metadata alone', {}, true],
    ['by our reference alone', { metadata: undefined, clientReferenceId: 'TXN-1042-1' }, true],
    ['by neither', { metadata: undefined }, false],
    ['not by somebody else’s reference', { metadata: {}, clientReferenceId: 'invoice 7' }, false],
  ])('is known as ours %s (G14)', async (_how, change, markedAsOurs) => {
    const parsed = await parse(deposit(change));
    expect(parsed).toMatchObject({ verdict: 'accepted', markedAsOurs });
    const attemptReference = parsed.verdict === 'accepted' ? parsed.events[0]?.attemptReference : undefined;
    expect(attemptReference).toBe(markedAsOurs ? 'TXN-1042-1' : undefined);
  });

  const refundOf = (change: object = {}) => ({
    refundId: DEPOSIT_ID.replace(/^./, '0'),
    status: 'COMPLETED',
    amount: '5000',
    currency: 'XOF',
    metadata: { refund: 'RFD-7', attempt: 'TXN-1042-1' },
    ...change,
  });

  it('that names a refund is about it, even when it names the deposit too', async () => {
    const parsed = await parse(refundOf({ depositId: DEPOSIT_ID }));
    expect(parsed).toMatchObject({
      verdict: 'accepted',
      type: 'refund.completed',
      markedAsOurs: true,
      events: [
        {
          providerReference: DEPOSIT_ID,
          attemptReference: 'TXN-1042-1',
          outcome: { kind: 'refund', refundReference: 'RFD-7', amount: 5_000, status: 'succeeded' },
        },
      ],
    });
  });

  it('of a refund finds the payment without the deposit’s id, and is ignored without either', async () => {
    const parsed = await parse(refundOf());
    expect(parsed).toMatchObject({ verdict: 'accepted', events: [{ attemptReference: 'TXN-1042-1' }] });
    const lost = await parse(refundOf({ metadata: undefined, clientReferenceId: 'RFD-7' }));
    expect(lost).toMatchObject({ verdict: 'ignored', type: 'refund.completed' });
  });

  it.each(['payoutId', 'remittanceId'])('that names a %s is ignored', async (name) => {
    expect(await parse({ [name]: randomUUID(), status: 'COMPLETED' })).toMatchObject({ verdict: 'ignored' });
  });

  it.each(['hello', '[]', 'null', '{}', JSON.stringify({ depositId: 'a\u0000b', status: 'COMPLETED' })])(
    'that says %j is malformed',
    async (body) => {
      expect((await parse(body)).verdict).toBe('malformed');
    },
  );

  it.each([
    JSON.stringify(deposit({ status: undefined })),
    JSON.stringify(deposit({ amount: '1e3' })),
    JSON.stringify(deposit({ amount: '15,000' })),
    JSON.stringify(deposit({ currency: 'XXX' })),
    JSON.stringify(refundOf({ amount: undefined })),
    '<deposit>TXN-01K8Q5Z7M3N9P2R4S6T8V0W1X2-1</deposit>',
  ])(
    'that says %s can’t be read, and without a signature it is a reason to ask all the same',
    async (body) => {
      expect(await parse(body)).toMatchObject({
        verdict: 'accepted',
        proof: 'NONE',
        events: [{ outcome: { kind: 'processing' } }],
      });
    },
  );

  it.each([
    [deposit({ amount: 15000 })],
    [deposit({ amount: '15 000' })],
    [deposit({ amount: '15000,00', currency: 'xof' })],
    [deposit({ status: 'completed' })],
  ])('that is written otherwise is read: %j', async (body) => {
    expect(await parse(body)).toMatchObject({
      events: [{ outcome: { kind: 'paid', amount: 15_000, currency: 'XOF' } }],
    });
  });

  it('never makes the reader throw, whatever it says', async () => {
    const strange = fc.record(
      {
        depositId: fc.anything(),
        refundId: fc.anything(),
        status: fc.anything(),
        amount: fc.anything(),
        metadata: fc.anything(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(strange, fc.json()), async (body) => {
        await parse(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''));
      }),
    );
  });

  it('reads the same when it was kept', async () => {
    const by = provider();
    const body = Buffer.from(JSON.stringify(deposit()));
    expect(by.readKeptNotification(body, {})).toEqual(await by.parseNotification(body, {}, new Date()));
  });
});

describe('an amount', () => {
  it('comes back from pawaPay’s form as it was, in every currency', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CURRENCIES), fc.nat({ max: 10 ** 12 }), (currency, amount) => {
        const decimal = toPawaPayAmount(amount, currency);
        expect(decimal).toMatch(/^(0|[1-9]\d*)(\.\d+)?$/);
        expect(readMoney(decimal, currency)).toEqual({ amount, currency });
      }),
    );
  });

  it.each([
    [15_000, 'XOF', '15000'],
    [15_00, 'CDF', '15'],
    [15_50, 'CDF', '15.50'],
    [5, 'USD', '0.05'],
    [10_000_00, 'USD', '10000'],
  ] as const)('of %d %s is told as %s', (amount, currency, decimal) => {
    expect(toPawaPayAmount(amount, currency)).toBe(decimal);
  });
});

describe('what payers are told', () => {
  it('has only letters that operators show, and 4 to 22 of them', () => {
    expect(customerMessage('Été à Cotonou – n° 12/b')).toBe('Ete a Cotonou n 12 b');
    expect(customerMessage('ORD-0123456789ABCDEFGHJKMNPQRS')).toBe('ORD 0123456789ABCDEFGH');
    expect(customerMessage('日本 7')).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const message = customerMessage(text);
        return message === undefined || /^[A-Za-z0-9](?:[A-Za-z0-9 ]{2,20})[A-Za-z0-9]$/.test(message);
      }),
    );
  });

  it('is at most 50 characters long on the page', () => {
    expect(pageReason(' Commande\n1042 ')).toBe('Commande 1042');
    expect([...(pageReason('€'.repeat(60)) ?? '')]).toHaveLength(50);
    expect(pageReason(' \n')).toBeUndefined();
  });
});

describe('the account’s configuration', () => {
  it('is asked for once, even by many at once, and kept', async () => {
    const by = provider();
    const attempts = Array.from({ length: 5 }, () => attemptOf());
    pawaPay.answer(DEPOSITS, { json: { status: 'ACCEPTED' } });
    await Promise.all(attempts.map((attempt) => by.initiate(attempt)));
    await by.initiate(attemptOf());
    expect(pawaPay.bodiesOf(CONFIGURATION)).toHaveLength(1);
  });

  it('that could not be had is asked for again', async () => {
    const by = provider();
    pawaPay.answer(CONFIGURATION, { status: 500, json: {} }, configuration());
    await failureOf(by.initiate(attemptOf()));
    await expect(by.initiate(acceptDeposits())).resolves.toBeDefined();
  });

  it.each([{}, [], null, { countries: {} }])('of the form %j is not believed', async (json) => {
    pawaPay.answer(CONFIGURATION, { json });
    expect(await failureOf(provider().initiate(attemptOf()))).toMatchObject({ kind: 'unavailable' });
  });
});

describe('a kept answer', () => {
  it('holds as long as the reader says, is fetched once for all who wait, and never kept when it failed', async () => {
    let now = 0;
    let fetched = 0;
    let isDown = false;
    const kept = new KeptAnswer(
      () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve((fetched += 1))),
      () => now,
    );
    expect(await Promise.all([kept.read(100), kept.read(100)])).toEqual([1, 1]);
    now = 100;
    expect(await kept.read(100)).toBe(1);
    now = 101;
    expect(await kept.read(1_000)).toBe(1);
    isDown = true;
    await expect(kept.read(100)).rejects.toThrow('down');
    isDown = false;
    expect(await kept.read(100)).toBe(2);
  });
});

describe('what is known of an operator', () => {
  const read = async (ages: readonly number[], status: string) => {
    let now = 0;
    let fetched = 0;
    const kept = new KeptAnswer(
      () => {
        fetched += 1;
        return Promise.resolve<unknown>(configuration({ status }).json);
      },
      () => now,
    );
    for (const age of ages) {
      now = age;
      await readTerms(kept, 'MTN_MOMO_BEN', 'XOF');
    }
    return fetched;
  };

  it('holds an hour while it is open', async () => {
    expect(await read([0, 3_599_000], 'OPERATIONAL')).toBe(1);
    expect(await read([0, 3_601_000], 'OPERATIONAL')).toBe(2);
  });

  it('holds a minute while it is closed, for it may open any time', async () => {
    expect(await read([0, 59_000], 'CLOSED')).toBe(1);
    expect(await read([0, 61_000], 'CLOSED')).toBe(2);
  });
});

describe('the operators’ availability', () => {
  const read = () => {
    const by = provider({ countries: ['BJ'] });
    return by.readAvailability?.();
  };
  const country = (providers: unknown, code = 'BEN') => ({ json: [{ country: code, providers }] });

  it('is told in our words, of the countries that we use', async () => {
    const types = (DEPOSIT: string) => ({ DEPOSIT, PAYOUT: 'CLOSED' });
    pawaPay.answer(AVAILABILITY, {
      json: [
        {
          country: 'BEN',
          providers: [
            { provider: 'MTN_MOMO_BEN', operationTypes: types('OPERATIONAL') },
            { provider: 'MOOV_BEN', operationTypes: types('DELAYED') },
            { provider: 'NEW_BEN', operationTypes: types('CLOSED') },
          ],
        },
        { country: 'SEN', providers: [{ provider: 'ORANGE_SEN', operationTypes: types('OPERATIONAL') }] },
      ],
    });
    expect(await read()).toEqual([
      { code: 'MTN_MOMO_BEN', name: 'MTN MoMo', country: 'BJ', status: 'OPEN' },
      { code: 'MOOV_BEN', name: 'Moov Money', country: 'BJ', status: 'SLOW' },
      { code: 'NEW_BEN', name: 'NEW_BEN', country: 'BJ', status: 'CLOSED' },
    ]);
  });

  it.each([
    null,
    'x',
    [7, { provider: 7 }],
    [{ provider: 'MTN_MOMO_BEN' }],
    [{ provider: 'MTN_MOMO_BEN', operationTypes: { DEPOSIT: 'A_WORD_OF_TOMORROW' } }],
  ])('of the form %j says nothing', async (providers) => {
    pawaPay.answer(AVAILABILITY, country(providers));
    expect(await read()).toEqual([]);
  });

  it('that is no list is not believed', async () => {
    pawaPay.answer(AVAILABILITY, { json: { status: 'fine' } });
    await expect(read()).rejects.toMatchObject({ kind: 'unavailable', code: 'ANSWER_UNREADABLE' });
  });
});

describe('whatever turns out the other way', () => {
  const AUTH_CODES = [
    'NO_AUTHENTICATION',
    'AUTHENTICATION_ERROR',
    'AUTHORISATION_ERROR',
    'HTTP_SIGNATURE_ERROR',
  ];

  it.each(AUTH_CODES)('%s means the same with 401 as with 403 (G13)', async (code) => {
    const failures = [];
    for (const status of [401, 403]) {
      pawaPay.answer(DEPOSITS, { status, json: REFUSED(code) });
      const { kind, message, code: told } = await failureOf(provider().initiate(attemptOf()));
      failures.push({ kind, message, told });
    }
    expect(failures[0]).toMatchObject({ kind: 'rejected', told: code });
    expect(failures[1]).toEqual(failures[0]);
  });

  it('a 403 whose code says that the operator is closed is no fault of ours (G13)', async () => {
    pawaPay.answer(DEPOSITS, { status: 403, json: REFUSED('PROVIDER_TEMPORARILY_UNAVAILABLE') });
    expect(await failureOf(provider().initiate(attemptOf()))).toMatchObject({ kind: 'unavailable' });
  });

  it.each([PREDICT, DEPOSITS])(
    'a limit of requests, should there be one at %s, means later (G18)',
    async (route) => {
      pawaPay.answer(route, { status: 429, text: 'slow down' });
      expect(await failureOf(provider().initiate(attemptOf()))).toMatchObject({ kind: 'unavailable' });
    },
  );

  it('a new number of ten digits from Benin goes as it is, with or without being asked about (G17)', async () => {
    const phoneNumber = '2290151345789';
    pawaPay.answer(PREDICT, { json: { country: 'BEN', provider: 'MTN_MOMO_BEN', phoneNumber } });
    await provider().initiate(acceptDeposits({}, attemptOf({ phoneNumber: `+${phoneNumber}` })));
    const named = attemptOf({ phoneNumber: `+${phoneNumber}`, operator: 'MTN_MOMO_BEN' });
    await provider().initiate(acceptDeposits({}, named));
    const numbers = pawaPay.bodiesOf(DEPOSITS).map((body) => body.payer.accountDetails.phoneNumber);
    expect(numbers).toEqual([phoneNumber, phoneNumber]);
  });

  it('a number that pawaPay does not take is the payer’s to mend (G17)', async () => {
    pawaPay.answer(PREDICT, { status: 400, json: REFUSED('INVALID_PHONE_NUMBER') });
    expect(await failureOf(provider().initiate(attemptOf()))).toMatchObject({ kind: 'declined' });
  });
});

describe('the provider', () => {
  it('offers phone and page, each with what it needs', () => {
    const { capabilities } = provider({ countries: ['BJ', 'BF', 'CD'] });
    const countries = { BJ: ['XOF'], BF: ['XOF'], CD: ['CDF', 'USD'] };
    const [phone, page] = capabilities.ways;
    expect(phone).toMatchObject({ presentation: 'PHONE', needs: ['PHONE_NUMBER'], countries });
    expect(page).toMatchObject({ presentation: 'REDIRECT', needs: ['COUNTRY'], countries });
    expect(capabilities.currencies).toEqual(['XOF', 'CDF', 'USD']);
    const codesOf = (way: typeof phone) => way?.operators?.map(({ code }) => code);
    expect(codesOf(phone)).toContain('MTN_MOMO_BEN');
    expect(codesOf(phone)).not.toContain('ORANGE_BFA');
    expect(codesOf(page)).toContain('ORANGE_BFA');
  });

  it('declares how far its callbacks are proven', () => {
    expect(provider().capabilities.webhookProof).toBe('NONE');
    const notificationUrl = new URL('https://api.shop.test/webhooks/pawapay');
    expect(provider({ requireSignatures: true, notificationUrl }).capabilities.webhookProof).toBe('SIGNED');
  });

  it.each([
    ['a country that pawaPay is not in', { countries: ['DE'] }],
    ['signatures required, and no address that they could be for', { requireSignatures: true }],
    ['no token', { token: '' }],
  ])('can’t be made with %s', (_what, options) => {
    expect(() => provider(options)).toThrow(TypeError);
  });

  it('has no way to do what pawaPay can’t', () => {
    const { cancel, capture, listNotifications, listPayments, updateAmount, reserve } = provider();
    expect([cancel, capture, listNotifications, listPayments, updateAmount, reserve]).toEqual(
      Array.from({ length: 6 }),
    );
  });

  it('finds pawaPay below a path, with or without a slash at its end', async () => {
    pawaPay.answer('GET /proxy/v2/availability?operationType=DEPOSIT', { json: [] });
    for (const path of ['/proxy', '/proxy/']) {
      const baseUrl = new URL(path, pawaPay.url);
      expect(await provider({ baseUrl }).readAvailability?.()).toEqual([]);
    }
  });

  it('tells no secret in any failure, whatever pawaPay says', async () => {
    const leak = { status: 'REJECTED', ...REFUSED(`Bearer ${TOKEN}`), failureMessage: TOKEN };
    const answers: Answer[] = [
      { hangs: true },
      { text: TOKEN },
      { json: leak },
      { status: 401, json: leak },
      { status: 500, text: TOKEN },
      { json: { status: TOKEN } },
    ];
    for (const answer of answers) {
      pawaPay.answer(DEPOSITS, answer);
      pawaPay.answer(REFUNDS, answer);
      const wanted = { ...attemptOf(), attempt: initiated(), captureReference: 'x', reason: null };
      const calls = [() => provider().initiate(attemptOf()), async () => provider().refund?.(wanted)];
      for (const call of calls) {
        const { message, code, stack, cause } = await failureOf(call());
        expect(`${message} ${code} ${stack} ${String(cause)}`).not.toContain(TOKEN);
      }
    }
  });
});

describe('against the double,', () => {
  let receiver: WebhookReceiver;
  let double: PawaPayDouble;

  const start = async (options: Partial<PawaPayDoubleOptions> = {}) => {
    double = await startPawaPayDouble({
      token: TOKEN,
      webhookUrl: () => receiver.url.href,
      decisionMilliseconds: 5,
      ...options,
    });
  };

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    await start();
  });

  afterEach(async () => {
    await double.stop();
    await receiver.stop();
  });

  const adapter = (options: Partial<PawaPayProviderOptions> = {}) =>
    provider({ baseUrl: double.url, notificationUrl: receiver.url, requireSignatures: true, ...options });

  /** Of MTN in Benin, and of one who has to decide. */
  const waiting = (change: Partial<AttemptToInitiate> = {}) =>
    attemptOf({ phoneNumber: '+22951345000', ...change });

  const initiatedOf = ({ idempotencyKey, ...rest }: AttemptToInitiate): InitiatedAttempt => ({
    ...initiated({ providerReference: idempotencyKey, idempotencyKey, begunAt: new Date() }),
    presentation: rest.presentation,
    amount: rest.amount,
    currency: rest.currency,
  });

  const outcomeOf = async (attempt: AttemptToInitiate) =>
    (await adapter().verify(initiatedOf(attempt)))[0]?.outcome;

  const told = async (by = adapter()) => {
    await double.settled();
    return Promise.all(
      receiver.received.map(({ rawBody, headers, receivedAt }) =>
        Promise.resolve(by.parseNotification(rawBody, headers, receivedAt)),
      ),
    );
  };

  const PAID = { kind: 'paid', amount: 15_000, currency: 'XOF' };

  it('a payer approves on their phone, and the callback says so, signed', async () => {
    const attempt = waiting();
    const first = await adapter().initiate(attempt);
    expect(await adapter().initiate(attempt)).toEqual(first);
    expect(first.nextAction).toMatchObject({ type: 'ApproveOnPhone', operator: 'MTN MoMo' });
    expect(await outcomeOf(attempt)).toEqual({ kind: 'pending' });
    double.approve(attempt.idempotencyKey);
    const paid = { ...PAID, movementReference: attempt.idempotencyKey };
    expect(await outcomeOf(attempt)).toEqual(paid);
    expect(await told()).toEqual([
      {
        verdict: 'accepted',
        proof: 'SIGNED',
        type: 'deposit.completed',
        eventId: expect.any(String),
        markedAsOurs: true,
        events: [
          { providerReference: attempt.idempotencyKey, attemptReference: 'TXN-1042-1', outcome: paid },
        ],
      },
    ]);
    expect(double.counts().deposits).toBe(1);
  });

  it.each([
    ['+22951345039', 'PAYMENT_NOT_APPROVED'],
    ['+22951345029', 'PAYER_NOT_FOUND'],
    ['+22951345069', 'UNSPECIFIED_FAILURE'],
  ])('the number %s fails with %s', async (phoneNumber, code) => {
    const attempt = attemptOf({ phoneNumber });
    await adapter().initiate(attempt);
    await double.settled();
    expect(await outcomeOf(attempt)).toMatchObject({ kind: 'failed', code });
    expect(await told()).toMatchObject([{ events: [{ outcome: { kind: 'failed', code } }] }]);
  });

  it.each([false, true])('a lost answer (done: %s) makes no second payment', async (afterDoing) => {
    const attempt = waiting();
    double.answerNext('createDeposit', { kind: 'close', afterDoing });
    const failure = await failureOf(adapter().initiate(attempt));
    expect(failure).toMatchObject({ kind: 'outcomeUnknown', providerReference: attempt.idempotencyKey });
    await adapter().initiate(attempt);
    expect(double.counts().deposits).toBe(1);
  });

  it('many calls of the same attempt at once make one payment, and say the same', async () => {
    const attempt = waiting();
    const by = adapter();
    const answers = await Promise.all(Array.from({ length: 4 }, () => by.initiate(attempt)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(double.counts().deposits).toBe(1);
  });

  it('pawaPay finds out by itself, and until then it is being decided', async () => {
    const attempt = waiting();
    await adapter().initiate(attempt);
    double.reconcile(attempt.idempotencyKey);
    expect(await outcomeOf(attempt)).toEqual({ kind: 'processing' });
  });

  it.each(['AT_ONCE', 'LATER'] as const)('Wave’s page is there %s, and the same again', async (mode) => {
    double.setAuthorisationMode(mode);
    const attempt = attemptOf({
      phoneNumber: '+221770000000',
      operator: 'WAVE_SEN',
      returnUrl: 'https://a.test/',
    });
    const first = await adapter({ timeoutMilliseconds: 2_000 }).initiate(attempt);
    expect(first.nextAction).toMatchObject({ type: 'RedirectToUrl', url: expect.stringContaining('/wave/') });
    expect(await adapter().initiate(attempt)).toEqual(first);
    double.approve(attempt.idempotencyKey);
    expect(await outcomeOf(attempt)).toMatchObject(PAID);
    expect(await told()).toMatchObject([{ type: 'deposit.processing' }, { type: 'deposit.completed' }]);
  });

  it('a payer fills in pawaPay’s page', async () => {
    const attempt = onPage();
    const { nextAction } = await adapter().initiate(attempt);
    expect(nextAction).toMatchObject({ type: 'RedirectToUrl', url: expect.stringContaining('paywith') });
    expect(await outcomeOf(attempt)).toEqual({ kind: 'pending' });
    double.submitPage(attempt.idempotencyKey);
    const failure = await failureOf(adapter().initiate(attempt));
    expect(failure).toMatchObject({ kind: 'outcomeUnknown', providerReference: attempt.idempotencyKey });
    double.approve(attempt.idempotencyKey);
    expect(await outcomeOf(attempt)).toMatchObject(PAID);
    expect(await told()).toMatchObject([{ proof: 'SIGNED', markedAsOurs: true }]);
  });

  it('money goes back in parts, one after the other', async () => {
    const attempt = waiting();
    await adapter().initiate(attempt);
    double.approve(attempt.idempotencyKey);
    double.holdRefunds();
    const wantedOf = (
      reference: string,
      amount: number,
      openRefunds: InitiatedAttempt['openRefunds'] = [],
    ) => ({
      reference,
      idempotencyKey: randomUUID(),
      attempt: { ...initiatedOf(attempt), openRefunds },
      captureReference: attempt.idempotencyKey,
      amount,
      currency: 'XOF' as const,
      reason: null,
    });
    const by = adapter();
    const first = wantedOf('RFD-1', 4_000);
    const made = await by.refund?.(first);
    expect(made?.outcome).toMatchObject({ kind: 'refund', status: 'pending', amount: 4_000 });
    expect((await by.refund?.(first))?.outcome).toMatchObject({ refundReference: 'RFD-1', amount: 4_000 });
    for (const open of [[], [first]]) {
      const failure = await failureOf(Promise.resolve(by.refund?.(wantedOf('RFD-2', 1_000, open))));
      expect(failure).toMatchObject({ kind: 'unavailable', code: 'REFUND_IN_PROGRESS' });
    }
    double.settleRefund(first.idempotencyKey, 'complete');
    await expect(by.refund?.(wantedOf('RFD-3', 11_001))).rejects.toMatchObject({ kind: 'rejected' });
    const [, refund] = await by.verify({ ...initiatedOf(attempt), openRefunds: [first] });
    expect(refund?.outcome).toMatchObject({ refundReference: 'RFD-1', status: 'succeeded' });
    expect((await told()).at(-1)).toMatchObject({
      type: 'refund.completed',
      events: [{ attemptReference: 'TXN-1042-1', outcome: refund?.outcome }],
    });
  });

  it('a forged callback is refused, and a new key is found', async () => {
    const attempt = waiting();
    const by = adapter();
    await by.initiate(attempt);
    for (const signature of ['NONE', 'WRONG', 'UNKNOWN_KEY', 'STALE', 'OF_ANOTHER_BODY'] as const) {
      double.forge(attempt.idempotencyKey, { signature });
    }
    const verdicts = (await told(by)).map(({ verdict }) => verdict);
    expect(verdicts).toEqual(Array.from({ length: 5 }, () => 'refused'));
    double.rotateKey();
    double.approve(attempt.idempotencyKey);
    expect((await told(adapter())).at(-1)).toMatchObject({ verdict: 'accepted', proof: 'SIGNED' });
  });

  it.each([
    { clientReferenceInCallbacks: true, depositIdInRefunds: true, refundRefusals: 'rejectionReason' },
    { clientReferenceInCallbacks: false, depositIdInRefunds: false, refundRefusals: 'failureReason' },
  ] as const)('callbacks and refusals are understood as %j (G14)', async (wording) => {
    await double.stop();
    await start(wording);
    const attempt = waiting();
    await adapter().initiate(attempt);
    double.approve(attempt.idempotencyKey);
    const wanted: RefundToMake = {
      reference: 'RFD-1',
      idempotencyKey: randomUUID(),
      attempt: initiatedOf(attempt),
      captureReference: attempt.idempotencyKey,
      amount: 15_000,
      currency: 'XOF',
      reason: null,
    };
    await adapter().refund?.(wanted);
    const last = (await told()).at(-1);
    expect(last).toMatchObject({ type: 'refund.completed', markedAsOurs: true });
    const again = { ...wanted, idempotencyKey: randomUUID() };
    await expect(adapter().refund?.(again)).rejects.toMatchObject({ code: 'DEPOSIT_ALREADY_REFUNDED' });
  });

  it.each([
    ['ecdsa-p256-sha256', 'ieee-p1363'],
    ['ecdsa-p384-sha384', 'der'],
    ['rsa-v1_5-sha256', undefined],
    ['rsa-pss-sha512', undefined],
  ] as const)('callbacks are proven by %s, %s', async (algorithm, encoding) => {
    await double.stop();
    await start({ signCallbacks: { algorithm, encoding } });
    const attempt = attemptOf();
    await adapter().initiate(attempt);
    expect(await told()).toMatchObject([{ verdict: 'accepted', proof: 'SIGNED' }]);
  });

  it('an operator closes, and opens again', async () => {
    double.setOperatorStatus('MTN_MOMO_BEN', 'CLOSED');
    expect(await failureOf(adapter().initiate(waiting()))).toMatchObject({ kind: 'unavailable' });
    const statusOf = async () =>
      (await adapter().readAvailability?.())?.find(({ code }) => code === 'MTN_MOMO_BEN')?.status;
    expect(await statusOf()).toBe('CLOSED');
    double.setOperatorStatus('MTN_MOMO_BEN', 'OPERATIONAL');
    expect(await statusOf()).toBe('OPEN');
    await expect(adapter().initiate(waiting())).resolves.toBeDefined();
  });
});
