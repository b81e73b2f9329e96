import type { Currency } from '../../money.js';
import type { AmountFormat } from './bank-amount.js';

/** How a bank's notification is signed, and where in its JSON things are. Paths are names joined by dots: `data.reference`. */
export interface NotificationShape {
  readonly signature: ProofShape;
  readonly bodyFormat: BodyFormat;
  /** DIGEST: the bank gives no id, so the SHA-256 of the body is it. */
  readonly eventId:
    | { readonly from: 'BODY'; readonly path: string }
    | { readonly from: 'HEADER'; readonly header: string }
    | { readonly from: 'DIGEST' };
  readonly typePath: string;
  /** The types that tell of a payment; others are ignored, unless they tell of a refund. */
  readonly paymentTypes: 'ALL' | readonly string[];
  /** Our reference of the payment, in what is told of a refund too. */
  readonly referencePath: string;
  readonly statusPath: string;
  readonly amountPath: string;
  readonly amountFormat: AmountFormat;
  /** ALWAYS: for a bank that knows one currency and does not name it. */
  readonly currency:
    | { readonly from: 'BODY'; readonly path: string }
    | { readonly from: 'ALWAYS'; readonly currency: Currency };
  /**
   * The bank's id of the money that moved. It must be the one that `transfer_id` of its API gives, or the same money
   * would be counted twice.
   */
  readonly movementReferencePath: string;
  /** The bank's id of the payment. Need not be there: our own reference is enough. */
  readonly providerReferencePath: string;
  /** The types that tell of a refund. Its payment and its currency are found where a payment's are. */
  readonly refundTypes: readonly string[];
  /** The bank's id of the refund: the one that its API gives it. */
  readonly refundIdPath: string;
  /** Our reference of the refund. Nothing is there when the bank's own staff made it. */
  readonly refundReferencePath: string;
  readonly refundStatusPath: string;
  readonly refundAmountPath: string;
}

/** JSON; FORM: form-encoded, as `data[reference]=…`; MULTIPART: multipart/form-data, with names like those of FORM. */
export const BODY_FORMATS = ['JSON', 'FORM', 'MULTIPART'] as const;

export type BodyFormat = (typeof BODY_FORMATS)[number];

export type ProofShape = SignatureShape | TokenShape;

/**
 * A secret that never changes, in a header of each notification. It covers nothing of the body, and whoever has seen one
 * notification can send more: each is only a hint, of which the bank is asked.
 */
export interface TokenShape {
  readonly scheme: 'TOKEN';
  readonly header: string;
  /** What stands before the token: '', `Bearer `. */
  readonly prefix: string;
}

/** An HMAC, always; the rest differs. */
export interface SignatureShape {
  readonly scheme?: undefined;
  readonly header: string;
  /** Default: sha256. MD5 and SHA-1 are never taken. */
  readonly algorithm?: SignatureAlgorithm;
  /** Of hex, capitals are taken too; of base64, also its spelling for URLs, and without padding. */
  readonly encoding: 'hex' | 'base64';
  /** What stands before the signature: '', `sha256=`; with an inline timestamp the scheme, `v1=`. Other marks do no harm. */
  readonly prefix: string;
  readonly message: SignedMessage;
}

export const SIGNATURE_ALGORITHMS = ['sha256', 'sha384', 'sha512'] as const;

export const DEFAULT_ALGORITHM = 'sha256';

export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/**
 * What is signed: the body alone, or a timestamp in Unix seconds, with or without a dot between, and the body; or, as
 * Standard Webhooks have it, the id of the message, the timestamp and the body.
 */
export type SignedMessage =
  | { readonly form: 'body' }
  | {
      readonly form: 'ts.body' | 'ts+body';
      /** INLINE: in the signature's own header, `t=1760000000,v1=…`. */
      readonly timestamp: 'INLINE' | { readonly header: string };
      /** Older notifications, and those from further in the future, are refused. */
      readonly toleranceSeconds: number;
    }
  | {
      readonly form: 'id.ts.body';
      readonly id: { readonly header: string };
      readonly timestamp: { readonly header: string };
      readonly toleranceSeconds: number;
    };

export const DEFAULT_TOLERANCE_SECONDS = 300;

export const DEFAULT_SIGNATURE: SignatureShape = {
  header: 'X-Signature',
  encoding: 'hex',
  prefix: 'v1=',
  message: { form: 'ts.body', timestamp: 'INLINE', toleranceSeconds: DEFAULT_TOLERANCE_SECONDS },
};

/** https://www.standardwebhooks.com */
export const STANDARD_WEBHOOKS_SIGNATURE = {
  header: 'webhook-signature',
  encoding: 'base64',
  prefix: 'v1,',
  message: {
    form: 'id.ts.body',
    id: { header: 'webhook-id' },
    timestamp: { header: 'webhook-timestamp' },
    toleranceSeconds: DEFAULT_TOLERANCE_SECONDS,
  },
} as const satisfies SignatureShape;

export const DEFAULT_NOTIFICATION: NotificationShape = {
  signature: DEFAULT_SIGNATURE,
  bodyFormat: 'JSON',
  // The X-Bank-Event-Id header says the same, but the signature does not cover it.
  eventId: { from: 'BODY', path: 'id' },
  typePath: 'type',
  paymentTypes: [
    'transfer.credited',
    'payment.authorising',
    'payment.rejected',
    'payment.cancelled',
    'payment.expired',
  ],
  referencePath: 'data.reference',
  statusPath: 'data.status',
  amountPath: 'data.amount',
  amountFormat: 'DECIMAL',
  currency: { from: 'BODY', path: 'data.currency' },
  movementReferencePath: 'data.transfer_id',
  providerReferencePath: 'data.payment_id',
  refundTypes: ['refund.booked', 'refund.rejected'],
  refundIdPath: 'data.refund_id',
  refundReferencePath: 'data.refund_reference',
  refundStatusPath: 'data.status',
  refundAmountPath: 'data.amount',
};

/** What makes signatures of this shape unreadable, or worthless; undefined for nothing. */
export function problemOfSignature(proof: ProofShape): string | undefined {
  if (proof.scheme === 'TOKEN' || proof.message.form === 'body') return undefined;
  const { prefix, message } = proof;
  if (!(message.toleranceSeconds > 0)) return 'a signed timestamp needs a tolerance of more than 0 seconds';
  if (message.timestamp !== 'INLINE') return undefined;
  if (prefix.includes(','))
    return 'an inline timestamp stands before a comma, so no comma can be in the prefix';
  if (prefix.startsWith('t=')) return 'an inline timestamp begins with t=, so the prefix must not';
  return undefined;
}
