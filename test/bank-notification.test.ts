import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import type { BankOptions } from '../src/providers/bank/bank-options.js';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import type { NotificationShape } from '../src/providers/bank/notification-shape.js';
import type { NotificationHeaders } from '../src/providers/provider.js';

const SECRET = 'bank_secret_1';

const BODY_SIGNED: Partial<NotificationShape> = {
  signature: { header: 'X-Signature', encoding: 'hex', prefix: '', message: { form: 'body' } },
};

function bank(options: Partial<BankOptions> = {}) {
  return createBankProvider({
    name: 'bank-x',
    baseUrl: new URL('https://bank.example/'),
    apiKey: 'bank_key_1',
    webhookSecrets: [SECRET],
    ...options,
  });
}

function hmac(message: string | Buffer, encoding: 'hex' | 'base64' = 'hex', secret = SECRET): string {
  return createHmac('sha256', secret).update(message).digest(encoding);
}

describe('a notification of a bank', () => {
  const TIMESTAMP = 1_760_000_000;
  const RECEIVED_AT = new Date(TIMESTAMP * 1000);
  const VECTOR = Buffer.from('{"id":"bevt_1"}');
  const VECTOR_BODY_SIGNATURE = '4d7f59c52553a24b757988b2368a86d5b4852a1aa269bdf61e182e873ba34e15';
  const VECTOR_TIMED_SIGNATURE = '2f9f7f35139228b325bd6c616d3bb6610039cf88855c011646757e03c72c7249';

  const CREDITED = {
    id: 'bevt_01J',
    type: 'transfer.credited',
    created_at: '2026-10-30T10:00:00Z',
    data: {
      transfer_id: 'tr_991',
      payment_id: 'bpay_7',
      reference: 'TXN-1042-1',
      amount: '15000',
      currency: 'XOF',
      status: 'BOOKED',
      debtor: { name: 'A. DIOP', iban_last4: '1234' },
    },
  };

  const credited = (data: object, event: object = {}) => ({
    ...CREDITED,
    ...event,
    data: { ...CREDITED.data, ...data },
  });

  const sign = (body: string | Buffer, secret = SECRET, timestamp = TIMESTAMP) =>
    `t=${timestamp},v1=${hmac(Buffer.concat([Buffer.from(`${timestamp}.`), Buffer.from(body)]), 'hex', secret)}`;

  const parse = (body: Buffer, headers: NotificationHeaders, options?: Partial<BankOptions>) =>
    bank(options).parseNotification(body, headers, RECEIVED_AT);

  const parseSigned = (json: unknown, options?: Partial<BankOptions>) => {
    const body = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
    return parse(body, { 'x-signature': sign(body) }, options);
  };

  describe('is believed', () => {
    it('when it is the published example of a signed body', () => {
      const headers = { 'x-signature': VECTOR_BODY_SIGNATURE };
      // Genuine, and then nothing about a payment in it.
      expect(parse(VECTOR, headers, { notification: BODY_SIGNED }).verdict).toBe('malformed');
    });

    it('when it is the published example of a signed timestamp and body', () => {
      const headers = { 'x-signature': `t=${TIMESTAMP},v1=${VECTOR_TIMED_SIGNATURE}` };
      expect(parse(VECTOR, headers).verdict).toBe('malformed');
    });

    it('and becomes the event that money moved', () => {
      expect(parseSigned(CREDITED)).toEqual({
        verdict: 'accepted',
        proof: 'SIGNED',
        eventId: 'bevt_01J',
        type: 'transfer.credited',
        // It does not look like a reference of ours.
        markedAsOurs: false,
        events: [
          {
            providerReference: 'bpay_7',
            attemptReference: 'TXN-1042-1',
            outcome: { kind: 'paid', amount: 15000, currency: 'XOF', movementReference: 'tr_991' },
          },
        ],
      });
    });

    it('with either of two secrets while they change', () => {
      const body = Buffer.from(JSON.stringify(CREDITED));
      const rotating = { webhookSecrets: ['new_secret', SECRET] };
      for (const secret of rotating.webhookSecrets) {
        expect(parse(body, { 'x-signature': sign(body, secret) }, rotating).verdict).toBe('accepted');
      }
      expect(parse(body, { 'x-signature': sign(body, 'third_secret') }, rotating).verdict).toBe('refused');
    });

    it('with one good signature among those of a sender that rotates', () => {
      const body = Buffer.from(JSON.stringify(CREDITED));
      const other = hmac(`${TIMESTAMP}.${body.toString()}`, 'hex', 'new_secret');
      expect(parse(body, { 'x-signature': `${sign(body)},v1=${other}` }).verdict).toBe('accepted');
      expect(parse(body, { 'X-SIGNATURE': `v0=old,v1=${other},${sign(body)}` }).verdict).toBe('accepted');
    });

    it.each([-300, 300])('when it was signed %d s away', (seconds) => {
      const body = Buffer.from(JSON.stringify(CREDITED));
      const headers = { 'x-signature': sign(body, SECRET, TIMESTAMP + seconds) };
      expect(parse(body, headers).verdict).toBe('accepted');
    });

    it.each<[string, NotificationShape['signature'], NotificationHeaders]>([
      [
        'GitHub signs',
        { header: 'X-Hub-Signature-256', encoding: 'hex', prefix: 'sha256=', message: { form: 'body' } },
        { 'x-hub-signature-256': `sha256=${hmac(JSON.stringify(CREDITED))}` },
      ],
      [
        'Worldline signs',
        { header: 'X-GCS-Signature', encoding: 'base64', prefix: '', message: { form: 'body' } },
        { 'x-gcs-signature': hmac(JSON.stringify(CREDITED), 'base64') },
      ],
      [
        'FedaPay signs',
        {
          header: 'X-FEDAPAY-SIGNATURE',
          encoding: 'hex',
          prefix: 's=',
          message: { form: 'ts.body', timestamp: 'INLINE', toleranceSeconds: 300 },
        },
        { 'x-fedapay-signature': `t=${TIMESTAMP},s=${hmac(`${TIMESTAMP}.${JSON.stringify(CREDITED)}`)}` },
      ],
      [
        'a bank with a header for the time signs',
        {
          header: 'X-Signature',
          encoding: 'hex',
          prefix: '',
          message: { form: 'ts+body', timestamp: { header: 'X-Timestamp' }, toleranceSeconds: 60 },
        },
        {
          'x-signature': hmac(`${TIMESTAMP}${JSON.stringify(CREDITED)}`),
          'x-timestamp': String(TIMESTAMP),
        },
      ],
    ])('when it is signed as %s', (_name, signature, headers) => {
      const body = Buffer.from(JSON.stringify(CREDITED));
      const options = { notification: { signature } };
      expect(parse(body, headers, options).verdict).toBe('accepted');
      expect(parse(Buffer.concat([body, Buffer.from(' ')]), headers, options).verdict).toBe('refused');
    });

    it('when it has nothing but a reference, a status and an amount, if the bank is configured so', () => {
      const body = Buffer.from('{"reference":"TXN-20260127-0001","status":"paid","amount":15000}');
      const options: Partial<BankOptions> = {
        statusWords: { paid: 'paid', failed: 'failed' },
        notification: {
          ...BODY_SIGNED,
          eventId: { from: 'DIGEST' },
          paymentTypes: 'ALL',
          referencePath: 'reference',
          statusPath: 'status',
          amountPath: 'amount',
          amountFormat: 'MINOR_UNITS',
          currency: { from: 'ALWAYS', currency: 'XOF' },
          movementReferencePath: 'reference',
        },
      };
      expect(parse(body, { 'x-signature': hmac(body) }, options)).toMatchObject({
        verdict: 'accepted',
        eventId: expect.stringMatching(/^[0-9a-f]{64}$/),
        events: [
          {
            attemptReference: 'TXN-20260127-0001',
            outcome: {
              kind: 'paid',
              amount: 15000,
              currency: 'XOF',
              movementReference: 'TXN-20260127-0001',
            },
          },
        ],
      });
    });

    it('with its event id in a header, if the bank is configured so', () => {
      const body = Buffer.from(JSON.stringify(CREDITED));
      const options: Partial<BankOptions> = {
        notification: { eventId: { from: 'HEADER', header: 'X-Bank-Event-Id' } },
      };
      const headers = { 'x-signature': sign(body), 'x-bank-event-id': 'bevt_77' };
      expect(parse(body, headers, options)).toMatchObject({ verdict: 'accepted', eventId: 'bevt_77' });
      // Without it, the digest of the body is as good.
      expect(parse(body, { 'x-signature': sign(body) }, options)).toMatchObject({
        verdict: 'accepted',
        eventId: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
    });
  });

  describe('is refused', () => {
    const refusal = (body: Buffer, headers: NotificationHeaders, options?: Partial<BankOptions>) => {
      const parsed = parse(body, headers, options);
      return parsed.verdict === 'refused' ? parsed.reason : parsed.verdict;
    };

    const body = Buffer.from(JSON.stringify(CREDITED));
    const signature = sign(body);
    const [timestampPart, signaturePart] = signature.split(',');

    it.each<[string, NotificationHeaders, string]>([
      ['without a signature', {}, 'SIGNATURE_MISSING'],
      ['with an empty one', { 'x-signature': '' }, 'SIGNATURE_MISSING'],
      ['with two times', { 'x-signature': [signature, `t=${TIMESTAMP + 1}`] }, 'SIGNATURE_INVALID'],
      [
        'with two times joined by Node',
        { 'x-signature': `t=${TIMESTAMP + 1}, ${signature}` },
        'SIGNATURE_INVALID',
      ],
      ['without a timestamp', { 'x-signature': signaturePart }, 'SIGNATURE_MISSING'],
      ['without the signature beside it', { 'x-signature': timestampPart }, 'SIGNATURE_INVALID'],
      ['with a short one', { 'x-signature': signature.slice(0, -2) }, 'SIGNATURE_INVALID'],
      ['with a long one', { 'x-signature': `${signature}00` }, 'SIGNATURE_INVALID'],
      ['with a time of words', { 'x-signature': `t=now,${signaturePart}` }, 'SIGNATURE_INVALID'],
      [
        'with very many',
        {
          'x-signature': [
            signature,
            ...Array.from({ length: 50 }, (_, n) => `v1=${hmac(Buffer.from([n]))}`),
          ].join(),
        },
        'SIGNATURE_INVALID',
      ],
      ['when only the body was signed', { 'x-signature': hmac(body) }, 'SIGNATURE_MISSING'],
      [
        'when only the body was signed, beside a time',
        { 'x-signature': `t=${TIMESTAMP},v1=${hmac(body)}` },
        'SIGNATURE_INVALID',
      ],
    ])('%s', (_name, headers, reason) => {
      expect(refusal(body, headers)).toBe(reason);
    });

    it.each([-301, 301])('when it was signed %d s away', (seconds) => {
      expect(refusal(body, { 'x-signature': sign(body, SECRET, TIMESTAMP + seconds) })).toBe('TOO_OLD');
    });

    it('as invalid, not as old, when it is both: only what was really signed has an age', () => {
      expect(refusal(body, { 'x-signature': sign(body, 'wrong', TIMESTAMP - 9999) })).toBe(
        'SIGNATURE_INVALID',
      );
    });

    it('before it is parsed', () => {
      expect(refusal(Buffer.from('not json'), { 'x-signature': signature })).toBe('SIGNATURE_INVALID');
    });

    const changed = (bytes: Buffer, at: number, by: number) => {
      const copy = Buffer.from(bytes);
      const index = at % copy.length;
      copy[index] = (copy[index] ?? 0) ^ by;
      return copy;
    };
    const anyChange = [fc.nat(), fc.integer({ min: 1, max: 255 })] as const;

    it('when any byte of the body is another', () => {
      fc.assert(
        fc.property(
          ...anyChange,
          (at, by) => refusal(changed(body, at, by), { 'x-signature': signature }) === 'SIGNATURE_INVALID',
        ),
      );
    });

    it.each<[string, Partial<BankOptions>, string]>([
      ['t=…,v1=…', {}, signature],
      ['hex', { notification: BODY_SIGNED }, hmac(body)],
      [
        'base64',
        {
          notification: {
            signature: { header: 'X-Signature', encoding: 'base64', prefix: '', message: { form: 'body' } },
          },
        },
        hmac(body, 'base64'),
      ],
    ])('when any digit of a %s header is another', (_name, options, header) => {
      // Marks around them may be others, hex in capitals, and base64 in its other spelling.
      const digits = header.match(/[\w+/]{40,}|\d{10}/g)!;
      const isHex = digits.some((run) => /^[0-9a-f]{64}$/.test(run));
      fc.assert(
        fc.property(...anyChange, (at, by) => {
          const forged = changed(Buffer.from(header), at, by).toString('latin1');
          const compared = isHex ? forged.toLowerCase() : forged.replaceAll('-', '+').replaceAll('_', '/');
          if (digits.every((run) => compared.includes(run))) return true;
          return parse(body, { 'x-signature': forged }, options).verdict === 'refused';
        }),
      );
    });

    it('not for its spelling: repeated, in capitals, in another form, between other marks', () => {
      const [time = '', digits = ''] = [timestampPart, signaturePart?.slice('v1='.length)];
      const spellings: NotificationHeaders[] = [
        { 'x-signature': [signature, signature] },
        { 'x-signature': `${signature}, ${signature}` },
        { 'x-signature': signature, 'X-Signature': signature },
        { 'X-SIGNATURE': `${time},v1=${digits.toUpperCase()}` },
        { 'x-signature': `${time}, v1=${'0'.repeat(64)}, v1= ${digits}` },
        { 'x-signature': `v0="${digits}";${time}` },
      ];
      expect(spellings.map((headers) => refusal(body, headers))).toEqual(spellings.map(() => 'accepted'));
    });

    it('when any byte of the key is another', () => {
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 1, max: 127 }), (at, by) => {
          const secret = changed(Buffer.from(SECRET), at, by).toString();
          return refusal(body, { 'x-signature': sign(body, secret) }) === 'SIGNATURE_INVALID';
        }),
      );
    });

    it('or malformed, ignored or accepted, but nothing that anybody sends makes it throw', () => {
      const headerValue = fc.oneof(
        fc.string(),
        fc.array(fc.string()),
        fc.constant(signature),
        fc.constant(undefined),
      );
      fc.assert(
        fc.property(fc.uint8Array(), headerValue, (bytes, value) => {
          parse(Buffer.from(bytes), { 'x-signature': value });
          parse(Buffer.from(bytes), { 'x-signature': sign(Buffer.from(bytes)) });
        }),
      );
      fc.assert(fc.property(fc.json(), (json) => void parseSigned(json)));
      fc.assert(
        fc.property(
          fc.jsonValue(),
          fc.jsonValue(),
          fc.constantFrom('amount', 'currency', 'status', 'transfer_id'),
          (data, value, field) => {
            parseSigned({ ...CREDITED, data });
            parseSigned(credited({ [field]: value }));
          },
        ),
      );
    });
  });

  describe('is malformed when it is genuine and', () => {
    it.each<[string, unknown]>([
      ['not JSON', 'hello'],
      ['empty', ''],
      ['JSON without anything', 'null'],
      ['has no type', { ...CREDITED, type: undefined }],
      ['has no status', credited({ status: undefined })],
      ['says paid without an amount', credited({ amount: undefined })],
      ['says paid with more precision than the currency has', credited({ amount: '15000.5' })],
      ['says paid with nothing', credited({ amount: '0' })],
      ['says paid with less than nothing', credited({ amount: '-15000' })],
      ['says paid in words', credited({ amount: 'fifteen' })],
      ['says paid with an exponent', credited({ amount: '1.5e4' })],
      ['says paid with more than a number holds', credited({ amount: '9007199254740993' })],
      ['says paid in an unknown currency', credited({ currency: 'XTS' })],
      ['says paid without the id of the movement', credited({ transfer_id: undefined })],
    ])('%s', (_name, json) => {
      expect(parseSigned(json).verdict).toBe('malformed');
    });

    it('not UTF-8', () => {
      const body = Buffer.from([0x7b, 0xff, 0x7d]);
      expect(parse(body, { 'x-signature': sign(body) }).verdict).toBe('malformed');
    });
  });

  describe('is kept when it is malformed', () => {
    const OURS = 'TXN-01K8Q5Z7M3N9P2R4S6T8V0W1X2-1';

    it('by all that it names, and as money where it may be', () => {
      expect(parseSigned(credited({ amount: '1,500', reference: OURS }))).toMatchObject({
        verdict: 'malformed',
        detail: 'paid, and no exact amount of XOF',
        keep: {
          proof: 'SIGNED',
          eventId: 'bevt_01J',
          type: 'transfer.credited',
          about: { attemptReference: OURS, providerReference: 'bpay_7' },
          claims: 'PAYMENT',
          mayBeOurs: true,
        },
      });
    });

    it('by a reference of ours anywhere in it, also when it is not JSON', () => {
      expect(parseSigned(`<credit><ref>${OURS}</ref></credit>`)).toMatchObject({
        keep: { about: { attemptReference: OURS }, mayBeOurs: true },
      });
    });

    it('and as somebody else’s where its reference was never ours', () => {
      expect(parseSigned(credited({ amount: 'x', reference: 'INV-17' }))).toMatchObject({
        keep: { mayBeOurs: false },
      });
    });

    it('without a body, it is not', () => {
      expect(parseSigned('')).toEqual({ verdict: 'malformed', detail: 'there is no body' });
    });
  });

  it.each<[string, unknown, object]>([
    ['no id', { ...CREDITED, id: undefined }, { eventId: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    [
      'an id that no database would store',
      { ...CREDITED, id: 'bevt_\u0000' },
      { eventId: expect.anything() },
    ],
    ['half of a surrogate pair for its id', { ...CREDITED, id: '\ud800' }, { eventId: expect.anything() }],
    ['an id of 400 characters', { ...CREDITED, id: 'b'.repeat(400) }, { eventId: 'b'.repeat(400) }],
    [
      'an id longer than ids are',
      { ...CREDITED, id: 'b'.repeat(10_000) },
      { eventId: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    ],
    ['an amount that is a number', credited({ amount: 15000 }), {}],
    ['a status in small letters', credited({ status: 'booked' }), {}],
  ])('with %s is read', (_name, json, said) => {
    expect(parseSigned(json)).toMatchObject({
      verdict: 'accepted',
      events: [{ outcome: { kind: 'paid', amount: 15000, currency: 'XOF' } }],
      ...said,
    });
  });

  it('that names no payment at all is somebody else’s', () => {
    const json = credited({ reference: undefined, payment_id: undefined });
    expect(parseSigned(json)).toMatchObject({ verdict: 'ignored', eventId: 'bevt_01J' });
  });

  it.each([
    ['CREATED', { kind: 'pending' }],
    ['AUTHORISING', { kind: 'processing' }],
    ['REJECTED', { kind: 'failed', code: 'REJECTED' }],
    ['CANCELLED', { kind: 'cancelled', reason: 'CANCELLED' }],
    ['EXPIRED', { kind: 'cancelled', reason: 'EXPIRED' }],
    ['SETTLED_MAYBE', { kind: 'processing' }],
    ['constructor', { kind: 'processing' }],
  ])('with the status %s becomes %j', (status, outcome) => {
    expect(parseSigned(credited({ status, transfer_id: undefined }))).toMatchObject({
      verdict: 'accepted',
      events: [{ attemptReference: 'TXN-1042-1', outcome }],
    });
  });

  it.each([
    ['15000', 'XOF', 15000],
    ['15000.00', 'XOF', 15000],
    ['10.99', 'EUR', 1099],
    ['10.9', 'EUR', 1090],
    ['1.234', 'TND', 1234],
  ])('of %s %s counts %d minor units', (amount, currency, minorUnits) => {
    expect(parseSigned(credited({ amount, currency }))).toMatchObject({
      events: [{ outcome: { kind: 'paid', amount: minorUnits, currency } }],
    });
  });

  describe('of a refund', () => {
    const BOOKED = {
      id: 'bevt_02J',
      type: 'refund.booked',
      created_at: '2026-10-30T10:00:00Z',
      data: {
        payment_id: 'bpay_7',
        reference: 'TXN-1042-1',
        refund_id: 'brfd_1',
        refund_reference: 'RFD-7',
        amount: '5000',
        currency: 'XOF',
        status: 'BOOKED',
      },
    };

    const refund = (data: object, event: object = {}) => ({
      ...BOOKED,
      ...event,
      data: { ...BOOKED.data, ...data },
    });

    it('becomes the event that money went back', () => {
      expect(parseSigned(BOOKED)).toEqual({
        verdict: 'accepted',
        proof: 'SIGNED',
        eventId: 'bevt_02J',
        type: 'refund.booked',
        markedAsOurs: false,
        events: [
          {
            providerReference: 'bpay_7',
            attemptReference: 'TXN-1042-1',
            outcome: {
              kind: 'refund',
              refundReference: 'RFD-7',
              providerRefundReference: 'brfd_1',
              amount: 5000,
              currency: 'XOF',
              status: 'succeeded',
            },
          },
        ],
      });
    });

    it('that the bank’s own staff made has no reference of ours', () => {
      const parsed = parseSigned(refund({ refund_reference: undefined }));
      expect(parsed).toMatchObject({ verdict: 'accepted', events: [{ attemptReference: 'TXN-1042-1' }] });
      expect(JSON.stringify(parsed)).not.toContain('refundReference');
    });

    it.each([
      ['PENDING', { status: 'pending' }],
      ['REJECTED', { status: 'failed', code: 'REJECTED' }],
      ['SETTLED_MAYBE', { status: 'pending' }],
      ['booked', { status: 'succeeded' }],
      ['constructor', { status: 'pending' }],
    ])('with the status %s becomes %j', (status, outcome) => {
      expect(parseSigned(refund({ status }, { type: 'refund.rejected' }))).toMatchObject({
        verdict: 'accepted',
        events: [{ outcome: { kind: 'refund', ...outcome } }],
      });
    });

    it('is never read as a payment, even where every type tells of one', () => {
      const parsed = parseSigned(refund({ transfer_id: 'tr_991' }), {
        notification: { paymentTypes: 'ALL' },
      });
      expect(parsed).toMatchObject({ events: [{ outcome: { kind: 'refund' } }] });
    });

    it('of an unknown type is ignored', () => {
      expect(parseSigned(refund({}, { type: 'refund.considered' })).verdict).toBe('ignored');
    });

    it('is read by the words and in the places of its bank', () => {
      const options: Partial<BankOptions> = {
        refundStatusWords: { returned: 'succeeded' },
        notification: {
          refundTypes: ['money_back'],
          referencePath: 'order',
          refundIdPath: 'back.id',
          refundReferencePath: 'back.ours',
          refundStatusPath: 'back.state',
          refundAmountPath: 'back.cents',
          amountFormat: 'MINOR_UNITS',
          currency: { from: 'ALWAYS', currency: 'EUR' },
        },
      };
      const back = { id: '77', ours: 'RFD-7', state: 'returned', cents: 1099 };
      expect(parseSigned({ id: 'e1', type: 'money_back', order: 'TXN-1-1', back }, options)).toMatchObject({
        verdict: 'accepted',
        events: [
          {
            attemptReference: 'TXN-1-1',
            outcome: {
              refundReference: 'RFD-7',
              providerRefundReference: '77',
              amount: 1099,
              currency: 'EUR',
              status: 'succeeded',
            },
          },
        ],
      });
    });

    it.each<[string, object]>([
      ['has no id', { refund_id: undefined }],
      ['has no status', { status: undefined }],
      ['has no amount', { amount: undefined }],
      ['gives back nothing', { amount: '0' }],
      ['gives back less than nothing', { amount: '-1' }],
      ['gives back more precisely than the currency counts', { amount: '1.5' }],
      ['gives back in an unknown currency', { currency: 'XTS' }],
    ])('is malformed when it %s', (_name, data) => {
      expect(parseSigned(refund(data)).verdict).toBe('malformed');
    });
  });

  it.each(['account.statement_ready', 'transfer.returned', 'transfer.debited'])(
    'of the type %s is ignored, even with the status of a payment',
    (type) => {
      expect(parseSigned(credited({}, { type }))).toMatchObject({
        verdict: 'ignored',
        proof: 'SIGNED',
        eventId: 'bevt_01J',
        type,
      });
    },
  );
});
