import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Currency } from '../src/money.js';
import type {
  AttemptToInitiate,
  Initiated,
  InitiatedAttempt,
  NextAction,
  OpenRefund,
  ParsedNotification,
  Presentation,
  Provider,
  ProviderEvent,
  ProviderOutcome,
  RefundToMake,
  WayToPay,
  WebhookProof,
} from '../src/providers/provider.js';
import type { ReceivedWebhook } from './webhook-receiver.js';

/** One adapter and one way to pay with it, against its double. A new provider is a new value of this. */
export interface ProviderUnderContract {
  readonly name: string;
  readonly way: WayToPay;
  /** What this way needs to know of its payer. */
  readonly payer?: Payer;
  /** Each must come back as it was. */
  readonly amounts: readonly AmountToPay[];
  /** All that `initiate` makes is a page, and nothing can come of one that nobody was shown. */
  readonly makesOnlyAPage?: true;
  /** Each `initiate` makes another page, even for the same attempt, of which the payer is shown one. */
  readonly takesNoKey?: true;
  start(): Promise<StartedProvider>;
}

export type Payer = Pick<AttemptToInitiate, 'phoneNumber' | 'country' | 'operator'>;

export interface AmountToPay {
  readonly currency: Currency;
  /** In minor units. */
  readonly amount: number;
  /** Who pays in this currency. The way's own payer unless told. */
  readonly payer?: Payer;
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
  /** As well proven as the provider can, and without sense. */
  nonsense(): readonly Omit<ReceivedWebhook, 'receivedAt'>[];
  /** What strangers say when they tell in the provider's name that this was paid. */
  lies?(attempt: InitiatedAttempt): Promise<readonly ReceivedWebhook[]>;
  /** How many payments the provider has made, not how often it was asked to. Absent where only the payer begins one. */
  paymentsMade?(): Promise<number>;
  /** How often a payer's money was taken. */
  chargesMade(): Promise<number>;
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

/** How well notifications can be proven, the least first. */
const PROOFS: readonly WebhookProof[] = ['NONE', 'STATIC_SECRET', 'SIGNED'];

/** What a payer may be told to do, by where they pay. Some operators of mobile money have a page of their own. */
const NEXT_ACTIONS: Readonly<Record<Presentation, readonly NextAction['type'][]>> = {
  EMBEDDED: ['ConfirmWithStripe'],
  REDIRECT: ['RedirectToUrl'],
  PHONE: ['ApproveOnPhone', 'RedirectToUrl'],
};

/** Which every provider here takes. */
const PRICE: AmountToPay = { currency: 'XOF', amount: 15_000 };

let attemptsMade = 0;
let refundsAsked = 0;

type RefundOutcome = Extract<ProviderOutcome, { kind: 'refund' }>;

/** What every adapter owes the rest of the house, whatever its provider is like. */
export function keepsTheProviderContract(row: ProviderUnderContract): void {
  const { way, payer, amounts, start } = row;
  let started: StartedProvider;

  beforeEach(async () => {
    started = await start();
  });

  afterEach(() => started.stop());

  const attemptOf = ({ amount, currency, payer: payerOfIt = payer } = PRICE): AttemptToInitiate => {
    attemptsMade += 1;
    return {
      reference: `TXN-C0NTRACT${String(attemptsMade).padStart(18, '0')}-1`,
      idempotencyKey: randomUUID(),
      amount,
      currency,
      ...way,
      ...payerOfIt,
      description: 'Commande 1042',
      returnUrl: 'https://shop.example/done',
      customerEmail: 'a.diop@example.com',
      locale: 'fr',
      captureMethod: 'AUTOMATIC',
      expiresAt: new Date(Date.now() + 60 * 60_000),
    };
  };

  /** As the core does it: what is to be known beforehand is stored, and only then the payer is asked. */
  const reserve = async (attempt: AttemptToInitiate): Promise<AttemptToInitiate> => {
    const providerReference = await started.provider.reserve?.(attempt);
    return providerReference === undefined ? attempt : { ...attempt, providerReference };
  };

  const asInitiated = (attempt: AttemptToInitiate, providerReference: string): InitiatedAttempt => ({
    ...attempt,
    providerReference,
    begunAt: new Date(),
    openRefunds: [],
  });

  const initiate = async (wanted = attemptOf()): Promise<InitiatedAttempt> => {
    const attempt = await reserve(wanted);
    return asInitiated(attempt, (await started.provider.initiate(attempt)).providerReference);
  };

  const initiateAgainAndAgain = async (attempt: AttemptToInitiate): Promise<[Initiated, ...Initiated[]]> => {
    const again = () => started.provider.initiate(attempt);
    const first = await again();
    return [first, ...(await Promise.all([again(), again()]))];
  };

  const verifyAll = (attempt: InitiatedAttempt) => started.provider.verify(attempt);

  /** How the payment itself stands. */
  const verify = async (attempt: InitiatedAttempt) => found((await verifyAll(attempt))[0]).outcome;

  const verifiedRefunds = async (attempt: InitiatedAttempt) => refundsIn(await verifyAll(attempt));

  /** Something may have happened, unless it can only be a page that nobody was shown. */
  const kindOfSilence = row.makesOnlyAPage ? 'unavailable' : 'outcomeUnknown';

  const parse = async ({ rawBody, headers, receivedAt }: ReceivedWebhook) =>
    started.provider.parseNotification(rawBody, headers, receivedAt);

  /** Each must be accepted, or ignored kindly: what the double sends is genuine. */
  const acceptedNotifications = async () => {
    const parsed = await Promise.all(started.webhooks.map(parse));
    return parsed.filter((one) => {
      expect(['accepted', 'ignored']).toContain(one.verdict);
      return one.verdict === 'accepted';
    });
  };

  const eventsTold = async () => (await acceptedNotifications()).flatMap(({ events }) => events);

  const paidWebhook = async (): Promise<ReceivedWebhook> => {
    await started.pay(await initiate());
    for (const webhook of started.webhooks) if (isPaid(await parse(webhook))) return webhook;
    throw new Error('the double has not told of the money');
  };

  describe('its capabilities', () => {
    it('offer this way, and to nobody of whom it needs more than the attempt says', () => {
      const offered = started.provider.capabilities.ways.find(
        ({ method, presentation }) => method === way.method && presentation === way.presentation,
      );
      const known = { PHONE_NUMBER: payer?.phoneNumber, COUNTRY: payer?.country, OPERATOR: payer?.operator };
      for (const need of found(offered).needs ?? []) expect(known[need]).toBeDefined();
    });

    it('promise no more than there is', async () => {
      const { provider } = started;
      if (!provider.refund) expect(provider.capabilities.partialRefunds).toBe(false);
      if (provider.capture) return;
      const held: AttemptToInitiate = { ...attemptOf(), captureMethod: 'MANUAL' };
      await expect(reserve(held).then(provider.initiate)).rejects.toMatchObject({ kind: 'rejected' });
    });
  });

  describe('initiate', () => {
    it('gives a reference, and a next action as its capabilities declare it', async () => {
      const attempt = await reserve(attemptOf());
      const { providerReference, nextAction } = await started.provider.initiate(attempt);
      expect(providerReference).toMatch(/^\S+$/);
      expect(NEXT_ACTIONS[way.presentation]).toContain(nextAction.type);
      if (nextAction.type === 'RedirectToUrl') expect(nextAction.url).toMatch(/^https?:\/\//);
      if (nextAction.type !== 'ApproveOnPhone') return;
      expect(nextAction.phoneNumber).toMatch(/^\+•+\d{3}$/);
      expect(nextAction.instructions.length).toBeGreaterThan(0);
      expect(nextAction.expiresAt.getTime()).toBeGreaterThan(Date.now());
    });

    it('gives the reference that is known beforehand, where there is one', async () => {
      const attempt = await reserve(attemptOf());
      const known = started.provider.keyIsReference ? attempt.idempotencyKey : attempt.providerReference;
      const { providerReference } = await started.provider.initiate(attempt);
      if (known !== undefined) expect(providerReference).toBe(known);
    });

    it('takes money once, however often it is repeated, even at once', async () => {
      const attempt = await reserve(attemptOf());
      const answers = await initiateAgainAndAgain(attempt);
      // What is stored first is what the payer is shown.
      const shown = asInitiated(attempt, answers[0].providerReference);
      await started.pay(shown);
      expect(await verify(shown)).toMatchObject({ kind: 'paid', amount: PRICE.amount });
      expect(await started.chargesMade()).toBe(1);
      const others = answers.filter(({ providerReference }) => providerReference !== shown.providerReference);
      for (const { providerReference } of others) {
        expect(await verify(asInitiated(attempt, providerReference))).toEqual({ kind: 'pending' });
      }
    });

    it('gives the same whenever it is repeated, and makes one payment, where it takes a key', async () => {
      const [first, ...others] = await initiateAgainAndAgain(await reserve(attemptOf()));
      if (row.takesNoKey) return;
      for (const other of others) expect(other).toEqual(first);
      expect(await started.paymentsMade?.()).toBe(started.paymentsMade && 1);
    });

    it('makes two payments of two attempts', async () => {
      const [first, second] = [await initiate(), await initiate()];
      expect(first.providerReference).not.toBe(second.providerReference);
      for (const attempt of [first, second]) await started.pay(attempt);
      expect(await started.chargesMade()).toBe(2);
    });

    it('that got no answer is repeated, and takes money once', async () => {
      const attempt = await reserve(attemptOf());
      started.hangOnInitiate('AFTER_DOING');
      await expect(started.provider.initiate(attempt)).rejects.toMatchObject({ kind: kindOfSilence });
      const { providerReference } = await started.provider.initiate(attempt);
      if (!row.takesNoKey) expect(await started.paymentsMade?.()).toBe(started.paymentsMade && 1);
      await started.pay(asInitiated(attempt, providerReference));
      expect(await started.chargesMade()).toBe(1);
    });
  });

  describe('reserve, where there is one,', () => {
    it('takes no money, and what it has reserved can be asked about before it is begun', async () => {
      const { providerReference, ...attempt } = await reserve(attemptOf());
      if (providerReference === undefined) return;
      expect(await verify(asInitiated(attempt, providerReference))).toEqual({ kind: 'pending' });
      expect(await started.chargesMade()).toBe(0);
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
      for (const { outcome } of await eventsTold()) expect(outcome.kind).not.toBe('paid');
    });

    it.each(amounts)('brings back $currency $amount as it was', async (money) => {
      const { amount, currency } = money;
      const { currencies, limits } = started.provider.capabilities;
      expect(currencies === 'ANY' || currencies.includes(currency)).toBe(true);
      const { minimum = 0, maximum = Infinity } = limits(currency);
      expect(amount >= minimum && amount <= maximum).toBe(true);
      const attempt = await initiate(attemptOf(money));
      await started.pay(attempt);
      expect(await verify(attempt)).toMatchObject({ kind: 'paid', amount, currency });
      expect(moneyTold(await eventsTold())).toMatchObject({ amount, currency });
    });

    it('says of what was never begun that it is open, and in the end that it is over, where it can be asked', async () => {
      if (!started.provider.keyIsReference) return;
      const attempt = attemptOf();
      const asked = asInitiated(attempt, attempt.idempotencyKey);
      expect(await verify(asked)).toEqual({ kind: 'pending' });
      const begunAt = new Date(Date.now() - 24 * 3_600_000);
      expect(['failed', 'cancelled']).toContain((await verify({ ...asked, begunAt })).kind);
    });
  });

  describe('a notification', () => {
    const isSigned = () => started.provider.capabilities.webhookProof === 'SIGNED';

    it('tells of the same money as verify, by the same name', async () => {
      const attempt = await initiate();
      await started.pay(attempt);
      const told = (await eventsTold()).filter(({ outcome }) => outcome.kind === 'paid');
      const verified = await verify(attempt);
      expect(told.length).toBeGreaterThan(0);
      for (const { outcome } of told) expect(outcome).toEqual(verified);
    });

    it('brings back our reference, and is marked as ours', async () => {
      const attempt = await initiate();
      await started.pay(attempt);
      const notifications = await acceptedNotifications();
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
      const first = (await acceptedNotifications()).map(({ eventId }) => eventId);
      expect((await acceptedNotifications()).map(({ eventId }) => eventId)).toEqual(first);
      expect(new Set(first).size).toBe(first.length);
    });

    it('is proven at least as well as the capabilities promise', async () => {
      await started.pay(await initiate());
      const promised = PROOFS.indexOf(started.provider.capabilities.webhookProof);
      for (const { proof } of await acceptedNotifications()) {
        expect(PROOFS.indexOf(proof)).toBeGreaterThanOrEqual(promised);
      }
    });

    it('is refused, or but a hint, when any byte is another', async () => {
      const { rawBody, headers, receivedAt } = await paidWebhook();
      const flips = fc.asyncProperty(
        fc.nat(rawBody.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const rawForged = Buffer.from(rawBody);
          rawForged[at] = (rawForged[at] ?? 0) ^ by;
          const parsed = await started.provider.parseNotification(rawForged, headers, receivedAt);
          return isSigned() ? parsed.verdict === 'refused' : !isBelieved(parsed);
        },
      );
      await fc.assert(flips);
    });

    it('is refused without a signature, where all have one', async () => {
      if (!isSigned()) return;
      const { rawBody, receivedAt } = await paidWebhook();
      const headers = { 'content-type': 'application/json' };
      expect(await started.provider.parseNotification(rawBody, headers, receivedAt)).toMatchObject({
        verdict: 'refused',
        reason: 'SIGNATURE_MISSING',
      });
    });

    it('is refused a day later, where it is signed', async () => {
      if (!isSigned()) return;
      const webhook = await paidWebhook();
      const receivedAt = new Date(webhook.receivedAt.getTime() + 24 * 3_600_000);
      expect(await parse({ ...webhook, receivedAt })).toMatchObject({
        verdict: 'refused',
        reason: 'TOO_OLD',
      });
    });

    it('of a stranger is refused, or but a hint, and verify tells how it really is', async () => {
      const attempt = await initiate();
      const lies = (await started.lies?.(attempt)) ?? [];
      for (const lie of lies) {
        const parsed = await parse(lie);
        expect(isBelieved(parsed)).toBe(false);
        expect(['accepted', 'refused']).toContain(parsed.verdict);
      }
      expect(await verify(attempt)).toEqual({ kind: 'pending' });
      expect(await started.chargesMade()).toBe(0);
    });

    it('that joins an attempt with another’s money is found out by verify', async () => {
      const { provider } = started;
      // What is signed joins nothing that the provider has not joined.
      if (provider.capabilities.webhookProof === 'SIGNED' && !provider.keyIsReference) return;
      const [paid, unpaid] = [await initiate(), await initiate()];
      await started.pay(paid);
      const joined = { ...unpaid, providerReference: paid.providerReference };
      await expect(verifyAll(joined)).rejects.toMatchObject({ name: 'ProviderFailure' });
    });

    it('is malformed when it is genuine and says nothing', async () => {
      for (const { rawBody, headers } of started.nonsense()) {
        const { verdict } = await started.provider.parseNotification(rawBody, headers, new Date());
        expect({ verdict, body: rawBody.toString() }).toMatchObject({ verdict: 'malformed' });
      }
    });

    it('says the same when it is read after it was kept', async () => {
      const { provider } = started;
      const webhook = await paidWebhook();
      const text = webhook.rawBody.toString();
      const kept = Buffer.from(provider.keepableBody?.(text) ?? text);
      const { eventId, events, type } = accepted(await parse(webhook));
      const names = provider.notificationHeaders.map((name) => [name, webhook.headers[name]] as const);
      expect(provider.readKeptNotification(kept, Object.fromEntries(names))).toMatchObject({
        verdict: 'accepted',
        eventId,
        type,
        events,
      });
    });
  });

  describe('cancel, where there is one,', () => {
    const cancel = async (attempt: InitiatedAttempt) => (await started.provider.cancel?.(attempt))?.outcome;

    it('ends an attempt that nobody has paid, and the notification says the same', async () => {
      if (!started.provider.cancel) return;
      const attempt = await initiate();
      expect((await cancel(attempt))?.kind).toBe('cancelled');
      expect((await verify(attempt)).kind).toBe('cancelled');
      await started.settled();
      const last = (await eventsTold()).at(-1);
      expect(last).toMatchObject({ attemptReference: attempt.reference, outcome: { kind: 'cancelled' } });
    });

    it('may be repeated', async () => {
      if (!started.provider.cancel) return;
      const attempt = await initiate();
      await cancel(attempt);
      expect((await cancel(attempt))?.kind).toBe('cancelled');
    });

    it('tells of the money when the payer was faster', async () => {
      if (!started.provider.cancel) return;
      const attempt = await initiate();
      await started.pay(attempt);
      const outcome = await cancel(attempt);
      expect(outcome).toEqual(await verify(attempt));
      expect(outcome?.kind).toBe('paid');
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
      const told = (await eventsTold()).map((event) => event.outcome);
      expect(told).toContainEqual(expect.objectContaining(HELD));
      expect(told).toContainEqual(outcome);
      for (const { attemptReference } of await eventsTold()) expect(attemptReference).toBe(attempt.reference);
    });

    it('takes a part and lets go of the rest, which is no refund', async () => {
      const attempt = await held();
      if (!attempt) return;
      expect(await capture(attempt, 9_000)).toEqual(taken(9_000));
      expect(await capture(attempt, 15_000)).toEqual(taken(9_000));
      await started.settled();
      expect(await verifyAll(attempt)).toMatchObject([{ outcome: taken(9_000) }]);
      expect(refundsIn(await eventsTold())).toEqual([]);
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
      expect((await started.provider.cancel?.(attempt))?.outcome.kind).toBe('cancelled');
      expect((await verify(attempt)).kind).toBe('cancelled');
      expect((await capture(attempt, 15_000))?.kind).toBe('cancelled');
      await started.settled();
      expect((await eventsTold()).map((event) => event.outcome.kind)).toContain('cancelled');
      expect(moneyTold(await eventsTold())).toBeUndefined();
      expect(refundsIn(await eventsTold())).toEqual([]);
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
      const openRefunds: OpenRefund[] = [];
      return (amount) => {
        refundsAsked += 1;
        const names = { reference: `RFD-CONTRACT${refundsAsked}`, idempotencyKey: randomUUID() };
        openRefunds.push(names);
        return {
          ...names,
          attempt: { ...attempt, openRefunds },
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
      for (const one of toMake) {
        answers.push(nameOf(await refund(one)));
        // Some give back one part after the other.
        await started.settled();
      }
      const { attempt } = found(toMake[0]);
      const verified = await verifyAll(attempt);
      expect(verified[0]?.outcome).toMatchObject({ kind: 'paid', amount: 15_000 });
      expect(verified).toHaveLength(1 + parts.length);
      for (const { attemptReference } of verified) expect(attemptReference).toBe(attempt.reference);
      expect(refundsIn(verified).map(nameOf)).toEqual(expect.arrayContaining(answers));
      const told = refundsIn(await eventsTold()).map(nameOf);
      expect(told).toEqual(expect.arrayContaining(answers));
      for (const name of told) expect(answers).toContainEqual(name);
    });

    it('may be of parts, and never of more than was taken', async () => {
      const refundOf = await paid();
      if (!refundOf) return;
      await expect(refund(refundOf(15_001))).rejects.toMatchObject({ kind: 'rejected' });
      if (started.provider.capabilities.partialRefunds) {
        await refund(refundOf(4_000));
        await started.settled();
        await expect(refund(refundOf(11_001))).rejects.toMatchObject({ kind: 'rejected' });
        await refund(refundOf(11_000));
      } else {
        await refund(refundOf(15_000));
      }
      await started.settled();
      const tooMuch = refundOf(1);
      await expect(refund(tooMuch)).rejects.toMatchObject({ kind: 'rejected' });
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
      const told = (await acceptedNotifications())
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
      const attempt = attemptOf();
      const unavailable = { name: 'ProviderFailure', provider: started.provider.name, kind: 'unavailable' };
      await expect(initiate(attemptOf())).rejects.toMatchObject(unavailable);
      const reference = started.provider.keyIsReference ? attempt.idempotencyKey : 'known-from-before';
      await expect(verifyAll(asInitiated(attempt, reference))).rejects.toMatchObject(unavailable);
    });

    it('outcomeUnknown when there is no answer and something may have happened', async () => {
      const attempt = await reserve(attemptOf());
      started.hangOnInitiate('BEFORE_DOING');
      await expect(started.provider.initiate(attempt)).rejects.toMatchObject({ kind: kindOfSilence });
    });

    it('rejected when it does not know the attempt, and could', async () => {
      if (started.provider.keyIsReference) return;
      const attempt = await initiate();
      const unknown = { ...attempt, providerReference: `${attempt.providerReference}0` };
      await expect(verifyAll(unknown)).rejects.toMatchObject({ kind: 'rejected' });
    });
  });
}

/** Whether it is taken at its word, without the provider being asked. */
function isBelieved(parsed: ParsedNotification): boolean {
  return parsed.verdict === 'accepted' && parsed.proof === 'SIGNED';
}

function accepted(parsed: ParsedNotification): Extract<ParsedNotification, { verdict: 'accepted' }> {
  if (parsed.verdict !== 'accepted') throw new Error(`the notification is ${parsed.verdict}`);
  return parsed;
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
