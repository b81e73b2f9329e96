import fc from 'fast-check';
import type { Currency } from '../src/money.js';
import type {
  AttemptToInitiate,
  InitiatedAttempt,
  NotificationHeaders,
  ParsedNotification,
  Provider,
  ProviderEvent,
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
      expiresAt: new Date(Date.now() + 60 * 60_000),
    };
  };

  const initiate = async (attempt = attemptOf()): Promise<InitiatedAttempt> => {
    const { providerReference } = await started.provider.initiate(attempt);
    return { ...attempt, providerReference };
  };

  const verify = async (attempt: InitiatedAttempt) => (await started.provider.verify(attempt)).outcome;

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
      expect(await started.provider.verify(attempt)).toMatchObject({
        providerReference: attempt.providerReference,
        attemptReference: attempt.reference,
      });
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

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the double sent no notification of the payment');
  return value;
}
