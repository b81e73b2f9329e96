import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { CURRENCIES, MAX_AMOUNT, minorUnitDigits } from '../src/money.js';
import {
  AMOUNT_FORMATS,
  type AmountFormat,
  readAmount,
  writeAmount,
} from '../src/providers/bank/bank-amount.js';
import type { BankOptions } from '../src/providers/bank/bank-options.js';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import type {
  AttemptToInitiate,
  InitiatedAttempt,
  ListedPayment,
  ProviderFailure,
  RefundToMake,
} from '../src/providers/provider.js';
import { type BankDouble, type BankDoubleOptions, startBankDouble } from '../src/sandbox/bank/bank-double.js';
import type { HttpFault as Fault } from '../src/sandbox/http-fault.js';
import { NO_SUCH_HOST } from './support/no-such-host.js';

const SECRET = 'bank_secret_1';
const API_KEY = 'bank_key_1';

function bank(options: Partial<BankOptions> = {}) {
  return createBankProvider({
    name: 'bank-x',
    displayName: 'Bank X',
    baseUrl: new URL('http://127.0.0.1:9/'),
    apiKey: API_KEY,
    webhookSecrets: [SECRET],
    // Long: only a bank that hangs is to be given up, and never one on a busy machine.
    timeoutMilliseconds: 10_000,
    ...options,
  });
}

describe('a call to a bank', () => {
  let double: BankDouble;

  beforeEach(async () => {
    double = await startDouble();
  });

  afterEach(() => double.stop());

  const startDouble = (options: Partial<BankDoubleOptions> = {}) =>
    startBankDouble({
      name: 'bank-x',
      displayName: 'Bank X',
      apiKey: API_KEY,
      webhookSecret: SECRET,
      webhookUrl: () => 'http://127.0.0.1:9/',
      webhooks: false,
      ...options,
    });

  const ATTEMPT: AttemptToInitiate = {
    reference: 'TXN-1042-1',
    idempotencyKey: 'key-1042-1',
    amount: 15000,
    currency: 'XOF',
    method: 'BANK',
    presentation: 'REDIRECT',
    description: 'Commande 1042',
    returnUrl: 'https://shop.example/done',
    customerEmail: 'a.diop@example.com',
    locale: 'fr-SN',
    captureMethod: 'AUTOMATIC',
    expiresAt: new Date(Date.now() + 600_000),
  };

  /** What an attempt has once it was begun. */
  const SINCE = { begunAt: new Date(), openRefunds: [] };

  const provider = (options: Partial<BankOptions> = {}) => bank({ baseUrl: double.url, ...options });

  const initiated = async (): Promise<InitiatedAttempt> => {
    const { providerReference } = await provider().initiate(ATTEMPT);
    return { ...ATTEMPT, providerReference, ...SINCE };
  };

  const paid = async (): Promise<InitiatedAttempt> => {
    const attempt = await initiated();
    double.pay(attempt.reference);
    return attempt;
  };

  const outcomeOf = async (attempt: InitiatedAttempt) => (await provider().verify(attempt))[0]?.outcome;

  const refundOf = async (attempt: InitiatedAttempt, change: Partial<RefundToMake> = {}) => {
    const outcome = await outcomeOf(attempt);
    return {
      reference: 'RFD-7',
      idempotencyKey: 'refund-key-7',
      attempt,
      captureReference: outcome?.kind === 'paid' ? outcome.movementReference : 'tr_none',
      amount: 5_000,
      currency: 'XOF' as const,
      reason: null,
      ...change,
    };
  };

  it('gives the bank’s page to pay on, and the same one when it is repeated', async () => {
    const first = await provider().initiate(ATTEMPT);
    expect(first).toEqual({
      providerReference: expect.stringMatching(/^bpay_/),
      nextAction: { type: 'RedirectToUrl', url: `${double.url.href}pay/${first.providerReference}` },
    });
    expect(await provider().initiate(ATTEMPT)).toEqual(first);
    expect(double.counts()).toMatchObject({ payments: 1, requests: { createPayment: 2 } });
  });

  it('that lost its answer can be repeated without a second payment', async () => {
    double.answerNext('createPayment', { kind: 'close', afterDoing: true });
    await expect(provider().initiate(ATTEMPT)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
    await provider().initiate(ATTEMPT);
    expect(double.counts().payments).toBe(1);
  });

  it('finds the bank below a path, with or without a slash at its end', async () => {
    const below = (path: string) => provider({ baseUrl: new URL(path, double.url) }).initiate(ATTEMPT);
    await expect(below('/')).resolves.toBeDefined();
    await expect(below('/api/v1')).rejects.toMatchObject({ kind: 'rejected', code: 'no_such_address' });
  });

  it('asks how the payment is, and tells the movement by the same id as the notification', async () => {
    const attempt = await initiated();
    expect(await outcomeOf(attempt)).toEqual({ kind: 'pending' });
    double.authorise(attempt.reference);
    expect(await outcomeOf(attempt)).toEqual({ kind: 'processing' });
    double.pay(attempt.reference);
    expect(await provider().verify(attempt)).toEqual([
      {
        providerReference: attempt.providerReference,
        attemptReference: 'TXN-1042-1',
        outcome: {
          kind: 'paid',
          amount: 15000,
          currency: 'XOF',
          movementReference: expect.stringMatching(/^tr_/),
        },
      },
    ]);
  });

  it('cancels, unless the payer was faster', async () => {
    const attempt = await initiated();
    expect((await provider().cancel!(attempt)).outcome).toEqual({ kind: 'cancelled', reason: 'CANCELLED' });
    double.payLate(attempt.reference);
    expect((await provider().cancel!(attempt)).outcome).toMatchObject({ kind: 'paid', amount: 15000 });
  });

  it('tells that the bank is deciding when it cannot be cancelled for that', async () => {
    const attempt = await initiated();
    double.authorise(attempt.reference);
    expect((await provider().cancel!(attempt)).outcome).toEqual({ kind: 'processing' });
    double.decline(attempt.reference);
    expect((await provider().cancel!(attempt)).outcome).toMatchObject({ kind: 'failed', code: 'REJECTED' });
  });

  it.each<[string, Partial<AttemptToInitiate>, string]>([
    ['a card', { method: 'CARD' }, 'WAY_NOT_SUPPORTED'],
    ['a form in our own page', { presentation: 'EMBEDDED' }, 'WAY_NOT_SUPPORTED'],
    ['another currency', { currency: 'USD' }, 'CURRENCY_NOT_SUPPORTED'],
    ['no way back', { returnUrl: undefined }, 'RETURN_URL_MISSING'],
    ['money that is only to be held', { captureMethod: 'MANUAL' }, 'CAPTURE_NOT_SUPPORTED'],
  ])('is not even made for %s', async (_name, change, code) => {
    const options: Partial<BankOptions> = { currencies: ['XOF', 'EUR'] };
    await expect(provider(options).initiate({ ...ATTEMPT, ...change })).rejects.toMatchObject({
      kind: 'rejected',
      code,
    });
    expect(double.counts().requests.createPayment).toBe(0);
  });

  const listed = async (
    from = provider(),
    since = new Date(Date.now() - 60_000),
    until = new Date(Date.now() + 60_000),
  ): Promise<ListedPayment[]> => {
    const payments: ListedPayment[] = [];
    for await (const payment of from.listPayments!(since, until)) payments.push(payment);
    return payments;
  };

  describe('to give money back', () => {
    it('is answered with the refund, and the same one when it is repeated', async () => {
      const attempt = await paid();
      const refund = await refundOf(attempt);
      const first = await provider().refund!(refund);
      expect(first).toEqual({
        providerReference: attempt.providerReference,
        attemptReference: 'TXN-1042-1',
        outcome: {
          kind: 'refund',
          refundReference: 'RFD-7',
          providerRefundReference: expect.stringMatching(/^brfd_/),
          amount: 5_000,
          currency: 'XOF',
          status: 'succeeded',
        },
      });
      expect(await provider().refund!(refund)).toEqual(first);
      expect(double.counts()).toMatchObject({ refunds: 1, refundedByReference: { 'TXN-1042-1': 5_000 } });
    });

    it('that lost its answer can be repeated without giving back twice', async () => {
      const refund = await refundOf(await paid());
      double.answerNext('createRefund', { kind: 'close', afterDoing: true });
      await expect(provider().refund!(refund)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
      await provider().refund!(refund);
      expect(double.counts().refunds).toBe(1);
    });

    it('is followed until the money is back, or not', async () => {
      double.holdRefunds();
      const attempt = await paid();
      const refund = await refundOf(attempt);
      const refundStatus = async () => (await provider().verify(attempt))[1]?.outcome;
      expect((await provider().refund!(refund)).outcome).toMatchObject({ status: 'pending' });
      expect(await refundStatus()).toMatchObject({ status: 'pending' });
      double.settleRefund('RFD-7', 'book');
      expect(await refundStatus()).toMatchObject({ status: 'succeeded' });
      double.settleRefund('RFD-7', 'reject');
      expect(await refundStatus()).toMatchObject({
        status: 'failed',
        code: 'REJECTED',
        message: 'The bank did not give the money back.',
      });
    });

    it('is found again among all the refunds of the payment, those of the bank’s own staff too', async () => {
      const attempt = await paid();
      await provider().refund!(await refundOf(attempt));
      double.refundAtBank(attempt.reference, 1_000);
      const [payment, ...refunds] = await provider().verify(attempt);
      expect(payment?.outcome).toMatchObject({ kind: 'paid', amount: 15_000 });
      expect(refunds.map(({ outcome }) => outcome)).toEqual([
        expect.objectContaining({ kind: 'refund', refundReference: 'RFD-7', amount: 5_000 }),
        expect.not.objectContaining({ refundReference: expect.anything() }),
      ]);
      expect(refunds[1]).toMatchObject({
        attemptReference: attempt.reference,
        outcome: { amount: 1_000, status: 'succeeded' },
      });
    });

    it.each<[string, Partial<RefundToMake>, string]>([
      ['more than was paid', { amount: 15_001 }, 'more_than_was_paid'],
      ['another transfer', { captureReference: 'tr_other' }, 'another_transfer'],
    ])('is refused when it is %s, which proves that no earlier call did it', async (_name, change, code) => {
      const refund = await refundOf(await paid(), change);
      await expect(provider().refund!(refund)).rejects.toMatchObject({
        kind: 'rejected',
        code,
        coversEarlierCalls: true,
      });
      expect(double.counts().refunds).toBe(0);
    });

    it('is refused when nothing was paid, when nobody knows the payment, and under the reference of another', async () => {
      const code = async (refund: RefundToMake) =>
        provider().refund!(refund).catch((failure: ProviderFailure) => failure.code);
      const attempt = await initiated();
      expect(await code(await refundOf(attempt))).toBe('not_paid');
      double.pay(attempt.reference);
      const refund = await refundOf(attempt);
      const unknown = { ...attempt, providerReference: 'bpay_none' };
      expect(await code({ ...refund, attempt: unknown })).toBe('no_such_payment');
      await provider().refund!(refund);
      expect(await code({ ...refund, amount: 4_000 })).toBe('reference_in_use');
    });
  });

  describe('for its list of payments', () => {
    const another = (number: number): AttemptToInitiate => ({
      ...ATTEMPT,
      reference: `TXN-${number}-1`,
      idempotencyKey: `key-${number}`,
    });

    it('tells each in which money moved, with what went back', async () => {
      const attempt = await paid();
      await provider().initiate(another(2));
      await provider().refund!(await refundOf(attempt));
      expect(await listed()).toEqual([
        {
          providerReference: attempt.providerReference,
          attemptReference: 'TXN-1042-1',
          captureReference: expect.stringMatching(/^tr_/),
          currency: 'XOF',
          capturedAmount: 15_000,
          refundedAmount: 5_000,
          createdAt: expect.any(Date),
        },
      ]);
    });

    it('reads it to the end, whatever its pages are, each payment once', async () => {
      await double.stop();
      double = await startDouble({ paymentsPerPage: 2 });
      const references = [1, 2, 3, 4, 5].map((number) => another(number).reference);
      for (const number of [1, 2, 3, 4, 5]) {
        await provider().initiate(another(number));
        double.pay(another(number).reference);
      }
      expect((await listed()).map(({ attemptReference }) => attemptReference)).toEqual(references);
      expect(double.counts().requests.listPayments).toBe(3);
    });

    it('takes what was opened at its beginning, and not what was opened at its end', async () => {
      await paid();
      const [{ createdAt } = { createdAt: new Date(0) }] = await listed();
      const [before, after] = [-1, 1].map((step) => new Date(createdAt.getTime() + step));
      expect(await listed(provider(), createdAt, after)).toHaveLength(1);
      expect(await listed(provider(), before, createdAt)).toEqual([]);
    });
  });

  describe('that fails', () => {
    it.each<[string, string, string, Fault]>([
      ['declines', 'declined', 'declined', { kind: 'status', status: 402 }],
      ['refuses', 'rejected', 'rejected', { kind: 'status', status: 400 }],
      ['does not know us', 'rejected', 'rejected', { kind: 'status', status: 401 }],
      ['has had too much', 'unavailable', 'unavailable', { kind: 'status', status: 429 }],
      ['lost patience', 'outcomeUnknown', 'unavailable', { kind: 'status', status: 408 }],
      ['breaks', 'outcomeUnknown', 'unavailable', { kind: 'status', status: 500 }],
      ['is behind a broken proxy', 'outcomeUnknown', 'unavailable', { kind: 'status', status: 502 }],
      ['is out of service', 'outcomeUnknown', 'unavailable', { kind: 'status', status: 503 }],
      ['sends us elsewhere', 'outcomeUnknown', 'unavailable', { kind: 'status', status: 302 }],
      ['answers in HTML', 'outcomeUnknown', 'unavailable', { kind: 'status', status: 200, body: '<p>hi' }],
      ['answers nothing', 'outcomeUnknown', 'unavailable', { kind: 'status', status: 200, body: '' }],
      ['answers null', 'outcomeUnknown', 'unavailable', { kind: 'status', status: 200, body: 'null' }],
      [
        'answers without end',
        'outcomeUnknown',
        'unavailable',
        { kind: 'status', status: 200, body: `"${'x'.repeat(1_100_000)}"` },
      ],
      ['hangs', 'outcomeUnknown', 'unavailable', { kind: 'hang' }],
      ['hangs up', 'outcomeUnknown', 'unavailable', { kind: 'close' }],
      ['does it and hangs up', 'outcomeUnknown', 'unavailable', { kind: 'close', afterDoing: true }],
    ])(
      'because the bank %s is %s after an order, and %s after a question',
      async (_name, order, question, fault) => {
        const hurried = provider({ ...(fault.kind === 'hang' && { timeoutMilliseconds: 250 }) });
        double.answerNext('createPayment', fault);
        await expect(hurried.initiate(ATTEMPT)).rejects.toMatchObject({
          name: 'ProviderFailure',
          kind: order,
        });
        const attempt = await initiated();
        double.answerNext('cancelPayment', fault);
        await expect(hurried.cancel!(attempt)).rejects.toMatchObject({ kind: order });
        double.answerNext('getPayment', fault);
        await expect(hurried.verify(attempt)).rejects.toMatchObject({ kind: question });
        double.answerNext('listPayments', fault);
        await expect(listed(hurried)).rejects.toMatchObject({ kind: question });
        double.payLate(attempt.reference);
        const refund = await refundOf(attempt);
        double.answerNext('createRefund', fault);
        await expect(hurried.refund!(refund)).rejects.toMatchObject({ kind: order });
      },
    );

    it('because nobody is there is unavailable: surely nothing happened', async () => {
      const attempt = await initiated();
      await double.stop();
      const failure = { kind: 'unavailable', code: 'UNREACHABLE' };
      await expect(provider().initiate(ATTEMPT)).rejects.toMatchObject(failure);
      await expect(provider().cancel!(attempt)).rejects.toMatchObject(failure);
      await expect(provider().verify(attempt)).rejects.toMatchObject(failure);
    });

    it('because the name of the bank is unknown is unavailable', async () => {
      const lost = bank({ baseUrl: new URL(`http://${NO_SUCH_HOST}/`) });
      await expect(lost.initiate(ATTEMPT)).rejects.toMatchObject({
        kind: 'unavailable',
        code: 'UNREACHABLE',
      });
    });

    it('says nothing of the key, and keeps its cause', async () => {
      double.answerNext('createPayment', { kind: 'close' });
      const failure: Error = await provider()
        .initiate(ATTEMPT)
        .then(
          () => Promise.reject(new Error('it did not fail')),
          (error: Error) => error,
        );
      expect(failure.message).toBe('Bank X closed the connection before it answered.');
      expect(failure.cause).toBeDefined();
      expect(JSON.stringify(failure)).not.toContain(API_KEY);
    });

    it('has the bank’s own code where it gives one', async () => {
      await provider().initiate(ATTEMPT);
      await expect(provider().initiate({ ...ATTEMPT, amount: 1 })).rejects.toMatchObject({
        kind: 'rejected',
        code: 'reference_in_use',
      });
    });
  });

  describe('that is answered with something else than what was asked', () => {
    let answer: object;
    let status: number;
    let liar: Server;
    let seen: IncomingMessage[];
    let bodies: string[];

    beforeEach(async () => {
      [seen, bodies] = [[], []];
      status = 200;
      liar = createServer((request, response) => {
        seen.push(request);
        void text(request).then((body) => {
          bodies.push(body);
          // `#1` stands for a number that JSON.stringify can't write. A location counts only for a client that follows redirects.
          response
            .writeHead(status, { location: '/elsewhere' })
            .end(JSON.stringify(answer).replace(/"#(\d+)"/, '$1'));
        });
      }).listen(0, '127.0.0.1');
      await once(liar, 'listening');
    });

    afterEach(async () => {
      liar.closeAllConnections();
      await new Promise((resolve) => liar.close(resolve));
    });

    const lyingProvider = (options: Partial<BankOptions> = {}) =>
      bank({ baseUrl: new URL(`http://127.0.0.1:${(liar.address() as AddressInfo).port}`), ...options });

    const HONEST = {
      id: 'bpay_7',
      reference: ATTEMPT.reference,
      status: 'CREATED',
      amount: '15000',
      currency: 'XOF',
      payment_url: 'https://bank.example/pay/7',
    };

    it('believes an honest answer', async () => {
      answer = HONEST;
      await expect(lyingProvider().initiate(ATTEMPT)).resolves.toMatchObject({ providerReference: 'bpay_7' });
      expect(seen[0]?.headers).toMatchObject({
        authorization: `Bearer ${API_KEY}`,
        'idempotency-key': ATTEMPT.idempotencyKey,
      });
    });

    it('follows nobody elsewhere, least of all with the key', async () => {
      [status, answer] = [307, HONEST];
      await expect(lyingProvider().initiate(ATTEMPT)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
      expect(seen).toHaveLength(1);
    });

    it('reads no answer without end, even if it begins well', async () => {
      answer = { ...HONEST, padding: 'x'.repeat(1_100_000) };
      await expect(lyingProvider().initiate(ATTEMPT)).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE' });
    });

    it('sends nobody from a secure bank to an insecure page', async () => {
      const realFetch = globalThis.fetch;
      globalThis.fetch = () =>
        Promise.resolve(Response.json({ ...HONEST, payment_url: 'http://bank.example/pay/7' }));
      try {
        const secure = bank({ baseUrl: new URL('https://bank.example') });
        await expect(secure.initiate(ATTEMPT)).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE' });
      } finally {
        globalThis.fetch = realFetch;
      }
    });

    it.each<[string, object]>([
      ['another amount', { amount: '15001' }],
      ['an amount that could be two', { amount: '15,000' }],
      ['another currency', { currency: 'XAF' }],
      ['another reference', { reference: 'TXN-1-1' }],
      ['no id', { id: null }],
      ['an id that climbs out of its path', { id: '../admin' }],
      ['no page', { payment_url: null }],
      ['a page that is a script', { payment_url: 'javascript:alert(1)' }],
      ['a page without a host', { payment_url: '/pay/7' }],
    ])('does not send the payer to pay for %s', async (_name, change) => {
      answer = { ...HONEST, ...change };
      await expect(lyingProvider().initiate(ATTEMPT)).rejects.toMatchObject({
        kind: 'outcomeUnknown',
        code: 'ANSWER_UNREADABLE',
      });
    });

    it.each<[string, object]>([
      ['another payment', { id: 'bpay_8' }],
      ['another reference', { reference: 'TXN-1-1' }],
      ['no status', { status: null }],
      ['paid, but not how much', { status: 'BOOKED', transfer_id: 'tr_1', amount: '1.5' }],
      ['paid, but not by which movement', { status: 'BOOKED' }],
    ])('does not take %s for the state of ours', async (_name, change) => {
      answer = { ...HONEST, ...change };
      const attempt = { ...ATTEMPT, providerReference: 'bpay_7', ...SINCE };
      await expect(lyingProvider().verify(attempt)).rejects.toMatchObject({ kind: 'unavailable' });
      await expect(lyingProvider().cancel!(attempt)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
    });

    it('tells truly when another amount was paid than we asked for', async () => {
      answer = { ...HONEST, status: 'BOOKED', transfer_id: 'tr_1', amount: '14000' };
      const [event] = await lyingProvider().verify({ ...ATTEMPT, providerReference: 'bpay_7', ...SINCE });
      expect(event?.outcome).toEqual({
        kind: 'paid',
        amount: 14000,
        currency: 'XOF',
        movementReference: 'tr_1',
      });
    });

    const REFUND = {
      id: 'brfd_1',
      payment_id: 'bpay_7',
      reference: 'RFD-7',
      status: 'BOOKED',
      amount: '5000',
      currency: 'XOF',
    };

    const WANTED: RefundToMake = {
      reference: 'RFD-7',
      idempotencyKey: 'refund-key-7',
      attempt: { ...ATTEMPT, providerReference: 'bpay_7', ...SINCE },
      captureReference: 'tr_1',
      amount: 5_000,
      currency: 'XOF',
      reason: 'DUPLICATE',
    };

    it('believes an honest refund, which it asked for under its key', async () => {
      answer = REFUND;
      const { outcome } = await lyingProvider().refund!(WANTED);
      expect(outcome).toMatchObject({ kind: 'refund', providerRefundReference: 'brfd_1' });
      expect(seen[0]?.url).toBe('/payments/bpay_7/refunds');
      expect(seen[0]?.headers['idempotency-key']).toBe('refund-key-7');
    });

    it.each<[string, object]>([
      ['another amount', { amount: '5001' }],
      ['an amount that could be two', { amount: '5,000' }],
      ['nothing', { amount: '0' }],
      ['another currency', { currency: 'XAF' }],
      ['another reference', { reference: 'RFD-8' }],
      ['no reference', { reference: null }],
      ['another payment', { payment_id: 'bpay_8' }],
      ['no id', { id: '' }],
      ['no status', { status: null }],
    ])('does not take a refund of %s for the one that it asked for', async (_name, change) => {
      answer = { ...REFUND, ...change };
      await expect(lyingProvider().refund!(WANTED)).rejects.toMatchObject({
        kind: 'outcomeUnknown',
        code: 'ANSWER_UNREADABLE',
      });
    });

    it.each(['SETTLING', 'constructor'])('takes a refund that is %s for undecided', async (status) => {
      answer = { ...REFUND, status };
      expect((await lyingProvider().refund!(WANTED)).outcome).toMatchObject({ status: 'pending' });
    });

    it.each<[string, AmountFormat, unknown]>([
      ['a string of major units', 'DECIMAL', '15000'],
      ['an integer of minor units', 'MINOR_UNITS', 15000],
      ['a number of major units', 'DECIMAL_NUMBER', 15000],
    ])('says and reads %s, if the bank writes amounts so', async (_name, amountFormat, amount) => {
      answer = { ...HONEST, amount };
      await lyingProvider({ api: { amountFormat } }).initiate(ATTEMPT);
      expect(JSON.parse(bodies[0]!)).toMatchObject({ amount });
    });

    it('reads ids that are whole numbers, which many banks count', async () => {
      answer = { ...HONEST, id: 104, status: 'BOOKED', transfer_id: 77 };
      const { providerReference } = await lyingProvider().initiate(ATTEMPT);
      const [event] = await lyingProvider().verify({ ...ATTEMPT, providerReference, ...SINCE });
      expect(providerReference).toBe('104');
      expect(event?.outcome).toMatchObject({ movementReference: '77' });
    });

    it('keeps each digit of an id that is a number of 19', async () => {
      answer = { ...HONEST, status: 'BOOKED', transfer_id: '#9007199254740993001' };
      const [event] = await lyingProvider().verify({ ...ATTEMPT, providerReference: 'bpay_7', ...SINCE });
      expect(event?.outcome).toMatchObject({ movementReference: '9007199254740993001' });
    });

    it.each([0, -1, 1.5])('takes the number %d for no id', async (id) => {
      answer = { ...HONEST, id };
      await expect(lyingProvider().initiate(ATTEMPT)).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE' });
    });

    it('says what belongs together where the bank has it, whatever it is called', async () => {
      answer = {
        constructor: { no: 'bpay_7' },
        order: { ref: ATTEMPT.reference },
        sum: '15000',
        currency: 'XOF',
        payment_url: HONEST.payment_url,
      };
      const paymentFields = {
        id: 'constructor.no',
        reference: 'order.ref',
        description: 'order.text',
        amount: 'sum',
        locale: 'constructor.locale',
      };
      const renamed = lyingProvider({
        api: { paymentFields, keyHeader: 'X-Api-Key', addresses: { create: 'v2/collect' } },
      });
      expect((await renamed.initiate(ATTEMPT)).providerReference).toBe('bpay_7');
      expect(JSON.parse(bodies[0]!)).toMatchObject({
        order: { ref: ATTEMPT.reference, text: ATTEMPT.description },
        sum: '15000',
        constructor: { locale: 'fr-SN' },
      });
      expect(seen[0]?.url).toBe('/v2/collect');
      expect(seen[0]?.headers).toMatchObject({ 'x-api-key': API_KEY });
      expect(seen[0]?.headers.authorization).toBeUndefined();
    });

    it('names the payment in the body of a refund whose address does not', async () => {
      answer = REFUND;
      await lyingProvider({ api: { addresses: { refund: 'give-back' } } }).refund!(WANTED);
      expect(seen[0]?.url).toBe('/give-back');
      expect(JSON.parse(bodies[0]!)).toMatchObject({ payment_id: 'bpay_7', transfer_id: 'tr_1' });
    });

    it('reads a refund’s status in the words of its bank', async () => {
      answer = { ...REFUND, status: 'returned' };
      const wordy = lyingProvider({ refundStatusWords: { returned: 'succeeded' } });
      expect((await wordy.refund!(WANTED)).outcome).toMatchObject({ status: 'succeeded' });
    });

    it.each<[string, unknown]>([
      ['no list', {}],
      ['of another payment', [{ ...REFUND, payment_id: 'bpay_8' }]],
      ['of no exact amount', [REFUND, { ...REFUND, amount: '1.5' }]],
      ['that are nothing', [null]],
    ])('believes nothing of a payment with refunds that are %s', async (_name, refunds) => {
      answer = { ...HONEST, status: 'BOOKED', transfer_id: 'tr_1', refunds };
      await expect(lyingProvider().verify(WANTED.attempt)).rejects.toMatchObject({ kind: 'unavailable' });
    });

    const LISTED = {
      ...HONEST,
      status: 'BOOKED',
      transfer_id: 'tr_1',
      paid_amount: '15000',
      refunded_amount: '0',
      created_at: '2026-10-30T10:00:00Z',
    };

    const lyingList = async () => {
      const payments: ListedPayment[] = [];
      const pages = lyingProvider().listPayments!(new Date(0), new Date());
      for await (const payment of pages) payments.push(payment);
      return payments;
    };

    it('believes an honest list, and tells of payments that are not ours too', async () => {
      answer = { payments: [LISTED, { ...LISTED, reference: undefined }], next_cursor: null };
      expect(await lyingList()).toMatchObject([
        { attemptReference: ATTEMPT.reference },
        { providerReference: 'bpay_7' },
      ]);
    });

    it.each<[string, object]>([
      ['no payments', { next_cursor: null }],
      ['no word about the next page', { payments: [LISTED] }],
      ['the same page for ever', { payments: [], next_cursor: 'again' }],
      ['a payment without an id', { payments: [{ ...LISTED, id: null }], next_cursor: null }],
      ['a payment of nothing', { payments: [{ ...LISTED, paid_amount: '0' }], next_cursor: null }],
      ['no refunded amount', { payments: [{ ...LISTED, refunded_amount: null }], next_cursor: null }],
      ['a negative refund', { payments: [{ ...LISTED, refunded_amount: '-1' }], next_cursor: null }],
      ['an unknown currency', { payments: [{ ...LISTED, currency: 'XTS' }], next_cursor: null }],
      ['no time', { payments: [{ ...LISTED, created_at: 'soon' }], next_cursor: null }],
    ])('does not take a list with %s for the books', async (_name, change) => {
      answer = change;
      await expect(lyingList()).rejects.toMatchObject({ kind: 'unavailable', code: 'ANSWER_UNREADABLE' });
      expect(seen.length).toBeLessThan(3);
    });
  });
});

describe('the options of a bank', () => {
  it('need no more than a name, an address, a key and a secret', () => {
    const { name, capabilities } = createBankProvider({
      name: 'bank-x',
      baseUrl: new URL('https://bank.example/api'),
      apiKey: API_KEY,
      webhookSecrets: [SECRET],
    });
    expect(name).toBe('bank-x');
    expect(capabilities).toMatchObject({
      ways: [{ method: 'BANK', presentation: 'REDIRECT' }],
      currencies: 'ANY',
      webhookProof: 'SIGNED',
      partialRefunds: true,
    });
    expect(capabilities.limits('XOF')).toEqual({});
  });

  it('may limit amounts and currencies', () => {
    const { capabilities } = bank({
      currencies: ['XOF'],
      limits: { XOF: { minimum: 100, maximum: 2_000_000 } },
    });
    expect(capabilities.currencies).toEqual(['XOF']);
    expect(capabilities.limits('XOF')).toEqual({ minimum: 100, maximum: 2_000_000 });
  });

  it.each<['PARTIAL' | 'FULL' | 'NONE', boolean, boolean]>([
    ['PARTIAL', true, true],
    ['FULL', true, false],
    ['NONE', false, false],
  ])('say what it gives back: %s', (refunds, gives, givesParts) => {
    const provider = bank({ refunds });
    expect('refund' in provider).toBe(gives);
    expect(provider.capabilities.partialRefunds).toBe(givesParts);
    expect('capture' in provider).toBe(false);
  });

  it('leave out what the bank has not: cancelling, and a list', () => {
    const provider = bank({ api: { addresses: { cancel: 'NONE', list: 'NONE' } } });
    expect('cancel' in provider).toBe(false);
    expect('listPayments' in provider).toBe(false);
  });

  const signature = (change: object, message: object = {}): Partial<BankOptions> => ({
    notification: {
      signature: {
        header: 'X-Signature',
        encoding: 'hex',
        prefix: 'v1=',
        ...change,
        message: { form: 'ts.body', timestamp: 'INLINE', toleranceSeconds: 300, ...message },
      },
    },
  });

  it.each<[string, Partial<BankOptions>]>([
    ['a comma in the prefix beside an inline timestamp', signature({ prefix: 'v1=,' })],
    ['the prefix of an inline timestamp for the signature', signature({ prefix: 't=' })],
    ['a timestamp that is always too old', signature({}, { toleranceSeconds: 0 })],
    ['two fields in one place', { api: { paymentFields: { amount: 'reference' } } }],
    ['a field within another', { api: { refundFields: { amount: 'money', currency: 'money.unit' } } }],
    ['no secret', { webhookSecrets: [] }],
    ['a secret that everybody knows', { webhookSecrets: [SECRET, ' '] }],
    ['a key that no header can carry', { apiKey: 'key\n' }],
    ['an address that is no web address', { baseUrl: new URL('ftp://bank.example') }],
  ])('are refused with %s, and the secret is not in the complaint', (_name, options) => {
    expect(() => bank(options)).toThrow(/^bank "bank-x": [^_]+$/);
  });
});

describe('an amount as a bank writes it', () => {
  it('comes back exactly, in each format and currency, or is not written at all', () => {
    const anyAmount = fc.oneof(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: 1, max: 999_999 }),
    );
    fc.assert(
      fc.property(
        anyAmount,
        fc.constantFrom(...AMOUNT_FORMATS),
        fc.constantFrom(...CURRENCIES),
        (amount, format, currency) => {
          const notation = { format, exponents: {} };
          const written = writeAmount(amount, notation, currency);
          if (written === undefined) return format === 'DECIMAL_NUMBER' && amount >= 10 ** 14;
          const read: unknown = JSON.parse(JSON.stringify(written));
          return readAmount(read, notation, currency) === amount;
        },
      ),
    );
  });

  it.each<[string, AmountFormat, unknown]>([
    ['more precise than the currency', 'DECIMAL_NUMBER', 10.999],
    ['a sum of floats', 'DECIMAL_NUMBER', 0.1 + 0.2],
    ['more than a number holds exactly', 'DECIMAL_NUMBER', 1e21],
    ['less than nothing', 'DECIMAL_NUMBER', -10.99],
    ['a fraction', 'MINOR_UNITS', 10.99],
    ['nothing', 'DECIMAL_NUMBER', 0],
  ])('is not read when it is %s (%s)', (_name, format, amount) => {
    expect(readAmount(amount, { format, exponents: {} }, 'EUR')).toBeUndefined();
  });

  it('comes back exactly, or is not written at all, with however many decimals the bank counts', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: MAX_AMOUNT }), fc.integer({ min: 1, max: 99_999 })),
        fc.constantFrom(...AMOUNT_FORMATS),
        fc.constantFrom(...CURRENCIES),
        fc.nat({ max: 6 }),
        (amount, format, currency, exponent) => {
          const notation = { format, exponents: { [currency]: exponent } };
          const written = writeAmount(amount, notation, currency);
          if (written === undefined) return amount > 1e6 || exponent < minorUnitDigits(currency);
          return readAmount(JSON.parse(JSON.stringify(written)), notation, currency) === amount;
        },
      ),
    );
  });

  it.each([1_500_050, 1, -1_500_000, 15_000.5])(
    'is not rounded where %d hundredths are no whole number of francs',
    (units) => {
      expect(readAmount(units, { format: 'MINOR_UNITS', exponents: { XOF: 2 } }, 'XOF')).toBeUndefined();
    },
  );

  it.each<[string, AmountFormat, unknown]>([
    ['a text where numbers were agreed', 'DECIMAL_NUMBER', '10.99'],
    ['a number where texts were agreed', 'DECIMAL', 10.99],
    ['a text of minor units', 'MINOR_UNITS', '1099'],
  ])('is read when it is %s (%s)', (_name, format, amount) => {
    expect(readAmount(amount, { format, exponents: {} }, 'EUR')).toBe(1099);
  });
});
