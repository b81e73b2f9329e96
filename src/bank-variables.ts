import { z } from 'zod';
import {
  address,
  amountExponents,
  amounts,
  currency,
  currencyPath,
  eventId,
  fields,
  header,
  isWord,
  oneOf,
  path,
  types,
  words,
} from './bank-values.js';
import { httpUrl, list, secret, text, whole } from './environment.js';
import { LIST_FIELDS, PAYMENT_FIELDS, REFUND_FIELDS } from './providers/bank/api-shape.js';
import { AMOUNT_FORMATS } from './providers/bank/bank-amount.js';
import { BODY_FORMATS, SIGNATURE_ALGORITHMS } from './providers/bank/notification-shape.js';

/** For each name in BANKS, with the name in capitals: BANK_X_URL … What isn't set is as in the default contract. */
export const BANK_VARIABLES = {
  URL: httpUrl,
  API_KEY: text.regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces'),
  WEBHOOK_SECRETS: list.pipe(z.array(secret)),
  DISPLAY_NAME: text,
  CURRENCIES: list.pipe(z.array(currency)),
  MINIMUM_AMOUNTS: amounts,
  MAXIMUM_AMOUNTS: amounts,
  REFUNDS: oneOf(['PARTIAL', 'FULL', 'NONE']),
  TIMEOUT_SECONDS: whole(1, 60),

  SIGNATURE_SCHEME: oneOf(['hmac', 'standard-webhooks', 'token']),
  SIGNATURE_HEADER: header,
  SIGNATURE_ALGORITHM: oneOf(SIGNATURE_ALGORITHMS, '; md5 and sha1 are too weak, and never taken', (value) =>
    value
      .toLowerCase()
      .replace(/^hmac-?/, '')
      .replace('-', ''),
  ),
  SIGNATURE_ENCODING: oneOf(['hex', 'base64']),
  // Not trimmed: a space may belong to it.
  SIGNATURE_PREFIX: z
    .string()
    .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII')
    .transform((value) => (isWord(value.trim(), 'none') ? '' : value)),
  SIGNED_MESSAGE: oneOf(['body', 'ts.body', 'ts+body', 'id.ts.body']),
  SIGNED_ID: header,
  TIMESTAMP: header.transform((value) => (isWord(value, 'inline') ? 'INLINE' : { header: value })),
  TIMESTAMP_TOLERANCE_SECONDS: whole(1, 86_400),

  NOTIFICATION_FORMAT: oneOf(BODY_FORMATS),
  EVENT_ID: eventId,
  TYPE_PATH: path,
  PAYMENT_TYPES: types.transform((names) =>
    names.length === 1 && isWord(names[0]!, 'all') ? ('ALL' as const) : names,
  ),
  REFUND_TYPES: types.transform((names) => (names.length === 1 && isWord(names[0]!, 'none') ? [] : names)),
  REFERENCE_PATH: path,
  STATUS_PATH: path,
  AMOUNT_PATH: path,
  CURRENCY_PATH: currencyPath,
  TRANSFER_ID_PATH: path,
  PAYMENT_ID_PATH: path,
  REFUND_ID_PATH: path,
  REFUND_REFERENCE_PATH: path,
  REFUND_STATUS_PATH: path,
  REFUND_AMOUNT_PATH: path,

  AMOUNT_EXPONENTS: amountExponents,
  AMOUNT_FORMAT: oneOf(AMOUNT_FORMATS),
  STATUS_WORDS: words(
    ['pending', 'processing', 'paid', 'failed', 'cancelled'],
    'paid',
    'BOOKED=paid,REJECTED=failed',
  ),
  REFUND_STATUS_WORDS: words(
    ['pending', 'succeeded', 'failed'],
    'succeeded',
    'BOOKED=succeeded,REJECTED=failed',
  ),

  API_KEY_HEADER: header,
  CREATE_ADDRESS: address('IMPOSSIBLE'),
  READ_ADDRESS: address('NEEDED'),
  CANCEL_ADDRESS: address('NEEDED', true),
  REFUND_ADDRESS: address('POSSIBLE'),
  LIST_ADDRESS: address('IMPOSSIBLE', true),
  PAYMENT_FIELDS: fields(PAYMENT_FIELDS, 'order.number=reference,total=amount'),
  REFUND_FIELDS: fields(REFUND_FIELDS, 'number=reference,total=amount'),
  LIST_FIELDS: fields(LIST_FIELDS, 'items=payments,next=next_cursor'),
} as const;
