import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { ParsedNotification, ProviderEvent } from '../src/providers/provider.js';
import type { PayDunyaOptions } from '../src/providers/paydunya/paydunya-options.js';
import { createPayDunyaProvider } from '../src/providers/paydunya/paydunya-provider.js';

const MASTER_KEY = 'test-master-key';

/** Of the master key, as PayDunya publishes it. */
const HASH =
  '1f242d13fca84cf537ff47cd47971de7ad6d4dd244340c5d53815cef06464f0a111ec5dfc692ec7eb68d4265f55af149a3776969c3a1faba695b6b1c36358ede';

function paydunya(options: Partial<PayDunyaOptions> = {}) {
  return createPayDunyaProvider({
    masterKey: MASTER_KEY,
    privateKey: 'test_private_1',
    token: 'api-token-1',
    baseUrl: new URL('http://127.0.0.1:9/sandbox-api/v1'),
    mode: 'test',
    storeName: 'Ma Boutique',
    ...options,
  });
}

interface Fields {
  readonly [name: string]: string | Fields;
}

const COMPLETED: Fields = {
  response_code: '00',
  response_text: 'Transaction Found',
  hash: HASH,
  invoice: {
    token: 'test_AbC123',
    total_amount: '15000',
    description: 'Commande n° 1042 & fils',
    items: { item_0: { name: 'Abonnement', quantity: '1' } },
  },
  custom_data: { attempt: 'TXN-1042-1' },
  actions: { callback_url: 'https://api.shop.example/webhooks/paydunya' },
  mode: 'test',
  status: 'completed',
  customer: { name: 'A. Diop', phone: '771111111', email: 'a@example.test' },
};

const nestedNames = (fields: Fields, prefix: string): [string, string][] =>
  Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    const nested = prefix === '' ? name : `${prefix}[${name}]`;
    return typeof value === 'string' ? [[nested, value]] : nestedNames(value, nested);
  });

const formOf = (pairs: [string, string][]) => new URLSearchParams(pairs).toString();
const withBareBrackets = (form: string) => form.replaceAll('%5B', '[').replaceAll('%5D', ']');

/** As PHP's curl sends an array. */
const multipartOf = (pairs: [string, string][]) =>
  [
    ...pairs.map(
      ([name, value]) => `--x1\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    ),
    '--x1--\r\n',
  ].join('');

/** Every form in which such a notification has been seen, or said to have been seen. */
const SHAPES: readonly [string, (fields: Fields) => string][] = [
  ['a form with nested names', (fields) => formOf(nestedNames(fields, 'data'))],
  ['a form with bare brackets', (fields) => withBareBrackets(formOf(nestedNames(fields, 'data')))],
  ['a form whose data is JSON', (fields) => formOf([['data', JSON.stringify(fields)]])],
  ['a form without data around it', (fields) => formOf(nestedNames(fields, ''))],
  ['JSON', (fields) => JSON.stringify({ data: fields })],
  ['JSON with data as a text', (fields) => JSON.stringify({ data: JSON.stringify(fields) })],
  ['JSON without data around it', (fields) => JSON.stringify(fields, null, 2)],
  ['a multipart form', (fields) => multipartOf(nestedNames(fields, 'data'))],
  ['a form behind a byte order mark', (fields) => `\ufeff${formOf(nestedNames(fields, 'data'))}`],
  ['JSON behind a byte order mark', (fields) => `\ufeff${JSON.stringify({ data: fields })}`],
];

const FORM = SHAPES[0]?.[1] ?? String;

/** One byte of it is another. */
const CHANGED_HASH = `${HASH.slice(0, -1)}f`;

const parse = (body: string | Buffer, options?: Partial<PayDunyaOptions>) =>
  paydunya(options).parseNotification(Buffer.from(body), {}, new Date()) as ParsedNotification;

const parseFields = (fields: Fields, options?: Partial<PayDunyaOptions>) => parse(FORM(fields), options);

const eventIn = (parsed: ParsedNotification): ProviderEvent => {
  if (parsed.verdict !== 'accepted') throw new Error(`it is ${JSON.stringify(parsed)}`);
  const [event, ...others] = parsed.events;
  if (!event || others.length > 0) throw new Error(`${parsed.events.length} events`);
  return event;
};

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a notification of PayDunya', () => {
  it('is accepted as published, and only as a hint', () => {
    const vector = `data%5Bresponse_code%5D=00&data%5Bresponse_text%5D=Transaction+Found&data%5Bhash%5D=${HASH}&data%5Binvoice%5D%5Btoken%5D=test_AbC123&data%5Binvoice%5D%5Btotal_amount%5D=15000&data%5Bcustom_data%5D%5Bpayment_id%5D=pay_01J&data%5Bmode%5D=test&data%5Bstatus%5D=completed`;
    expect(parse(vector)).toEqual({
      verdict: 'accepted',
      proof: 'STATIC_SECRET',
      eventId: sha256('test_AbC123:completed'),
      type: 'invoice.completed',
      events: [
        {
          providerReference: 'test_AbC123',
          outcome: { kind: 'paid', amount: 15_000, currency: 'XOF', movementReference: 'test_AbC123' },
        },
      ],
      // Somebody else who uses the same account put their own mark there.
      markedAsOurs: false,
    });
  });

  it.each(SHAPES)('says the same as %s, and is marked as ours by our reference', (_, shape) => {
    expect(parse(shape(COMPLETED))).toEqual({
      verdict: 'accepted',
      proof: 'STATIC_SECRET',
      eventId: sha256('test_AbC123:completed'),
      type: 'invoice.completed',
      events: [
        {
          providerReference: 'test_AbC123',
          attemptReference: 'TXN-1042-1',
          outcome: { kind: 'paid', amount: 15_000, currency: 'XOF', movementReference: 'test_AbC123' },
        },
      ],
      markedAsOurs: true,
    });
  });

  it('may have its token at the top of data', () => {
    const { invoice: _, ...rest } = COMPLETED;
    expect(eventIn(parseFields({ ...rest, token: 'test_AbC123' })).providerReference).toBe('test_AbC123');
  });

  describe('is refused', () => {
    it.each(SHAPES)('without a hash, as %s', (_, shape) => {
      const { hash: __, ...rest } = COMPLETED;
      expect(parse(shape(rest))).toMatchObject({ verdict: 'refused', reason: 'SIGNATURE_MISSING' });
    });

    it.each(SHAPES)('with one byte of the hash changed, as %s', (_, shape) => {
      expect(parse(shape({ ...COMPLETED, hash: CHANGED_HASH }))).toMatchObject({
        verdict: 'refused',
        reason: 'SIGNATURE_INVALID',
      });
    });

    it.each([
      ['without a hash', '', 'SIGNATURE_MISSING'],
      ['with another hash', `data[hash]=${CHANGED_HASH}&`, 'SIGNATURE_INVALID'],
      // More than any form of theirs has: nothing of it is read.
      ['with our hash', `data[hash]=${HASH}&`, 'SIGNATURE_MISSING'],
    ])('when it is a megabyte of pairs %s', (_, start, reason) => {
      expect(parse(start + 'a&b&'.repeat(250_000))).toMatchObject({ verdict: 'refused', reason });
    });

    it('whichever byte of the hash is changed', () => {
      fc.assert(
        fc.property(fc.nat(HASH.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
          const bytes = Buffer.from(HASH);
          bytes[at] = (bytes[at] ?? 0) ^ by;
          const changed = bytes.toString('latin1');
          // In capitals it is the same hash.
          fc.pre(changed.toLowerCase() !== HASH.toLowerCase());
          return parseFields({ ...COMPLETED, hash: changed }).verdict === 'refused';
        }),
      );
    });

    it.each([
      ['too short', HASH.slice(1)],
      ['of the hash', sha256(HASH)],
      ['nested', { 0: HASH }],
    ])('with a hash that is %s', (_, hash) => {
      expect(parseFields({ ...COMPLETED, hash }).verdict).toBe('refused');
    });

    it('with the hash of another master key', () => {
      expect(parseFields(COMPLETED, { masterKey: 'another' })).toMatchObject({ reason: 'SIGNATURE_INVALID' });
    });

    it('when the hash is escaped, and could not be taken out of what is kept', () => {
      const escaped = FORM(COMPLETED).replace(HASH, `1%66${HASH.slice(2)}`);
      expect(parse(escaped)).toMatchObject({ verdict: 'refused', reason: 'SIGNATURE_INVALID' });
    });

    it('when it says something twice', () => {
      const twice = `${FORM(COMPLETED)}&data[status]=failed`;
      expect(parse(twice).verdict).toBe('refused');
      expect(parse(`${FORM(COMPLETED)}&data=x`).verdict).toBe('refused');
      expect(parse(`${FORM(COMPLETED)}&data[status][x]=failed`).verdict).toBe('refused');
    });

    it('when it has too many fields, or too deep ones', () => {
      expect(parse(`${FORM(COMPLETED)}&b=1`).verdict).toBe('accepted');
      const many = Array.from({ length: 1_000 }, (_, number) => `&x${number}=1`).join('');
      expect(parse(FORM(COMPLETED) + many).verdict).toBe('refused');
      expect(parse(`${FORM(COMPLETED)}&data${'[x]'.repeat(7)}=1`).verdict).toBe('accepted');
      expect(parse(`${FORM(COMPLETED)}&data${'[x]'.repeat(8)}=1`).verdict).toBe('refused');
    });

    it.each([
      '',
      'hello',
      '{',
      '[]',
      '{}',
      'null',
      '=',
      '&&',
      'data=',
      'data=[]',
      'data[hash',
      '\0',
      '{"data":7}',
    ])('when it is %j', (body) => {
      expect(parse(body)).toMatchObject({ verdict: 'refused', reason: 'SIGNATURE_MISSING' });
    });

    it('without throwing, whatever the bytes are, and without a word of our keys', () => {
      const anything = fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc
          .stringMatching(/^(data|\[|\]|hash|=|&|%5B|%5D|__proto__|\{|"|:|\}){0,30}$/)
          .map((text) => Buffer.from(text)),
        fc.json().map((text) => Buffer.from(text)),
      );
      fc.assert(
        fc.property(anything, (bytes) => {
          const parsed = parse(bytes);
          return parsed.verdict === 'refused' && !JSON.stringify(parsed).includes(HASH);
        }),
      );
    });
  });

  it('pollutes nothing by the names of its fields', () => {
    const names = ['__proto__[polluted]', 'constructor[prototype][polluted]', 'data[__proto__][polluted]'];
    const body = `${FORM(COMPLETED)}${names.map((name) => `&${name}=yes`).join('')}`;
    expect(parse(body).verdict).toBe('accepted');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(parse(`__proto__[hash]=${HASH}&__proto__[status]=completed`).verdict).toBe('refused');
    expect(parse(`{"__proto__":{"hash":"${HASH}","status":"completed"}}`).verdict).toBe('refused');
  });

  it('reads lists as PHP writes them', () => {
    expect(
      parse(`${FORM(COMPLETED)}&data[invoice][channels][]=card&data[invoice][channels][]=wave`).verdict,
    ).toBe('accepted');
  });

  describe('tells of', () => {
    const outcomeOf = (change: Fields) => eventIn(parseFields({ ...COMPLETED, ...change })).outcome;

    it.each(['cancelled', 'canceled', 'CANCELED'])('the end of an invoice that is %s', (status) => {
      expect(outcomeOf({ status })).toEqual({ kind: 'cancelled', reason: 'cancelled' });
    });

    it.each(['failed', 'fail'])('a payment that is %s, and why', (status) => {
      const fail_reason = 'Solde insuffisant';
      expect(outcomeOf({ status, fail_reason })).toEqual({
        kind: 'failed',
        code: 'failed',
        message: 'Solde insuffisant',
      });
    });

    it.each(['pending', 'expired', 'constructor'])('nothing decided when it is %s', (status) => {
      expect(outcomeOf({ status })).toEqual({ kind: 'pending' });
    });

    it.each(['15000', '15000.00', '15 000', '15000,00', '15 000 FCFA'])('the amount %s', (total_amount) => {
      expect(outcomeOf({ invoice: { token: 't1', total_amount } })).toMatchObject({ amount: 15_000 });
    });

    it.each(['', '-5', '0', '12.5', '1e4', '15,000', '9'.repeat(30)])(
      'something to ask about when the amount is %j',
      (total_amount) => {
        expect(outcomeOf({ invoice: { token: 't1', total_amount } })).toEqual({ kind: 'processing' });
      },
    );
  });

  it('is the same event in either spelling, and another one with another status', () => {
    const idOf = (status: string) => {
      const parsed = parseFields({ ...COMPLETED, status });
      return parsed.verdict === 'accepted' ? [parsed.eventId, parsed.type] : [];
    };
    expect(idOf('canceled')).toEqual(idOf('cancelled'));
    expect(idOf('cancelled')).toEqual([sha256('test_AbC123:cancelled'), 'invoice.cancelled']);
    expect(idOf('failed')).not.toEqual(idOf('cancelled'));
  });

  it('of the other mode is nothing for us, though the hash is the same there', () => {
    expect(parseFields(COMPLETED, { mode: 'live' })).toMatchObject({
      verdict: 'ignored',
      proof: 'STATIC_SECRET',
      type: 'invoice.completed',
    });
    expect(parseFields({ ...COMPLETED, mode: 'live' })).toMatchObject({ verdict: 'ignored' });
  });

  it.each([
    ['token', { invoice: { total_amount: '15000' } }],
    ['status', { status: '' }],
  ])('is a reason to ask when it is genuine and has no %s', (_, change) => {
    expect(parseFields({ ...COMPLETED, ...change })).toMatchObject({
      verdict: 'accepted',
      events: [{ attemptReference: 'TXN-1042-1' }],
    });
  });

  it('is kept when it is genuine and names neither an invoice nor an attempt', () => {
    const nameless = { ...COMPLETED, invoice: { total_amount: '15000' }, custom_data: {} };
    expect(parseFields(nameless)).toMatchObject({
      verdict: 'malformed',
      keep: { proof: 'STATIC_SECRET', mayBeOurs: true },
    });
  });

  it('is proven by a master key that was pasted with white space around it', () => {
    expect(parseFields(COMPLETED, { masterKey: ` ${MASTER_KEY}\n` }).verdict).toBe('accepted');
  });

  it('can’t be proven by an empty master key', () => {
    expect(() => paydunya({ masterKey: ' \n' })).toThrow(TypeError);
  });

  it.each(SHAPES)('is kept without its hash, and says the same from there, as %s', (_, shape) => {
    const provider = paydunya();
    const body = shape({ ...COMPLETED, note: `again ${HASH}` });
    const kept = provider.keepableBody?.(body) ?? body;
    expect(decodeURIComponent(kept)).not.toContain(HASH);
    expect(provider.readKeptNotification(Buffer.from(kept), {})).toEqual(parse(body));
    expect(parse(kept)).toMatchObject({ verdict: 'refused', reason: 'SIGNATURE_INVALID' });
  });

  it('keeps no header, for none belongs to it', () => {
    expect(paydunya().notificationHeaders).toEqual([]);
  });
});

describe.each([
  ['in capitals', HASH.toUpperCase()],
  ['with spaces around it', ` ${HASH} `],
])('a hash %s', (_how, hash) => {
  it('is the same hash, and is not kept either', () => {
    const body = FORM({ ...COMPLETED, hash });
    expect(parse(body)).toMatchObject({ verdict: 'accepted', proof: 'STATIC_SECRET' });
    expect(paydunya().keepableBody!(body).toLowerCase()).not.toContain(HASH);
  });
});

it('a multipart form that is cut off, or has a field twice, says nothing', () => {
  const whole = multipartOf(nestedNames(COMPLETED, 'data'));
  expect(parse(whole.slice(0, -8)).verdict).toBe('refused');
  expect(parse(multipartOf([...nestedNames(COMPLETED, 'data'), ['data[status]', 'failed']])).verdict).toBe(
    'refused',
  );
});
