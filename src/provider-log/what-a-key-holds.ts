/**
 * What a value is, as far as the key says under which it stands. PERSON is an object about somebody: in it a bare `name`
 * is theirs, and so is a bare number that looks like a phone's.
 */
export type Content = 'OPEN' | 'PERSON' | 'SECRET' | 'NAME' | 'PHONE' | 'ACCOUNT';

/**
 * Keys are compared as `snake_case`, however they were written; the first rule that fits decides. The names are those
 * that Stripe, PayDunya, pawaPay and banks use, and the usual other ones.
 */
const RULES: readonly (readonly [RegExp, Content])[] = [
  // What anybody may know, and helps to find a call at the provider.
  [/(?:^|_)(?:idempotency|publishable|public)_key$/, 'OPEN'],
  // Large amounts are as long as phone numbers.
  [/(?:^|_)(?:amount|balance|total|fees?|created)$/, 'OPEN'],
  // Also what proves the payer's consent: PIN, one-time code, `preAuthorisationCode`.
  [/secret|passw|passphrase|credential|(?:^|_)otp(?:_|$)/, 'SECRET'],
  [
    /(?:token|hash|signature|authori[sz]ation|jwt|cookie|(?:api|private|master|access|signing)key)s?\d*$/,
    'SECRET',
  ],
  [/(?:^|_)(?:key|auth|bearer|sig|hmac|pin|pwd|passcode|cvv|cvc|csc)s?\d*$/, 'SECRET'],
  [
    /(?:authori[sz]ation|pin|cvv|cvc|security|verification|confirmation|access)_?(?:code|value|number)s?$/,
    'SECRET',
  ],
  // Of a card, and of where somebody lives, nothing helps at night.
  [/(?:^|_)exp(?:iry|iration|ires?d?)?_(?:date_)?(?:month|year|date)$|card_expired/, 'SECRET'],
  [
    /(?<!e_?mail_?)address$|(?:^|_)(?:line\d|street|postal_?code|zip(?:_?code)?|birth_?da(?:te|y)|dob)$/,
    'SECRET',
  ],
  [/(?:^|_)(?:iban|pan|(?:card|account)_?(?:number|no))$/, 'ACCOUNT'],
  // `account_alias` is PayDunya's word for the phone number of a wallet.
  [/phone|msisdn|(?:^|_)account_alias$|(?:^|_)(?:mobile|tel|gsm|whatsapp)(?:_?(?:number|no))?$/, 'PHONE'],
  [/(?:full|first|last|middle|given|family|sur|maiden|user)_?name$/, 'NAME'],
  [
    /(?:customer|payer|debtor|creditor|recipient|beneficiary|client|holder|billing|shipping|card)_?name$/,
    'NAME',
  ],
  // PayDunya's, for Orange in Burkina Faso and T-Money in Togo.
  [/^name_(?:bf|t_money)$|(?:^|_)(?:card)?holder$/, 'NAME'],
  [
    /^(?:customer|payer|debtor|creditor|recipient|beneficiary|client|sender|owner|buyer|billing|shipping)(?:_(?:details|info|data))?$/,
    'PERSON',
  ],
];

/** The keys that name an invoice in PayDunya's bodies: `token`, `invoice_token`, `wave_ci_payment_token`. */
const INVOICE_TOKEN = /^(?:token|(?:\w+_)?(?:invoice|payment)_token)$/;

export interface KeyContext {
  /** What the object is in which the key stands. */
  readonly around: Content;
  /** In PayDunya's bodies a token is no secret: it is the id of the invoice, which is stored beside the attempt anyway. */
  readonly tokensAreReferences: boolean;
}

export function contentUnder(key: string, { around, tokensAreReferences }: KeyContext): Content {
  if (around === 'SECRET') return 'SECRET';
  const { name, content } = known(key);
  if (tokensAreReferences && INVOICE_TOKEN.test(name)) return 'OPEN';
  if (around === 'PERSON' && name === 'name') return 'NAME';
  return content ?? around;
}

interface KnownKey {
  /** As the rules compare it. */
  readonly name: string;
  /** Undefined: it says nothing. */
  readonly content: Content | undefined;
}

/** The same few keys come again and again. */
const knownKeys = new Map<string, KnownKey>();
const MOST_KNOWN = 2_000;
const LONGEST_KNOWN = 64;

function known(key: string): KnownKey {
  const before = knownKeys.get(key);
  if (before) return before;
  const name = snakeCase(key);
  const fresh = { name, content: RULES.find(([pattern]) => pattern.test(name))?.[1] };
  // Keys come from outside, and some are another one each time.
  if (knownKeys.size >= MOST_KNOWN) knownKeys.clear();
  if (key.length <= LONGEST_KNOWN) knownKeys.set(key, fresh);
  return fresh;
}

function snakeCase(key: string): string {
  return key
    .replace(/%5[BD]/gi, '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}
