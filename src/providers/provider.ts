import type { Currency } from '../money.js';
import type { Concern } from './concern.js';
import type { RecurringCalls } from './recurring.js';
import type { SavedMethodCalls } from './saved-methods.js';

/**
 * The one interface that every provider's adapter implements. Adapters are stateless translators: they know this file
 * and `money.ts`, and no entity, no database and no GraphQL. Everything in and out is in our words.
 */
export interface Provider extends SavedMethodCalls, RecurringCalls {
  /** Stable name, stored with every attempt and part of the webhook URL: `stripe`, `bank-x`. */
  readonly name: string;
  readonly capabilities: Capabilities;

  /**
   * Whether an attempt's idempotency key is its reference at this provider too. Then it can be asked about before it was
   * answered, and an attempt without an answer is never begun a second time only to find out.
   */
  readonly keyIsReference?: boolean;

  /** The headers, in lower case, that belong to a notification. They are kept with it, and no other header is. */
  readonly notificationHeaders: readonly string[];

  /**
   * How a notification that is not proven is answered, where the provider's own libraries and its users expect something
   * else than 401.
   */
  readonly refusalStatus?: 400 | 401;

  /**
   * Obtains the provider's own id of the attempt, before anything that could charge: it is stored, and only then
   * `initiate` is called with it. For ways to pay where the provider takes no key of ours, and the second of two calls
   * would charge again. Undefined: this way needs none. Where it is present, an attempt of which no reference is stored
   * can have charged nothing, and never will. @throws {ProviderFailure}
   */
  reserve?(attempt: AttemptToInitiate): Promise<string | undefined>;

  /**
   * Asks the provider for a way to pay. Repeating the call with the same attempt (and so the same idempotency key)
   * gives the same provider reference and next action, and never a second charge. Where the provider takes no key, it may
   * give another page instead, of which only one may ever be shown.
   * @throws {ProviderFailure} whose `kind` says whether something may have happened.
   */
  initiate(attempt: AttemptToInitiate): Promise<Initiated>;

  /**
   * All that the provider says of this attempt now: first how the payment stands, then each refund and each dispute of
   * it, however they were made. @throws {ProviderFailure}
   */
  verify(attempt: InitiatedAttempt): Promise<readonly ProviderEvent[]>;

  /**
   * Ends the attempt at the provider. The answer is the state afterwards, so it may also be `paid` or `processing`
   * when the payer was faster: what counts is what the provider says, not what we asked for. Absent where nobody but the
   * payer and time can end it: then it stays watched. @throws {ProviderFailure}
   */
  cancel?(attempt: InitiatedAttempt): Promise<ProviderEvent>;

  /**
   * Takes money that is held, all or a part; the rest is let go. Repeating it with the same amount takes nothing twice.
   * The answer is the state afterwards. Absent where money can't be held. @throws {ProviderFailure}
   */
  capture?(attempt: InitiatedAttempt, amount: number): Promise<ProviderEvent>;

  /**
   * Whose money a capture is, by the provider's id of it: the reference of our attempt, or null when it is not ours.
   * Absent where all that is told of money names its attempt. @throws {ProviderFailure}
   */
  attemptOfCapture?(captureReference: string): Promise<string | null>;

  /**
   * Gives money back. Repeating it with the same refund (and so the same idempotency key) gives nothing back twice.
   * A refund that must wait for another one is `unavailable`.
   * The answer's outcome is a `refund`. Absent where the provider can't. @throws {ProviderFailure}
   */
  refund?(refund: RefundToMake): Promise<ProviderEvent>;

  /**
   * Notifications that were made since, oldest first, whether they arrived or not. Those of the last seconds may still
   * be missing. Absent where the provider keeps no such list. @throws {ProviderFailure}
   */
  listNotifications?(since: Date): AsyncIterable<ListedNotification>;

  /**
   * Every payment in which money moved that was opened in this time (`since` inclusive), ours or not, as the provider's
   * books have it. Absent where the provider has no such list. @throws {ProviderFailure}
   */
  listPayments?(since: Date, until: Date): AsyncIterable<ListedPayment>;

  /** Changes the amount of an attempt that nobody has paid yet. Absent where the provider can't. @throws {ProviderFailure} */
  updateAmount?(attempt: InitiatedAttempt, amount: number): Promise<ProviderEvent>;

  /** How each operator of mobile money is doing at this moment, by the provider's own account. @throws {ProviderFailure} */
  readAvailability?(): Promise<readonly OperatorAvailability[]>;

  /**
   * Verifies the raw bytes of a webhook request, and only then parses them. Never throws for what a sender can send:
   * a refusal is a value. A promise where the provider's key may have to be fetched first.
   * @param receivedAt when the request arrived; signatures carry a time, and old ones are refused.
   */
  parseNotification(
    rawBody: Buffer,
    headers: NotificationHeaders,
    receivedAt: Date,
  ): ParsedNotification | Promise<ParsedNotification>;

  /**
   * Reads a notification that has been kept since it came: its proof may be too old by now, and its secret rolled. How
   * much it proved when it came is kept beside it, so the answer's `proof` counts for nothing.
   * @param body as `keepableBody` left it.
   */
  readKeptNotification(body: Buffer, headers: NotificationHeaders): ParsedNotification;

  /** The body without what would let a reader of the database act as the payer. Absent where there is no such thing. */
  keepableBody?(body: string): string;
}

/** A provider whose payments we can end, and whose proofs can be judged with what we have. */
export interface PromptProvider extends Provider {
  cancel(attempt: InitiatedAttempt): Promise<ProviderEvent>;
  parseNotification(rawBody: Buffer, headers: NotificationHeaders, receivedAt: Date): ParsedNotification;
}

/** How a payer pays. */
export type PaymentMethod = 'CARD' | 'BANK' | 'MOBILE_MONEY' | 'WALLET';

/**
 * Where the payer does it: EMBEDDED in the frontend's own page (Stripe's Payment Element), after a REDIRECT to a page of
 * the provider's, or on their PHONE, whose operator asks for their consent.
 */
export type Presentation = 'EMBEDDED' | 'REDIRECT' | 'PHONE';

/**
 * How much a notification proves. SIGNED: its sender and each of its bytes. STATIC_SECRET: that somebody knew a secret
 * which every notification carries. Anything but SIGNED is a hint, confirmed with `verify` before money is believed.
 */
export type WebhookProof = 'SIGNED' | 'STATIC_SECRET' | 'NONE';

/** A country, ISO 3166-1 alpha-2: `BJ`, `SN`. */
export type Country = string;

export interface Capabilities {
  readonly ways: readonly OfferedWay[];
  /** 'ANY', or the currencies that this provider takes. */
  readonly currencies: 'ANY' | readonly Currency[];
  /** Which amounts of a currency this provider takes. */
  limits(currency: Currency): AmountLimits;
  /** The weakest that its notifications may come with. */
  readonly webhookProof: WebhookProof;
  /** Whether a part of the money can be given back. Without `refund`, nothing can. */
  readonly partialRefunds: boolean;
}

/** In minor units of the currency; what is absent the provider does not limit. */
export interface AmountLimits {
  /** Inclusive, for a payment as a whole. */
  readonly minimum?: number;
  /** Inclusive, for a payment as a whole. */
  readonly maximum?: number;
  /** Every amount is a multiple of it: of payments, and of what is taken or given back of them. 1 when absent. */
  readonly step?: number;
}

export interface WayToPay {
  readonly method: PaymentMethod;
  readonly presentation: Presentation;
}

export interface OfferedWay extends WayToPay {
  /** Where the payer must be, and in which currencies they pay there. Absent: anywhere, in all the provider takes. */
  readonly countries?: Readonly<Record<Country, readonly Currency[]>>;
  /** What must be known of the payer beforehand. */
  readonly needs?: readonly ('COUNTRY' | 'PHONE_NUMBER' | 'OPERATOR')[];
  /** Those that the payer can have their money with. Absent: the provider finds out by itself, or there are none. */
  readonly operators?: readonly Operator[];
}

/** Who runs a payer's mobile money. */
export interface Operator {
  /** The provider's own name for it: `MTN_MOMO_BEN`, `wave-senegal`. */
  readonly code: string;
  /** For people: `MTN MoMo`. */
  readonly name: string;
  readonly country: Country;
}

/** SLOW: payments come through late. CLOSED: none are taken. */
export interface OperatorAvailability extends Operator {
  readonly status: 'OPEN' | 'SLOW' | 'CLOSED';
}

/** AUTOMATIC: paid is taken. MANUAL: paid is held first. */
export type CaptureMethod = 'AUTOMATIC' | 'MANUAL';

export interface AttemptToInitiate {
  /** Ours and opaque, `TXN-…-1`: what the provider is told, and what its notifications bring back to us. */
  readonly reference: string;
  /** Sent wherever the provider takes one. It belongs to the attempt and never changes. */
  readonly idempotencyKey: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
  readonly method: PaymentMethod;
  readonly presentation: Presentation;
  /** For the payer to read: what is being paid. */
  readonly description: string;
  /** Where a payment page sends the payer back to. Always present when the presentation is REDIRECT. */
  readonly returnUrl?: string;
  readonly customerEmail?: string;
  readonly customerName?: string;
  /** The payer's, E.164: `+22951345789`. Always present where the way needs it. */
  readonly phoneNumber?: string;
  /** The payer's. Always present where the way needs it. */
  readonly country?: Country;
  /** A `code` of the way's operators. Always present where the way needs it. */
  readonly operator?: string;
  /** What `reserve` gave, for the ways that need it. */
  readonly providerReference?: string;
  /** BCP 47, for the provider's page. */
  readonly locale?: string;
  /** MANUAL: the money is held, and taken by `capture`. Only asked of providers that have it. */
  readonly captureMethod: CaptureMethod;
  /** The provider's id of the payer, where they are one of its customers. */
  readonly customerReference?: string;
  /** Whether what the payer pays with is to be kept for that customer. */
  readonly savesMethod?: boolean;
  /** When our reservation ends; a provider that has an expiry of its own is given it. */
  readonly expiresAt: Date;
  /** By the same clock as `expiresAt`: the database's. Left out: this machine's. */
  readonly now?: Date;
}

export interface InitiatedAttempt {
  readonly reference: string;
  readonly providerReference: string;
  readonly idempotencyKey: string;
  /** What the provider was last told, in minor units. */
  readonly amount: number;
  readonly currency: Currency;
  readonly presentation: Presentation;
  readonly begunAt: Date;
  /** By the same clock as `begunAt`: the database's. Left out: this machine's. */
  readonly now?: Date;
  /** Those of ours that are not settled, for providers that can only be asked about each by itself. */
  readonly openRefunds: readonly OpenRefund[];
}

/** A refund of ours of which the provider has not said yet how it ended; it may not even have heard of it. */
export interface OpenRefund {
  /** Ours, `RFD-…`. */
  readonly reference: string;
  readonly idempotencyKey: string;
}

export interface RefundToMake {
  /** Ours and opaque, `RFD-…`: what the provider is told, where it takes such a thing. */
  readonly reference: string;
  /** It belongs to the refund and never changes. */
  readonly idempotencyKey: string;
  readonly attempt: InitiatedAttempt;
  /** The provider's id of the money that is given back: the movement reference of its capture. */
  readonly captureReference: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
  readonly reason: RefundReason | null;
}

export type RefundReason = 'REQUESTED_BY_CUSTOMER' | 'DUPLICATE' | 'FRAUDULENT' | 'OTHER';

/** A notification as the provider keeps it: `readKeptNotification` reads its body. */
export interface ListedNotification {
  readonly createdAt: Date;
  readonly body: Buffer;
}

/** A payment in the provider's own books. Amounts are in minor units. */
export interface ListedPayment {
  readonly providerReference?: string;
  readonly attemptReference?: string;
  readonly captureReference: string;
  readonly currency: string;
  readonly capturedAmount: number;
  readonly refundedAmount: number;
  /** How each dispute of it stands. Undefined where the provider does not say it. */
  readonly disputes?: readonly ListedDispute[];
  readonly createdAt: Date;
}

export interface ListedDispute {
  /** The provider's id of it. */
  readonly reference: string;
  readonly status: 'open' | 'won' | 'lost';
  /** What it has taken and not returned, in minor units of the payment's currency. */
  readonly amount: number;
}

export interface Initiated {
  /** The provider's own id of this attempt: unique for this provider, and what `verify` asks with. */
  readonly providerReference: string;
  readonly nextAction: NextAction;
}

/** What the payer does next. */
export type NextAction =
  | { readonly type: 'ConfirmWithStripe'; readonly clientSecret: string; readonly publishableKey: string }
  | { readonly type: 'RedirectToUrl'; readonly url: string }
  | {
      readonly type: 'ApproveOnPhone';
      /** E.164, all but its last three digits hidden. */
      readonly phoneNumber: string;
      /** For people: `MTN MoMo`. */
      readonly operator: string;
      /** What the payer does, in the order's language, one step each. */
      readonly instructions: readonly string[];
      /** When the operator stops waiting for them. */
      readonly expiresAt: Date;
    };

/** What a notification, or an answer to a question, means: our words, no provider's. */
export interface ProviderEvent {
  /** The provider's id of the attempt, where it is known. */
  readonly providerReference?: string;
  /** Our reference (`TXN-…-1`), where the provider gives it back. */
  readonly attemptReference?: string;
  /** The provider's id of a capture (its movement reference), where a refund or a dispute names nothing else of ours. */
  readonly captureReference?: string;
  /** The provider was asked, so it is how things stand now. A notification may be older than what is known. */
  readonly isAnswer?: true;
  /**
   * Whether nothing but our mark says that it is about this attempt, though the provider has an id of it: its money is
   * believed once the provider has been asked about the attempt itself.
   */
  readonly namedByMarkAlone?: true;
  readonly outcome: ProviderOutcome;
}

export type ProviderOutcome =
  /** The payer still has something to do. */
  | { readonly kind: 'pending' }
  /** The payer acted; the provider has not decided. Every status that we don't know is this one. */
  | { readonly kind: 'processing' }
  /** Money moved. `movementReference` is the provider's id of the movement: the same money has the same id, however often it is told. */
  | {
      readonly kind: 'paid';
      readonly amount: number;
      readonly currency: string;
      readonly movementReference: string;
    }
  /** This try was declined, and the payer may try again on the same attempt. */
  | { readonly kind: 'declined'; readonly code: string; readonly message: string }
  /** The attempt is over without money. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'cancelled'; readonly reason: string }
  /** The money is held, and can be taken with `capture`. */
  | {
      readonly kind: 'authorized';
      readonly amount: number;
      readonly currency: string;
      /** When the provider lets go of it. */
      readonly expiresAt?: Date;
    }
  /** How one refund stands. A provider may say `failed` even after `succeeded`; failed is the end. */
  | {
      readonly kind: 'refund';
      /** Ours (`RFD-…`), where the provider gives it back; a refund made at the provider has none. */
      readonly refundReference?: string;
      readonly providerRefundReference: string;
      readonly amount: number;
      readonly currency: string;
      readonly status: 'pending' | 'succeeded' | 'failed';
      readonly code?: string;
      readonly message?: string;
    }
  /** So much was given back in all, and it isn't said by which refunds: they are to be asked for. */
  | { readonly kind: 'refundsChanged'; readonly totalAmount: number; readonly currency: string }
  /** How one dispute stands. A decision may be contradicted later: by an appeal, or by the bank's second thoughts. */
  | {
      readonly kind: 'dispute';
      readonly providerDisputeReference: string;
      /** Exchange rates can make it more than was captured. */
      readonly amount: number;
      readonly currency: string;
      /** `appealed`: it was decided, and is open again. */
      readonly status: 'open' | 'appealed' | 'won' | 'lost';
      /** The bank only asks: no money moves, and a refund may answer it. */
      readonly refundable: boolean;
      /** When the provider said so. Null: it was asked, and this is how the dispute stands now. */
      readonly saidAt: Date | null;
      /** All money that it has moved by then, the oldest first. */
      readonly movements: readonly DisputeMovement[];
      readonly reason: string;
      readonly respondBy?: Date;
    };

export interface DisputeMovement {
  readonly kind: 'withdrawn' | 'reinstated';
  /** Minor units of the dispute's currency. */
  readonly amount: number;
  /** The provider's id of this movement. Null where it isn't told: then it is the only one of its kind. */
  readonly reference: string | null;
}

export type NotificationHeaders = Readonly<Record<string, string | string[] | undefined>>;

export type ParsedNotification =
  | {
      readonly verdict: 'accepted';
      /** Unless it is SIGNED, the events only say whom to ask about: what is believed is what the provider answers. */
      readonly proof: WebhookProof;
      /** The provider's id of this notification: the same id is the same notification. */
      readonly eventId: string;
      readonly type: string;
      /** In the order in which they are to be applied. Empty never: what has nothing for us is `ignored`. */
      readonly events: readonly ProviderEvent[];
      /**
       * Whether the notification carries our own mark, so that an attempt of ours must exist. Without the mark, a
       * reference that we don't know belongs to somebody else who uses the same account.
       */
      readonly markedAsOurs: boolean;
    }
  /** Something of ours that is no payment has changed. */
  | {
      readonly verdict: 'concerns';
      readonly proof: 'SIGNED';
      readonly eventId: string;
      readonly type: string;
      readonly concern: Concern;
      /** As above: whether it must be one of ours. */
      readonly markedAsOurs: boolean;
    }
  /** Nothing for us. Genuine, unless its proof is NONE: then nothing of it is stored. */
  | {
      readonly verdict: 'ignored';
      readonly proof: WebhookProof;
      readonly eventId: string;
      readonly type: string;
      readonly reason: string;
    }
  /** Not proven to come from the provider. Nothing of it may be stored. */
  | {
      readonly verdict: 'refused';
      readonly reason: 'SIGNATURE_MISSING' | 'SIGNATURE_INVALID' | 'TOO_OLD';
      readonly detail: string;
    }
  /** Genuine, but not in the form that the provider promises. */
  | {
      readonly verdict: 'malformed';
      readonly detail: string;
      /** As what it is kept, for it may be about money. Absent: it is no notification at all, and is not kept. */
      readonly keep?: UnreadableNotification;
    };

/** A notification that could not be read, and what could be found in it all the same. */
export interface UnreadableNotification {
  readonly proof: WebhookProof;
  /** The provider's id of it; where there is none, the digest of its bytes. */
  readonly eventId: string;
  readonly type: string;
  /** What it names of a payment, where that could be read. */
  readonly about: Pick<ProviderEvent, 'attemptReference' | 'providerReference' | 'captureReference'>;
  readonly claims: MoneyClaim;
  /** False: it names somebody else's payment, who uses the same account. */
  readonly mayBeOurs: boolean;
}

/** Of what money something speaks that could not be read. PAYMENT: it may be that money came. */
export type MoneyClaim = 'PAYMENT' | 'REFUND';

/** What a failed call means for the money, and so what may be done next. */
export type ProviderFailureKind =
  /** The payer's problem: no funds, card refused. */
  | 'declined'
  /** Ours: the provider will never take this request. */
  | 'rejected'
  /** Nothing happened there. The call may be made again, or elsewhere. */
  | 'unavailable'
  /** No answer: something may have happened. Only the same call with the same key may be made again. */
  | 'outcomeUnknown';

/** The code of what the provider, asked later, has never had: surely nothing has happened there. */
export const NEVER_ACCEPTED = 'NEVER_ACCEPTED';

/** `object`: the very thing that was asked about, by its id. */
export type MissingThing = 'customer' | 'savedMethod' | 'object';

export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';

  /**
   * Whether the provider had looked for an earlier call with the same key before it said so. Then a refusal proves that
   * no earlier call, answered or not, has done anything.
   */
  readonly coversEarlierCalls: boolean;

  /** The provider's id of what may have been begun, so that it can be asked about. */
  readonly providerReference: string | undefined;

  /** Which of the things that the call named the provider does not have (any more). */
  readonly missing: MissingThing | undefined;

  /**
   * Whether this is what the provider has to say of this one call: it is well itself, and would say the same again at
   * once. So it always is when it declines or rejects, and sometimes when nothing can be had now (an operator is closed).
   */
  readonly isAnswer: boolean;

  /** Of what money the answer spoke, where it could not be read: a person has to look at it. */
  readonly claims: MoneyClaim | undefined;

  /** Whether it is the amount that the provider doesn't take: whoever asked can choose another. */
  readonly isAboutAmount: boolean;

  /**
   * @param code the provider's own, or ours in capitals; for operators and logs.
   * @param message safe to show to the caller: no secret, no key, no internal address.
   */
  constructor(
    readonly provider: string,
    readonly kind: ProviderFailureKind,
    readonly code: string,
    message: string,
    options: ErrorOptions & {
      readonly coversEarlierCalls?: boolean;
      readonly providerReference?: string;
      readonly isAnswer?: boolean;
      readonly claims?: MoneyClaim;
      readonly missing?: MissingThing;
      readonly isAboutAmount?: boolean;
    } = {},
  ) {
    super(message, options);
    this.coversEarlierCalls = options.coversEarlierCalls ?? false;
    this.providerReference = options.providerReference;
    this.claims = options.claims;
    this.missing = options.missing;
    this.isAboutAmount = options.isAboutAmount ?? false;
    this.isAnswer = options.isAnswer ?? (kind === 'declined' || kind === 'rejected');
  }
}
