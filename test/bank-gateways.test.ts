import { createHmac } from 'node:crypto';
import { loadConfig } from '../src/config.js';
import { createProviders } from '../src/create-providers.js';
import type { NotificationHeaders, ParsedNotification } from '../src/providers/provider.js';

/**
 * How real gateways sign and word their notifications, each by configuration alone. Not among them, because they need
 * an adapter: GoCardless (many events in one body), Lyra and CinetPay (forms, not JSON), Mollie (nothing is signed).
 */
interface Gateway {
  readonly name: string;
  /** What stands behind BANK_X_. */
  readonly variables: Readonly<Record<string, string>>;
  readonly body: object;
  /** Exactly as the gateway makes them. */
  sign(body: string, secret: string, timestamp: number): Record<string, string>;
  readonly told: { readonly eventId: unknown; readonly outcome: object };
}

const REFERENCE = 'TXN-01K8Q5Z7M3N9P2R4S6T8V0W1X2-1';
const TIMESTAMP = 1_760_000_000;
const RECEIVED_AT = new Date(TIMESTAMP * 1000);
const SECRET = 'wh_9f8e7d6c5b4a39281706f5e4d3c2b1a0';
const NEW_SECRET = 'wh_0a1b2c3d4e5f60718293a4b5c6d7e8f9';

function hmac(
  algorithm: string,
  secret: string | Buffer,
  message: string,
  encoding: 'hex' | 'base64',
): string {
  return createHmac(algorithm, secret).update(message).digest(encoding);
}

const paid = (amount: number, currency: string, movementReference: string) => ({
  kind: 'paid',
  amount,
  currency,
  movementReference,
});

/** Their documentation signs `t` and the body with nothing between; others read it with a dot. */
const wave = (name: string, form: 'ts+body' | 'ts.body'): Gateway => ({
  name,
  variables: {
    SIGNATURE_HEADER: 'Wave-Signature',
    SIGNED_MESSAGE: form,
    TYPE_PATH: 'type',
    PAYMENT_TYPES: 'checkout.session.completed,checkout.session.payment_failed',
    REFUND_TYPES: 'none',
    REFERENCE_PATH: 'data.client_reference',
    STATUS_PATH: 'data.payment_status',
    STATUS_WORDS: 'processing=processing,succeeded=paid,cancelled=cancelled',
    TRANSFER_ID_PATH: 'data.transaction_id',
    PAYMENT_ID_PATH: 'data.id',
  },
  body: {
    id: 'EV_QvEZuDSQbLdI',
    type: 'checkout.session.completed',
    data: {
      id: 'cos-18qq25rgr100a',
      amount: '15000',
      checkout_status: 'complete',
      client_reference: REFERENCE,
      currency: 'XOF',
      payment_status: 'succeeded',
      transaction_id: 'TCN4Y4ZC3FM',
    },
  },
  sign: (body, secret, t) => {
    const message = form === 'ts+body' ? `${t}${body}` : `${t}.${body}`;
    return { 'wave-signature': `t=${t},v1=${hmac('sha256', secret, message, 'hex')}` };
  },
  told: { eventId: 'EV_QvEZuDSQbLdI', outcome: paid(15_000, 'XOF', 'TCN4Y4ZC3FM') },
});

const FLAT = { event: 'evt_7', ref: REFERENCE, state: 'OK', cents: 1_099, money: 'mv_3' };
const FLAT_VARIABLES = {
  EVENT_ID: 'event',
  PAYMENT_TYPES: 'all',
  REFUND_TYPES: 'none',
  REFERENCE_PATH: 'ref',
  STATUS_PATH: 'state',
  STATUS_WORDS: 'OK=paid,KO=failed',
  AMOUNT_PATH: 'cents',
  AMOUNT_FORMAT: 'MINOR_UNITS',
  CURRENCY_PATH: 'always:EUR',
  CURRENCIES: 'EUR',
  TRANSFER_ID_PATH: 'money',
};
const FLAT_TOLD = { eventId: 'evt_7', outcome: paid(1_099, 'EUR', 'mv_3') };

const GATEWAYS: readonly Gateway[] = [
  {
    name: 'a bank that follows the default contract',
    variables: {},
    body: {
      id: 'bevt_01J',
      type: 'transfer.credited',
      created_at: '2026-10-30T10:00:00Z',
      data: {
        transfer_id: 'tr_991',
        reference: REFERENCE,
        amount: '15000',
        currency: 'XOF',
        status: 'BOOKED',
      },
    },
    sign: (body, secret, t) => ({
      'x-signature': `t=${t},v1=${hmac('sha256', secret, `${t}.${body}`, 'hex')}`,
    }),
    told: { eventId: 'bevt_01J', outcome: paid(15_000, 'XOF', 'tr_991') },
  },
  {
    name: 'Worldline Direct',
    variables: {
      SIGNATURE_HEADER: 'X-GCS-Signature',
      SIGNATURE_ENCODING: 'base64',
      SIGNED_MESSAGE: 'body',
      PAYMENT_TYPES: 'payment.created,payment.captured,payment.rejected,payment.cancelled',
      REFUND_TYPES: 'none',
      REFERENCE_PATH: 'payment.paymentOutput.references.merchantReference',
      STATUS_PATH: 'payment.status',
      STATUS_WORDS: 'CREATED=pending,CAPTURED=paid,REJECTED=failed,CANCELLED=cancelled',
      AMOUNT_PATH: 'payment.paymentOutput.amountOfMoney.amount',
      CURRENCY_PATH: 'payment.paymentOutput.amountOfMoney.currencyCode',
      AMOUNT_FORMAT: 'MINOR_UNITS',
      TRANSFER_ID_PATH: 'payment.id',
      PAYMENT_ID_PATH: 'payment.id',
    },
    body: {
      apiVersion: 'v1',
      id: '97a4fcdf-9a08-4a59-a0c0-69bfd7e1d59d',
      created: '2026-10-30T10:00:00.000+0000',
      merchantId: '20000',
      type: 'payment.captured',
      payment: {
        id: '3066019730_0',
        status: 'CAPTURED',
        paymentOutput: {
          amountOfMoney: { amount: 1_099, currencyCode: 'EUR' },
          references: { merchantReference: REFERENCE },
        },
      },
    },
    sign: (body, secret) => ({
      'x-gcs-signature': hmac('sha256', secret, body, 'base64'),
      'x-gcs-keyid': 'key-1',
    }),
    told: {
      eventId: '97a4fcdf-9a08-4a59-a0c0-69bfd7e1d59d',
      outcome: paid(1_099, 'EUR', '3066019730_0'),
    },
  },
  {
    name: 'FedaPay',
    variables: {
      SIGNATURE_HEADER: 'X-FEDAPAY-SIGNATURE',
      SIGNATURE_PREFIX: 's=',
      EVENT_ID: 'digest',
      TYPE_PATH: 'name',
      PAYMENT_TYPES: 'transaction.created,transaction.approved,transaction.declined,transaction.canceled',
      REFUND_TYPES: 'none',
      REFERENCE_PATH: 'entity.merchant_reference',
      STATUS_PATH: 'entity.status',
      STATUS_WORDS: 'pending=pending,approved=paid,declined=failed,canceled=cancelled',
      AMOUNT_PATH: 'entity.amount',
      AMOUNT_FORMAT: 'DECIMAL_NUMBER',
      CURRENCY_PATH: 'always:XOF',
      CURRENCIES: 'XOF',
      TRANSFER_ID_PATH: 'entity.id',
      PAYMENT_ID_PATH: 'entity.id',
    },
    body: {
      name: 'transaction.approved',
      entity: { id: 104, amount: 15_000, status: 'approved', merchant_reference: REFERENCE },
    },
    sign: (body, secret, t) => ({
      'x-fedapay-signature': `t=${t},s=${hmac('sha256', secret, `${t}.${body}`, 'hex')}`,
    }),
    told: { eventId: expect.stringMatching(/^[0-9a-f]{64}$/), outcome: paid(15_000, 'XOF', '104') },
  },
  wave('Wave, as it documents itself', 'ts+body'),
  wave('Wave, as others read it', 'ts.body'),
  {
    name: 'a gateway that signs like GitHub',
    variables: {
      ...FLAT_VARIABLES,
      SIGNATURE_HEADER: 'X-Hub-Signature-256',
      SIGNATURE_PREFIX: 'sha256=',
      SIGNED_MESSAGE: 'body',
    },
    body: FLAT,
    sign: (body, secret) => ({ 'x-hub-signature-256': `sha256=${hmac('sha256', secret, body, 'hex')}` }),
    told: FLAT_TOLD,
  },
  {
    name: 'a gateway that signs like KPay',
    variables: { ...FLAT_VARIABLES, SIGNATURE_HEADER: 'X-KPAY-Signature', SIGNED_MESSAGE: 'body' },
    body: FLAT,
    sign: (body, secret) => ({ 'x-kpay-signature': hmac('sha256', secret, body, 'hex') }),
    told: FLAT_TOLD,
  },
  {
    name: 'a gateway that signs with SHA-512, with the time and the id in headers',
    variables: {
      ...FLAT_VARIABLES,
      SIGNATURE_HEADER: 'X-Auth',
      SIGNATURE_ALGORITHM: 'sha512',
      SIGNATURE_ENCODING: 'base64',
      SIGNATURE_PREFIX: 'HMAC ',
      SIGNED_MESSAGE: 'ts+body',
      TIMESTAMP: 'X-Time',
      TIMESTAMP_TOLERANCE_SECONDS: '60',
    },
    body: FLAT,
    sign: (body, secret, t) => ({
      'x-auth': `HMAC ${hmac('sha512', secret, `${t}${body}`, 'base64')}`,
      'x-time': String(t),
    }),
    told: FLAT_TOLD,
  },
  {
    name: 'a gateway that signs with SHA-384',
    variables: { ...FLAT_VARIABLES, SIGNATURE_ALGORITHM: 'SHA-384', SIGNED_MESSAGE: 'body' },
    body: FLAT,
    sign: (body, secret) => ({ 'x-signature': hmac('sha384', secret, body, 'hex') }),
    told: FLAT_TOLD,
  },
];

/** The bank x, by its variables alone. */
function bankBy(variables: Readonly<Record<string, string>>, secrets = SECRET) {
  const own = { URL: 'https://bank.example', API_KEY: 'key', WEBHOOK_SECRETS: secrets, ...variables };
  const named = Object.entries(own).map(([name, value]) => [`BANK_X_${name}`, value]);
  const [bank] = createProviders(loadConfig({ BANKS: 'x', ...Object.fromEntries(named) }));
  return (body: string | Buffer, headers: NotificationHeaders, receivedAt = RECEIVED_AT) =>
    bank!.parseNotification(Buffer.from(body), headers, receivedAt) as ParsedNotification;
}

describe.each(GATEWAYS)('the notification of $name', ({ variables, body: json, sign, told }) => {
  const body = JSON.stringify(json);
  const headers = sign(body, SECRET, TIMESTAMP);
  const receive = bankBy(variables);

  test('is believed, and says what it means', () => {
    expect(receive(body, headers)).toMatchObject({
      verdict: 'accepted',
      proof: 'SIGNED',
      eventId: told.eventId,
      events: [{ attemptReference: REFERENCE, outcome: told.outcome }],
    });
  });

  test('is believed with either of two secrets while they change, and with no third', () => {
    const rotating = bankBy(variables, `${NEW_SECRET},${SECRET}`);
    const verdicts = [SECRET, NEW_SECRET, `${SECRET}x`].map(
      (secret) => rotating(body, sign(body, secret, TIMESTAMP)).verdict,
    );
    expect(verdicts).toEqual(['accepted', 'accepted', 'refused']);
    expect(receive(body, sign(body, NEW_SECRET, TIMESTAMP)).verdict).toBe('refused');
  });

  test('is refused when any one byte of its body is another', () => {
    const bytes = Buffer.from(body);
    for (const index of bytes.keys()) {
      expect(receive(withAnotherByte(bytes, index), headers).verdict).toBe('refused');
    }
  });

  test('is refused when any one digit of a signature or of a signed header is another', () => {
    const signed = Object.entries(headers).filter(([name]) => name !== 'x-gcs-keyid');
    for (const [name, value] of signed) {
      // What stands around a signature proves nothing: it may be another.
      const digits = value.match(/[\w+/]{43,}|\b\d{10}\b/g) ?? [value];
      for (const index of Buffer.from(value).keys()) {
        const forged = withAnotherByte(Buffer.from(value), index).toString();
        if (digits.every((run) => forged.includes(run))) continue;
        expect([forged, receive(body, { ...headers, [name]: forged }).verdict]).toEqual([forged, 'refused']);
      }
    }
  });

  test('is refused when any one byte of the secret is another', () => {
    for (const index of Buffer.from(SECRET).keys()) {
      const wrong = withAnotherByte(Buffer.from(SECRET), index).toString();
      expect(receive(body, sign(body, wrong, TIMESTAMP)).verdict).toBe('refused');
    }
  });

  test('is refused without its signature', () => {
    expect(receive(body, {})).toMatchObject({ verdict: 'refused', reason: 'SIGNATURE_MISSING' });
  });
});

const SIGNING_THE_TIME = GATEWAYS.filter(({ variables }) => variables['SIGNED_MESSAGE'] !== 'body');

test.each(SIGNING_THE_TIME)(
  'the notification of $name is refused when it is too old, or from the future',
  ({ variables, body: json, sign }) => {
    const body = JSON.stringify(json);
    const tolerance = Number(variables['TIMESTAMP_TOLERANCE_SECONDS'] ?? 300);
    const verdictAfter = (seconds: number) => {
      const receivedAt = new Date((TIMESTAMP + seconds) * 1000);
      return bankBy(variables)(body, sign(body, SECRET, TIMESTAMP), receivedAt).verdict;
    };
    expect([-tolerance, tolerance].map(verdictAfter)).toEqual(['accepted', 'accepted']);
    expect([-tolerance - 1, tolerance + 1].map(verdictAfter)).toEqual(['refused', 'refused']);
  },
);

test('each of the two readings of Wave refuses what the other signs', () => {
  const [documented, other] = [wave('', 'ts+body'), wave('', 'ts.body')];
  const body = JSON.stringify(documented.body);
  const crossed = [
    bankBy(documented.variables)(body, other.sign(body, SECRET, TIMESTAMP)),
    bankBy(other.variables)(body, documented.sign(body, SECRET, TIMESTAMP)),
  ];
  expect(crossed.map(({ verdict }) => verdict)).toEqual(['refused', 'refused']);
});

/** Flips the lowest bit, so that text stays text. */
function withAnotherByte(bytes: Buffer, index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[index] = copy[index]! ^ 1;
  return copy;
}
