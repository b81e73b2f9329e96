import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import { ProvidersHealth } from '../src/providers/health.js';
import type { ProviderCall } from '../src/providers/provider-call.js';
import {
  ProviderFailure,
  type AttemptToInitiate,
  type InitiatedAttempt,
  type Provider,
} from '../src/providers/provider.js';
import type { ResilienceOptions } from '../src/providers/resilience-options.js';
import { resilient } from '../src/providers/resilience.js';
import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { startBankDouble, type BankDouble } from '../src/sandbox/bank/bank-double.js';
import { startStripeDouble } from '../src/sandbox/stripe/stripe-double.js';
import { eventually } from './support/eventually.js';

const log = pino({ level: 'silent' });

const BROKEN = { kind: 'status', status: 503 } as const;
const HANGING = { kind: 'hang' } as const;

let double: BankDouble;
let bank: Provider;

beforeEach(async () => {
  double = await startBankDouble({
    name: 'bank-x',
    displayName: 'Bank X',
    apiKey: 'bank-key',
    webhookSecret: 'bank-secret',
    webhookUrl: () => 'http://127.0.0.1:9/',
    webhooks: false,
    paymentsPerPage: 2,
  });
  bank = createBankProvider({
    name: 'bank-x',
    displayName: 'Bank X',
    baseUrl: double.url,
    apiKey: 'bank-key',
    webhookSecrets: ['bank-secret'],
    timeoutMilliseconds: 5_000,
  });
});

afterEach(() => double.stop());

function guarded(options: ResilienceOptions = {}, inner: Provider = bank) {
  const calls: ProviderCall[] = [];
  const health = new ProvidersHealth();
  const provider = resilient(inner, {
    retryPauseMilliseconds: 20,
    pauseMilliseconds: 150,
    longestPauseMilliseconds: 250,
    ...options,
    health,
    onCall: (call) => calls.push(call),
    log,
  });
  return { provider, calls, health };
}

let attemptsMade = 0;

function attempt(): AttemptToInitiate {
  attemptsMade += 1;
  return {
    reference: `TXN-RESILIENT${attemptsMade}-1`,
    idempotencyKey: randomUUID(),
    amount: 1099,
    currency: 'EUR',
    method: 'BANK',
    presentation: 'REDIRECT',
    description: 'Commande 1042',
    returnUrl: 'https://shop.example/done',
    captureMethod: 'AUTOMATIC',
    expiresAt: new Date(Date.now() + 20 * 60_000),
  };
}

async function begun(provider = bank): Promise<InitiatedAttempt> {
  const toInitiate = attempt();
  const { providerReference } = await provider.initiate(toInitiate);
  return { ...toInitiate, providerReference, begunAt: new Date(), openRefunds: [] };
}

const requests = () => double.counts().requests;

async function failureOf(call: Promise<unknown>): Promise<ProviderFailure> {
  const outcome = await call.then(
    () => 'it was answered',
    (error: unknown) => error,
  );
  if (outcome instanceof ProviderFailure) return outcome;
  throw new Error(`expected a ProviderFailure, and saw ${String(outcome)}`);
}

async function timed<Answer>(work: Promise<Answer>): Promise<{ answer: Answer; milliseconds: number }> {
  const began = performance.now();
  const answer = await work;
  return { answer, milliseconds: performance.now() - began };
}

/** An adapter whose `initiate` does these things, one after the other. */
function scripted(...deeds: (() => Promise<never> | ReturnType<Provider['initiate']>)[]) {
  const left = [...deeds];
  return { ...bank, initiate: () => left.shift()!() };
}

const failing = (kind: ProviderFailure['kind']) => () =>
  Promise.reject(new ProviderFailure('bank-x', kind, 'SCRIPTED', 'scripted'));

describe('a call that did nothing', () => {
  it('is made again, and reported once with all of its tries', async () => {
    const { provider, calls } = guarded();
    const ours = await begun();
    double.answerNext('getPayment', BROKEN, 2);
    await provider.verify(ours);
    expect(requests().getPayment).toBe(3);
    expect(calls).toEqual([
      {
        provider: 'bank-x',
        operation: 'verify',
        attemptReference: ours.reference,
        startedAt: expect.any(Date),
        milliseconds: expect.any(Number),
        tries: 3,
        outcome: 'OK',
        exchanges: [503, 503, 200].map((status) => expect.objectContaining({ method: 'GET', status })),
      },
    ]);
    expect(calls[0]!.exchanges[2]!.answer).toContain(ours.providerReference);
  });

  it('is given up after three tries, and is still called harmless', async () => {
    const { provider, calls } = guarded();
    const ours = await begun();
    double.answerNext('getPayment', BROKEN, 9);
    expect(await failureOf(provider.verify(ours))).toMatchObject({ kind: 'unavailable', code: 'HTTP_503' });
    expect(requests().getPayment).toBe(3);
    expect(calls).toMatchObject([{ tries: 3, outcome: 'unavailable', failureCode: 'HTTP_503' }]);
  });

  it('is not made again when the provider said so itself, which is no failure of the provider', async () => {
    const closed = () =>
      Promise.reject(
        new ProviderFailure('bank-x', 'unavailable', 'OPERATOR_CLOSED', 'closed', { isAnswer: true }),
      );
    const { provider, calls, health } = guarded({}, scripted(...Array.from({ length: 6 }, () => closed)));
    for (let times = 0; times < 6; times += 1) {
      expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ code: 'OPERATOR_CLOSED' });
    }
    expect(calls.map(({ outcome, tries }) => [outcome, tries])).toEqual(Array(6).fill(['unavailable', 1]));
    expect(health.of('bank-x')!.status).toBe('HEALTHY');
  });

  it('is told within a second, with the pauses that are the default', async () => {
    const provider = resilient(bank, { log });
    await double.stop();
    const { answer, milliseconds } = await timed(failureOf(provider.initiate(attempt())));
    expect(answer).toMatchObject({ kind: 'unavailable', code: 'UNREACHABLE' });
    expect(milliseconds).toBeLessThan(1_000);
  });

  it('is not made again when the provider has too many calls as it is', async () => {
    const { provider } = guarded();
    double.answerNext('createPayment', { kind: 'status', status: 429 });
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ kind: 'unavailable' });
    expect(requests().createPayment).toBe(1);
  });
});

describe('a call of which nobody knows what it did', () => {
  it.each([
    ['a lost connection', { kind: 'close', afterDoing: true }],
    ['a 502', { ...BROKEN, afterDoing: true }],
    ['a 500 before it did anything', { kind: 'status', status: 500 }],
  ] as const)('(%s) is never made again', async (_, fault) => {
    const { provider, calls } = guarded();
    double.answerNext('createPayment', fault);
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ kind: 'outcomeUnknown' });
    await sleep(100);
    expect(requests().createPayment).toBe(1);
    expect(calls).toMatchObject([{ tries: 1, outcome: 'outcomeUnknown' }]);
  });

  it('ends the tries, and what came before it doesn’t make it harmless', async () => {
    const { provider, calls } = guarded({}, scripted(failing('unavailable'), failing('outcomeUnknown')));
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ kind: 'outcomeUnknown' });
    expect(calls).toMatchObject([{ tries: 2, outcome: 'outcomeUnknown' }]);
  });
});

describe('a call that takes too long', () => {
  const LIMIT = { timeLimitMilliseconds: 200 };

  it('and may move money has an unknown outcome', async () => {
    const { provider, calls } = guarded(LIMIT);
    double.answerNext('createPayment', HANGING);
    const { answer, milliseconds } = await timed(failureOf(provider.initiate(attempt())));
    expect(answer).toMatchObject({ kind: 'outcomeUnknown', code: 'TIMEOUT' });
    expect(milliseconds).toBeLessThan(500);
    expect(calls).toMatchObject([
      { tries: 1, outcome: 'outcomeUnknown', exchanges: [{ method: 'POST', error: 'TIMEOUT' }] },
    ]);
  });

  it('and only asks is unavailable', async () => {
    const { provider, calls } = guarded(LIMIT);
    const ours = await begun();
    double.answerNext('getPayment', HANGING);
    const { answer, milliseconds } = await timed(failureOf(provider.verify(ours)));
    expect(answer).toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
    expect(milliseconds).toBeLessThan(500);
    expect(requests().getPayment).toBe(1);
    expect(calls).toMatchObject([{ tries: 1 }]);
  });

  it('is ended even if its adapter never ends', async () => {
    const { provider } = guarded(LIMIT, { ...bank, initiate: () => new Promise(() => {}) });
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({
      kind: 'outcomeUnknown',
      code: 'TIMEOUT',
    });
  });

  it('is harmless between two tries that were, and no try follows', async () => {
    const { provider, calls } = guarded(
      { ...LIMIT, retryPauseMilliseconds: 20_000 },
      scripted(failing('unavailable'), failing('outcomeUnknown')),
    );
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({
      kind: 'unavailable',
      code: 'TIMEOUT',
    });
    expect(calls).toMatchObject([{ tries: 1 }]);
  });

  it('sends nothing any more once it was told as over', async () => {
    // On a connection that stands, a request is sent at once.
    await begun();
    const { provider } = guarded(LIMIT, {
      ...bank,
      initiate: async (toInitiate) => {
        await sleep(300);
        return bank.initiate(toInitiate);
      },
    });
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ code: 'TIMEOUT' });
    await sleep(200);
    expect(requests().createPayment).toBe(1);
  });
});

describe('the circuit of a provider that does not answer', () => {
  const breakCircuit = async (provider: Provider) => {
    double.answerNext('createPayment', BROKEN, 5);
    for (let failures = 0; failures < 5; failures += 1) {
      expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ kind: 'outcomeUnknown' });
    }
  };

  it('opens at the fifth failure in a row, and then refuses at once without asking', async () => {
    const { provider, calls } = guarded();
    await breakCircuit(provider);
    const { answer, milliseconds } = await timed(failureOf(provider.initiate(attempt())));
    expect(answer).toMatchObject({ kind: 'unavailable', code: 'CIRCUIT_OPEN' });
    expect(answer.message).toBe('bank-x failed several times in a row, and is left alone for a moment.');
    expect(milliseconds).toBeLessThan(100);
    expect(requests().createPayment).toBe(5);
    expect(calls).toHaveLength(6);
    expect(calls.at(-1)).toMatchObject({ outcome: 'unavailable', failureCode: 'CIRCUIT_OPEN', tries: 0 });
    expect(calls.at(-1)!.exchanges).toEqual([]);
  });

  it('is that of one operation: the others go on', async () => {
    const { provider } = guarded();
    const ours = await begun(provider);
    await breakCircuit(provider);
    expect(await provider.verify(ours)).toMatchObject([{ outcome: { kind: 'pending' } }]);
  });

  it('lets one call through after the pause, refuses the others meanwhile, and closes when it is answered', async () => {
    const { provider } = guarded();
    await breakCircuit(provider);
    await sleep(160);
    const settled = await Promise.allSettled(Array.from({ length: 10 }, () => provider.initiate(attempt())));
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(requests().createPayment).toBe(6);
    await Promise.all(Array.from({ length: 10 }, () => provider.initiate(attempt())));
    expect(requests().createPayment).toBe(16);
  });

  it('stays open longer each time that it still fails, and that one call does not insist', async () => {
    const { provider, calls } = guarded();
    await breakCircuit(provider);
    await sleep(160);
    double.answerNext('createPayment', BROKEN);
    await failureOf(provider.initiate(attempt()));
    await sleep(160);
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ code: 'CIRCUIT_OPEN' });
    await sleep(100);
    await provider.initiate(attempt());
    expect(calls.map(({ tries }) => tries)).toEqual([1, 1, 1, 1, 1, 1, 0, 1]);
  });

  it('asks once only when it tries whether the provider is back', async () => {
    const { provider } = guarded();
    const ours = await begun();
    double.answerNext('getPayment', BROKEN, 99);
    for (let failures = 0; failures < 5; failures += 1) await failureOf(provider.verify(ours));
    const before = requests().getPayment;
    await sleep(160);
    expect(await failureOf(provider.verify(ours))).toMatchObject({ code: 'HTTP_503' });
    expect(requests().getPayment).toBe(before + 1);
  });

  it.each([402, 422])('takes a %i for an answer: whoever answers is well', async (status) => {
    const { provider } = guarded();
    for (let round = 0; round < 3; round += 1) {
      double.answerNext('createPayment', BROKEN, 4);
      for (let failures = 0; failures < 4; failures += 1) await failureOf(provider.initiate(attempt()));
      double.answerNext('createPayment', { kind: 'status', status });
      await failureOf(provider.initiate(attempt()));
    }
    await provider.initiate(attempt());
    expect(requests().createPayment).toBe(16);
  });
});

describe('a bug of ours in an adapter', () => {
  const bug = new TypeError('undefined is not a function');
  const buggy = () => Promise.reject(bug);
  const unknown = failing('outcomeUnknown');

  it('passes unchanged, is reported, and is no failure of the provider', async () => {
    const { provider, calls, health } = guarded({}, scripted(...Array.from({ length: 9 }, () => buggy)));
    for (let times = 0; times < 9; times += 1) await expect(provider.initiate(attempt())).rejects.toBe(bug);
    expect(calls.map(({ outcome, tries }) => [outcome, tries])).toEqual(Array(9).fill(['BUG', 1]));
    expect(health.of('bank-x')!.status).toBe('HEALTHY');
  });

  it('is no answer of the provider’s either', async () => {
    const { provider } = guarded({}, scripted(unknown, unknown, unknown, unknown, buggy, unknown));
    for (let times = 0; times < 6; times += 1) await provider.initiate(attempt()).catch(() => {});
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('after which the circuit would have closed opens it again at the next failure', async () => {
    const script = [...Array.from({ length: 5 }, () => unknown), buggy, unknown];
    const { provider } = guarded({}, scripted(...script));
    for (let times = 0; times < 5; times += 1) await failureOf(provider.initiate(attempt()));
    await sleep(160);
    await expect(provider.initiate(attempt())).rejects.toBe(bug);
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ code: 'SCRIPTED' });
    expect(await failureOf(provider.initiate(attempt()))).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });
});

describe('many calls at once', () => {
  it('wait for their turn up to a number, and beyond it are refused at once', async () => {
    const slow: Provider = {
      ...bank,
      initiate: async (toInitiate) => {
        const answer = await bank.initiate(toInitiate);
        await sleep(100);
        return answer;
      },
    };
    const { provider, health } = guarded({ runningCalls: 2, waitingCalls: 3 }, slow);
    const running = [provider.initiate(attempt()), provider.initiate(attempt())];
    await eventually(
      () => requests().createPayment,
      (count) => count === 2,
    );
    const waiting = Array.from({ length: 3 }, () => provider.initiate(attempt()));
    const { answer, milliseconds } = await timed(failureOf(provider.initiate(attempt())));
    expect(answer).toMatchObject({ kind: 'unavailable', code: 'TOO_MANY_CALLS' });
    expect(milliseconds).toBeLessThan(100);
    expect(requests().createPayment).toBe(2);
    await Promise.all(running);
    await Promise.all(waiting);
    expect(requests().createPayment).toBe(5);
    const { operations } = health.of('bank-x')!;
    expect(operations.find(({ operation }) => operation === 'initiate')).toMatchObject({
      consecutiveFailures: 0,
      circuit: 'CLOSED',
    });
  });

  const slowAtFirst = (milliseconds: number): Provider => {
    let isFirst = true;
    return {
      ...bank,
      initiate: async (toInitiate) => {
        const isSlow = isFirst;
        isFirst = false;
        if (isSlow) await sleep(milliseconds);
        return bank.initiate(toInitiate);
      },
    };
  };

  const fourAtOnce = (provider: Provider) =>
    Promise.all(Array.from({ length: 4 }, () => failureOf(provider.initiate(attempt()))));

  it('that waited in vain never begin, and say nothing against the provider', async () => {
    const { provider, calls } = guarded(
      { runningCalls: 1, waitingCalls: 9, timeLimitMilliseconds: 150, failuresToOpen: 2 },
      slowAtFirst(400),
    );
    const failures = await fourAtOnce(provider);
    expect(failures.map(({ kind, code }) => [kind, code])).toEqual([
      ['outcomeUnknown', 'TIMEOUT'],
      ...Array(3).fill(['unavailable', 'TOO_MANY_CALLS']),
    ]);
    await sleep(400);
    expect(requests().createPayment).toBe(0);
    expect(calls.map(({ tries }) => tries).sort()).toEqual([0, 0, 0, 1]);
    await provider.initiate(attempt());
  });

  it('are not begun so late that they might be broken off before they are answered', async () => {
    const { provider } = guarded(
      { runningCalls: 1, waitingCalls: 9, timeLimitMilliseconds: 300 },
      slowAtFirst(150),
    );
    const [first, ...others] = await Promise.allSettled(
      Array.from({ length: 4 }, () => provider.initiate(attempt())),
    );
    expect(first).toMatchObject({ status: 'fulfilled' });
    for (const other of others) expect(other).toMatchObject({ reason: { code: 'TOO_MANY_CALLS' } });
    expect(requests().createPayment).toBe(1);
  });
});

describe('a provider’s list', () => {
  const read = async (provider: Provider, upTo = Infinity) => {
    const listed: unknown[] = [];
    for await (const payment of provider.listPayments!(new Date(0), new Date(Date.now() + 60_000))) {
      listed.push(payment);
      if (listed.length >= upTo) break;
    }
    return listed;
  };

  beforeEach(async () => {
    for (let number = 0; number < 5; number += 1) double.pay((await begun()).reference);
  });

  it('is one call, however many pages it has', async () => {
    const { provider, calls } = guarded();
    expect(await read(provider)).toHaveLength(5);
    expect(calls).toMatchObject([{ operation: 'listPayments', tries: 1, outcome: 'OK' }]);
    expect(calls[0]!.exchanges).toHaveLength(3);
  });

  it('may be left early, and is asked for no more', async () => {
    const { provider, calls } = guarded();
    expect(await read(provider, 1)).toHaveLength(1);
    expect(requests().listPayments).toBe(1);
    expect(calls).toMatchObject([{ outcome: 'OK' }]);
  });

  it('that breaks off is not begun again, and says so to its reader', async () => {
    const { provider, calls } = guarded();
    const listed: unknown[] = [];
    const reading = async () => {
      for await (const payment of provider.listPayments!(new Date(0), new Date(Date.now() + 60_000))) {
        if (listed.push(payment) === 1) double.answerNext('listPayments', BROKEN);
      }
    };
    expect(await failureOf(reading())).toMatchObject({ kind: 'unavailable', code: 'HTTP_503' });
    expect(listed).toHaveLength(2);
    expect(requests().listPayments).toBe(2);
    expect(calls).toMatchObject([{ tries: 1, outcome: 'unavailable', failureCode: 'HTTP_503' }]);
  });

  it('takes as long as its reader does, but each page has a limit', async () => {
    const { provider } = guarded({ timeLimitMilliseconds: 200 });
    const listed: unknown[] = [];
    for await (const payment of provider.listPayments!(new Date(0), new Date(Date.now() + 60_000))) {
      listed.push(payment);
      await sleep(100);
    }
    expect(listed).toHaveLength(5);
    double.answerNext('listPayments', HANGING);
    expect(await failureOf(read(provider))).toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
  });

  it('has a circuit, too', async () => {
    const { provider } = guarded();
    double.answerNext('listPayments', BROKEN, 5);
    for (let failures = 0; failures < 5; failures += 1) await failureOf(read(provider));
    expect(await failureOf(read(provider))).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(requests().listPayments).toBe(5);
    await sleep(160);
    expect(await read(provider)).toHaveLength(5);
  });
});

describe('what it is made of', () => {
  it('can’t do what the provider can’t, and leaves what calls nobody as it was', () => {
    const { provider } = guarded();
    expect(Object.keys(provider).sort()).toEqual(Object.keys(bank).sort());
    expect(provider.parseNotification).toBe(bank.parseNotification);
    expect(provider.readKeptNotification).toBe(bank.readKeptNotification);
    expect([provider.capture, provider.updateAmount, provider.listNotifications]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is not hurt by whoever can’t take its reports', async () => {
    const provider = resilient(bank, {
      log,
      onCall: () => {
        throw new Error('the log is full');
      },
    });
    await provider.initiate(attempt());
    expect(requests().createPayment).toBe(1);
  });
});

describe('Stripe, whose SDK tries again by itself', () => {
  const start = async () => {
    const stripe = await startStripeDouble({
      secretKey: 'sk_test_resilient',
      publishableKey: 'pk_test_resilient',
      webhookSecret: 'whsec_resilient',
      webhookUrl: () => 'http://127.0.0.1:9/',
      webhooks: false,
    });
    const adapter = createStripeProvider({
      secretKey: 'sk_test_resilient',
      publishableKey: 'pk_test_resilient',
      webhookSecrets: ['whsec_resilient'],
      apiBase: stripe.url,
      timeoutMilliseconds: 250,
    });
    return { stripe, adapter };
  };
  const card = (): AttemptToInitiate => ({ ...attempt(), method: 'CARD', presentation: 'EMBEDDED' });

  it('has each of its exchanges reported, with the text of each answer', async () => {
    const { stripe, adapter } = await start();
    const { provider, calls } = guarded({}, adapter);
    stripe.answerNext('payment_intents.create', {
      answer: { kind: 'status', status: 502 },
      when: 'AFTER_WORK',
    });
    const toInitiate = card();
    const { providerReference } = await provider.initiate(toInitiate);
    await stripe.stop();
    expect(calls).toMatchObject([{ provider: 'stripe', tries: 1, outcome: 'OK' }]);
    const [broken, answered] = calls[0]!.exchanges;
    expect(broken).toMatchObject({ method: 'POST', status: 502, answer: expect.stringContaining('error') });
    expect(answered).toMatchObject({
      method: 'POST',
      url: `${stripe.url.origin}/v1/payment_intents`,
      status: 200,
    });
    expect(answered!.request).toContain('amount=1099');
    expect(JSON.parse(answered!.answer!)).toMatchObject({ id: providerReference });
  });

  it('keeps no payer waiting for three tries that hang, and tries no more behind their back', async () => {
    const { stripe, adapter } = await start();
    const { provider, calls } = guarded({ timeLimitMilliseconds: 400 }, adapter);
    stripe.answerNext('payment_intents.create', { answer: { kind: 'hang' }, times: 3 });
    const { answer, milliseconds } = await timed(failureOf(provider.initiate(card())));
    expect(answer).toMatchObject({ kind: 'outcomeUnknown', code: 'TIMEOUT' });
    expect(milliseconds).toBeLessThan(600);
    expect(calls).toMatchObject([{ exchanges: [{ error: 'ETIMEDOUT' }] }]);
    await sleep(1_500);
    expect(stripe.requests('payment_intents.create')).toBe(1);
    await stripe.stop();
  });
});
