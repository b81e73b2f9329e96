import fc from 'fast-check';
import type { Currency } from '../src/money.js';
import type {
  AttemptToInitiate,
  InitiatedAttempt,
  NotificationHeaders,
  ParsedNotification,
  Provider,
  ProviderEvent,
  ProviderOutcome,
  RefundToMake,
  WayToPay,
} from '../src/providers/provider.js';
import type { ReceivedWebhook } from './webhook-receiver.js';

/** One adapter and one way to pay with it, against its double. A new provider is a new value of this. */
export interface ProviderUnderContract {
  readonly name: string;
  readonly way: WayToPay;
  start(): Promise<StartedProvider>;
}

export interface StartedProvider {
  readonly provider: Provider;
  /** All that the double has sent, in the order in which it came. */
  readonly webhooks: readonly ReceivedWebhook[];
  /** What the payer does; done when all that the double sends about it has come. */
  pay(attempt: InitiatedAttempt): Promise<void>;
  decline(attempt: InitiatedAttempt): Promise<void>;
  /** When all that the double sends has come. */
  settled(): Promise<void>;
  /** The headers that the provider would send with this body now. */
  sign(body: Buffer): NotificationHeaders;
  /** How many payments the provider has made, not how often it was asked to. */
  paymentsMade(): Promise<number>;
  /** The next `initiate` is answered never; or never, but done. */
  hangOnInitiate(when: 'BEFORE_DOING' | 'AFTER_DOING'): void;
  /** How many refunds the provider has made, those that failed left out. Asked only where there is `refund`. */
  refundsMade(): Promise<number>;
  /** The next `refund` is answered never; or never, but done. */
  hangOnRefund(when: 'BEFORE_DOING' | 'AFTER_DOING'): void;
  /** Nobody listens any more. */
  goDown(): Promise<void>;
  stop(): Promise<void>;
}

/** In minor units. TND has thousandths, of which some providers take tens only. */
const AMOUNTS: readonly [Currency, number][] = [
  ['XOF', 15_000],
  ['EUR', 10_99],
  ['JPY', 5_000],
  ['TND', 12_340],
  ['EUR', 999_999_99],
];

let attemptsMade = 0;
let refundsAsked = 0;

type RefundOutcome = Extract<ProviderOutcome, { kind: 'refund' }>;

/** What every adapter owes the rest of the house, whatever its provider is like. */
export function keepsTheProviderContract({ way, start }: ProviderUnderContract): void {
  let started: StartedProvider;

  beforeEach(async () => {
    started = await start();
  });

  afterEach(() => started.stop());

  const attemptOf = (amount = 15_000, currency: Currency = 'XOF'): AttemptToInitiate => {
    attemptsMade += 1;
    return {
      reference: `TXN-CONTRACT${attemptsMade}-1`,
      idempotencyKey: `key-${attemptsMade}-1`,
      amount,
      currency,
      ...way,
      description: 'Commande 1042',
      returnUrl: 'https://shop.example/done',
      customerEmail: 'a.diop@example.com',
      locale: 'fr',
      captureMethod: 'AUTOMATIC',
      expiresAt: new Date(Date.now() + 60 * 60_000),
    };
  };

  const initiate = async (attempt = attemptOf()): Promise<InitiatedAttempt> => {
    const { providerReference } = await started.provider.initiate(attempt);
    return { ...attempt, providerReference };
  };

  const verifyAll = (attempt: InitiatedAttempt) => started.provider.verify(attempt);

  /** How the payment itself stands. */
  const verify = async (attempt: InitiatedAttempt) => found((await verifyAll(attempt))[0]).outcome;

  const verifiedRefunds = async (attempt: InitiatedAttempt) => refundsIn(await verifyAll(attempt));

  const parse = ({ rawBody, headers, receivedAt }: ReceivedWebhook) =>
    started.provider.parseNotification(rawBody, headers, receivedAt);

  /** Each must be accepted, or ignored kindly: what the double sends is genuine. */
  const acceptedNotifications = () =>
    started.webhooks.map(parse).filter((parsed) => {
      expect(['accepted', 'ignored']).toContain(parsed.verdict);
      return parsed.verdict === 'accepted';
    });

  const eventsTold = () => acceptedNotifications().flatMap(({ events }) => events);

  const paidWebhook = async (): Promise<ReceivedWebhook> => {
    await started.pay(await initiate());
    return found(started.webhooks.find((webhook) => isPaid(parse(webhook))));
  };

  describe('initiate', () => {
    it('gives a reference, and a next action as its capabilities declare it', async () => {
      expect(started.provider.capabilities.ways).toContainEqual(way);
      const { providerReference, nextAction } = await started.provider.initiate(attemptOf());
      expect(providerReference).toMatch(/^\S+$/);
      expect(nextAction.type === 'RedirectToUrl').toBe(way.presentation === 'REDIRECT');
      if (nextAction.type === 'RedirectToUrl') expect(nextAction.url).toMatch(/^https?:\/\//);
    });

    it('gives the same when it is repeated, and makes one payment', async () => {
      const attempt = attemptOf();
      const first = await started.provider.initiate(attempt);
      expect(await started.provider.initiate(attempt)).toEqual(first);
      expect(await started.paymentsMade()).toBe(1);
    });

    it('makes one payment even when it is repeated at once', async () => {
      const attempt = attemptOf();
      const [first, second] = await Promise.all([
        started.provider.initiate(attempt),
        started.provider.initiate(attempt),
      ]);
      expect(first).toEqual(second);
      expect(await started.paymentsMade()).toBe(1);
    });

    it('makes two payments of two attempts', async () => {
      const [first, second] = [await initiate(), await initiate()];
      expect(first.providerReference).not.toBe(second.providerReference);
      expect(await started.paymentsMade()).toBe(2);
    });

    it('that got no answer is repeated without a second payment', async () => {
      const attempt = attemptOf();
      started.hangOnInitiate('AFTER_DOING');
      await expect(started.provider.initiate(attempt)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
      await started.provider.initiate(attempt);
      expect(await started.paymentsMade()).toBe(1);
    });
  });

  describe('verify', () => {
    it('tells that the payer has something to do, and then that money moved', async () => {
      const attempt = await initiate();
      expect(await verify(attempt)).toEqual({ kind: 'pending' });
      await started.pay(attempt);
      expect(await verify(attempt)).toEqual({
        kind: 'paid',
        amount: 15_000,
        currency: 'XOF',
        movementReference: expect.stringMatching(/^\S+$/),
      });
    });

    it('names the attempt by its reference', async () => {
      const attempt = await initiate();
      expect(await verifyAll(attempt)).toMatchObject([
        { providerReference: attempt.providerReference, attemptReference: attempt.reference },
      ]);
    });

    it('never takes a declined payment for money', async () => {
      const attempt = await initiate();
      await started.decline(attempt);
      expect(['declined', 'failed']).toContain((await verify(attempt)).kind);
      for (const { outcome } of eventsTold()) expect(outcome.kind).not.toBe('paid');
    });

    it.each(AMOUNTS)('brings back %s %d as it was', async (currency, amount) => {
      const { currencies, limits } = started.provider.capabilities;
      if (currencies !== 'ANY' && !currencies.includes(currency)) return;
      if (amount > (limits(currency).maximum ?? Infinity)) return;
      const attempt = await initiate(attemptOf(amount, currency));
      await started.pay(attempt);
      expect(await verify(attempt)).toMatchObject({ kind: 'paid', amount, currency });
      expect(moneyTold(eventsTold())).toMatchObject({ amount, currency });
    });
  });

  describe('a notification', () => {
    it('tells of the same money as verify, by the same name', async () => {
      const attempt = await initiate();
      await started.pay(attempt);
      const told = eventsTold().filter(({ outcome }) => outcome.kind === 'paid');
      const verified = await verify(attempt);
      expect(told.length).toBeGreaterThan(0);
      for (const { outcome } of told) expect(outcome).toEqual(verified);
    });

    it('brings back our reference, and is marked as ours', async () => {
      const attempt = await initiate();
      await started.pay(attempt);
      const notifications = acceptedNotifications();
      expect(notifications.length).toBeGreaterThan(0);
      for (const { events, markedAsOurs } of notifications) {
        expect(markedAsOurs).toBe(true);
        for (const { attemptReference, providerReference } of events) {
          expect(attemptReference).toBe(attempt.reference);
          expect([undefined, attempt.providerReference]).toContain(providerReference);
        }
      }
    });

    it('has the same id however often it comes, and another has another', async () => {
      await started.pay(await initiate());
      await started.pay(await initiate());
      const first = acceptedNotifications().map(({ eventId }) => eventId);
      expect(acceptedNotifications().map(({ eventId }) => eventId)).toEqual(first);
      expect(new Set(first).size).toBe(first.length);
    });

    it('is refused when any byte is another', async () => {
      const { rawBody, headers, receivedAt } = await paidWebhook();
      fc.assert(
        fc.property(fc.nat(rawBody.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
          const forged = Buffer.from(rawBody);
          forged[at] = (forged[at] ?? 0) ^ by;
          return started.provider.parseNotification(forged, headers, receivedAt).verdict === 'refused';
        }),
      );
    });

    it('is refused without a signature', async () => {
      const { rawBody, receivedAt } = await paidWebhook();
      const headers = { 'content-type': 'application/json' };
      expect(started.provider.parseNotification(rawBody, headers, receivedAt)).toMatchObject({
        verdict: 'refused',
        reason: 'SIGNATURE_MISSING',
      });
    });

    it('is refused a day later', async () => {
      const webhook = await paidWebhook();
      const receivedAt = new Date(webhook.receivedAt.getTime() + 24 * 3_600_000);
      expect(parse({ ...webhook, receivedAt })).toMatchObject({ verdict: 'refused', reason: 'TOO_OLD' });
    });

    it.each(['hello', '[]', 'null', '{}'])('is malformed when it is genuine and says %j', (text) => {
      const rawBody = Buffer.from(text);
      const { provider } = started;
      expect(provider.parseNotification(rawBody, started.sign(rawBody), new Date()).verdict).toBe(
        'malformed',
      );
    });
  });

  describe('cancel', () => {
    it('ends an attempt that nobody has paid, and the notification says the same', async () => {
      const attempt = await initiate();
      expect((await started.provider.cancel(attempt)).outcome.kind).toBe('cancelled');
      expect((await verify(attempt)).kind).toBe('cancelled');
      await started.settled();
      const last = eventsTold().at(-1);
      expect(last).toMatchObject({ attemptReference: attempt.reference, outcome: { kind: 'cancelled' } });
    });

    it('may be repeated', async () => {
      const attempt = await initiate();
      await started.provider.cancel(attempt);
      expect((await started.provider.cancel(attempt)).outcome.kind).toBe('cancelled');
    });

    it('tells of the money when the payer was faster', async () => {
      const attempt = await initiate();
      await started.pay(attempt);
      const { outcome } = await started.provider.cancel(attempt);
      expect(outcome).toEqual(await verify(attempt));
      expect(outcome.kind).toBe('paid');
    });
  });

  describe('capture, where there is one,', () => {
    const held = async (): Promise<InitiatedAttempt | undefined> => {
      if (!started.provider.capture) return undefined;
      const attempt = await initiate({ ...attemptOf(), captureMethod: 'MANUAL' });
      await started.pay(attempt);
      return attempt;
    };
    const capture = async (attempt: InitiatedAttempt, amount: number) =>
      (await started.provider.capture?.(attempt, amount))?.outcome;
    const HELD = { kind: 'authorized', amount: 15_000, currency: 'XOF' };
    const taken = (amount: number) => ({
      kind: 'paid',
      amount,
      currency: 'XOF',
      movementReference: expect.stringMatching(/^\S+$/),
    });

    it('takes what is held, once however often it is repeated', async () => {
      const attempt = await held();
      if (!attempt) return;
      expect(await verify(attempt)).toMatchObject(HELD);
      const outcome = await capture(attempt, 15_000);
      expect(outcome).toEqual(taken(15_000));
      expect(await capture(attempt, 15_000)).toEqual(outcome);
      expect(await verify(attempt)).toEqual(outcome);
    });

    it('is told by notifications: first held, then taken, by the same name', async () => {
      const attempt = await held();
      if (!attempt) return;
      const outcome = await capture(attempt, 15_000);
      await started.settled();
      const told = eventsTold().map((event) => event.outcome);
      expect(told).toContainEqual(expect.objectContaining(HELD));
      expect(told).toContainEqual(outcome);
      for (const { attemptReference } of eventsTold()) expect(attemptReference).toBe(attempt.reference);
    });

    it('takes a part and lets go of the rest, which is no refund', async () => {
      const attempt = await held();
      if (!attempt) return;
      expect(await capture(attempt, 9_000)).toEqual(taken(9_000));
      expect(await capture(attempt, 15_000)).toEqual(taken(9_000));
      await started.settled();
      expect(await verifyAll(attempt)).toMatchObject([{ outcome: taken(9_000) }]);
      expect(refundsIn(eventsTold())).toEqual([]);
    });

    it('of more than is held is rejected', async () => {
      const attempt = await held();
      if (!attempt) return;
      await expect(capture(attempt, 15_001)).rejects.toMatchObject({ kind: 'rejected' });
      expect(await verify(attempt)).toMatchObject(HELD);
    });

    it('takes nothing that was let go, and tells so', async () => {
      const attempt = await held();
      if (!attempt) return;
      expect((await started.provider.cancel(attempt)).outcome.kind).toBe('cancelled');
      expect((await verify(attempt)).kind).toBe('cancelled');
      expect((await capture(attempt, 15_000))?.kind).toBe('cancelled');
      await started.settled();
      expect(eventsTold().map((event) => event.outcome.kind)).toContain('cancelled');
      expect(moneyTold(eventsTold())).toBeUndefined();
      expect(refundsIn(eventsTold())).toEqual([]);
    });
  });

  describe('refund, where there is one,', () => {
    /** Paid, and ready to be given back; undefined where nothing can be. */
    const paid = async (): Promise<((amount: number) => RefundToMake) | undefined> => {
      if (!started.provider.refund) return undefined;
      const attempt = await initiate();
      await started.pay(attempt);
      const outcome = await verify(attempt);
      if (outcome.kind !== 'paid') throw new Error(`the payment is ${outcome.kind}`);
      return (amount) => {
        refundsAsked += 1;
        return {
          reference: `RFD-CONTRACT${refundsAsked}`,
          idempotencyKey: `refund-key-${refundsAsked}`,
          attempt,
          captureReference: outcome.movementReference,
          amount,
          currency: 'XOF',
          reason: 'REQUESTED_BY_CUSTOMER',
        };
      };
    };
    const refund = async (toMake: RefundToMake): Promise<RefundOutcome> => {
      const event = await started.provider.refund?.(toMake);
      return found(refundsIn(event ? [event] : [])[0]);
    };
    const nameOf = ({ refundReference, providerRefundReference, amount, currency }: RefundOutcome) => ({
      refundReference,
      providerRefundReference,
      amount,
      currency,
    });

    it('gives back what was taken, and says by which name', async () => {
      const toMake = (await paid())?.(15_000);
      if (!toMake) return;
      const outcome = await refund(toMake);
      expect(outcome).toMatchObject({
        refundReference: toMake.reference,
        providerRefundReference: expect.stringMatching(/^\S+$/),
        amount: 15_000,
        currency: 'XOF',
      });
      expect(['pending', 'succeeded']).toContain(outcome.status);
      expect(await started.refundsMade()).toBe(1);
    });

    it('gives back once, however often it is repeated, and even at once', async () => {
      const toMake = (await paid())?.(15_000);
      if (!toMake) return;
      const atOnce = await Promise.all([refund(toMake), refund(toMake), refund(toMake)]);
      for (const outcome of [...atOnce, await refund(toMake)]) {
        expect(nameOf(outcome)).toEqual(nameOf(atOnce[0]));
      }
      expect(await started.refundsMade()).toBe(1);
    });

    it('is told by verify and by notifications under the name of the answer, each refund by its own', async () => {
      const refundOf = await paid();
      if (!refundOf) return;
      const parts = started.provider.capabilities.partialRefunds ? [4_000, 6_000] : [15_000];
      const toMake = parts.map(refundOf);
      const answers: ReturnType<typeof nameOf>[] = [];
      for (const one of toMake) answers.push(nameOf(await refund(one)));
      await started.settled();
      const { attempt } = found(toMake[0]);
      const verified = await verifyAll(attempt);
      expect(verified[0]?.outcome).toMatchObject({ kind: 'paid', amount: 15_000 });
      expect(verified).toHaveLength(1 + parts.length);
      for (const { attemptReference } of verified) expect(attemptReference).toBe(attempt.reference);
      expect(refundsIn(verified).map(nameOf)).toEqual(expect.arrayContaining(answers));
      const told = refundsIn(eventsTold()).map(nameOf);
      expect(told).toEqual(expect.arrayContaining(answers));
      for (const name of told) expect(answers).toContainEqual(name);
    });

    it('may be of parts, and never of more than was taken', async () => {
      const refundOf = await paid();
      if (!refundOf) return;
      await expect(refund(refundOf(15_001))).rejects.toMatchObject({ kind: 'rejected' });
      if (started.provider.capabilities.partialRefunds) {
        await refund(refundOf(4_000));
        await expect(refund(refundOf(11_001))).rejects.toMatchObject({ kind: 'rejected' });
        await refund(refundOf(11_000));
      } else {
        await refund(refundOf(15_000));
      }
      const tooMuch = refundOf(1);
      await expect(refund(tooMuch)).rejects.toMatchObject({ kind: 'rejected' });
      await started.settled();
      const given = (await verifiedRefunds(tooMuch.attempt)).map(({ amount }) => amount);
      expect(given.reduce((sum, amount) => sum + amount, 0)).toBe(15_000);
    });

    it.each(['BEFORE_DOING', 'AFTER_DOING'] as const)(
      'that got no answer (%s) is repeated without giving back twice',
      async (when) => {
        const toMake = (await paid())?.(15_000);
        if (!toMake) return;
        started.hangOnRefund(when);
        await expect(refund(toMake)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
        expect((await refund(toMake)).refundReference).toBe(toMake.reference);
        expect(await started.refundsMade()).toBe(1);
      },
    );

    it('of money that the provider does not know is rejected', async () => {
      const toMake = (await paid())?.(15_000);
      if (!toMake) return;
      const unknown = { ...toMake, captureReference: `${toMake.captureReference}0` };
      await expect(refund(unknown)).rejects.toMatchObject({ kind: 'rejected' });
      expect(await started.refundsMade()).toBe(0);
    });
  });

  describe('the provider’s lists, where there are any,', () => {
    const minutesFromNow = (minutes: number) => new Date(Date.now() + minutes * 60_000);

    it('have each payment in which money moved, and no other', async () => {
      const { provider } = started;
      if (!provider.listPayments) return;
      await initiate();
      await started.decline(await initiate());
      const attempt = await initiate();
      await started.pay(attempt);
      const outcome = await verify(attempt);
      const listed = await collected(provider.listPayments(minutesFromNow(-5), minutesFromNow(5)));
      expect(listed).toEqual([
        expect.objectContaining({
          attemptReference: attempt.reference,
          captureReference: outcome.kind === 'paid' && outcome.movementReference,
          currency: 'XOF',
          capturedAmount: 15_000,
          refundedAmount: 0,
        }),
      ]);
      expect([undefined, attempt.providerReference]).toContain(listed[0]?.providerReference);
      expect(Math.abs(Date.now() - (listed[0]?.createdAt.getTime() ?? 0))).toBeLessThan(60_000);
      expect(await collected(provider.listPayments(minutesFromNow(-5), minutesFromNow(-1)))).toEqual([]);
      expect(await collected(provider.listPayments(minutesFromNow(1), minutesFromNow(5)))).toEqual([]);
    });

    it('have every notification that says something new, oldest first, to be read as one that was kept', async () => {
      const { provider } = started;
      if (!provider.listNotifications) return;
      for (let made = 0; made < 3; made += 1) await started.pay(await initiate());
      const listed = await collected(provider.listNotifications(minutesFromNow(-5)));
      const read = listed.map(({ body }) => provider.readKeptNotification(body, {}));
      for (const { verdict } of read) expect(verdict).toBe('accepted');
      const told = acceptedNotifications()
        .filter(({ events }) => events.some(({ outcome }) => outcome.kind !== 'pending'))
        .map(({ eventId, events }) => ({ eventId, events }));
      expect(read).toEqual(expect.arrayContaining(told.map((one) => expect.objectContaining(one))));
      const times = listed.map(({ createdAt }) => createdAt.getTime());
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect(await collected(provider.listNotifications(minutesFromNow(1)))).toEqual([]);
    });
  });

  describe('a failure says what it means', () => {
    it('unavailable when nobody is there: nothing happened', async () => {
      // At once, so that no connection from before is tried, on which a request could have got lost.
      await started.goDown();
      const attempt = { ...attemptOf(), providerReference: 'known-from-before' };
      const unavailable = { name: 'ProviderFailure', provider: started.provider.name, kind: 'unavailable' };
      await expect(started.provider.initiate(attemptOf())).rejects.toMatchObject(unavailable);
      await expect(started.provider.verify(attempt)).rejects.toMatchObject(unavailable);
    });

    it('outcomeUnknown when there is no answer: something may have happened', async () => {
      started.hangOnInitiate('BEFORE_DOING');
      await expect(started.provider.initiate(attemptOf())).rejects.toMatchObject({ kind: 'outcomeUnknown' });
    });

    it('rejected when it does not know the attempt', async () => {
      const attempt = await initiate();
      const unknown = { ...attempt, providerReference: `${attempt.providerReference}0` };
      await expect(started.provider.verify(unknown)).rejects.toMatchObject({ kind: 'rejected' });
    });
  });
}

function isPaid(parsed: ParsedNotification): boolean {
  return parsed.verdict === 'accepted' && moneyTold(parsed.events) !== undefined;
}

function moneyTold(events: readonly ProviderEvent[]): ProviderEvent['outcome'] | undefined {
  return events.map(({ outcome }) => outcome).find(({ kind }) => kind === 'paid');
}

function refundsIn(events: readonly ProviderEvent[]): RefundOutcome[] {
  return events.flatMap(({ outcome }) => (outcome.kind === 'refund' ? [outcome] : []));
}

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the provider or its double said nothing of what was expected');
  return value;
}
