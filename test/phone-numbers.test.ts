import fc from 'fast-check';
import { PaymentError } from '../src/payments/payment-error.js';
import { readCountry, readPhoneNumber } from '../src/payments/phone-number.js';
import { orderInFrancs, PHONE, providerReferenceOf, readWhole } from './support/mobile-money.js';
import { codeOf, CREATE_PAYMENT, startTestApp, type RunningApp } from './support/running-app.js';

describe('a phone number', () => {
  it.each<[string, string | null, string, string]>([
    ['+2290151345789', null, '+2290151345789', 'BJ'],
    ['+229 01 51 34 57 89', null, '+2290151345789', 'BJ'],
    ['00229 01 51 34 57 89', null, '+2290151345789', 'BJ'],
    ['2290151345789', null, '+2290151345789', 'BJ'],
    ['(+229) 01-51-34-57-89', null, '+2290151345789', 'BJ'],
    ['01 51 34 57 89', 'BJ', '+2290151345789', 'BJ'],
    // With the eight digits of before December 2024.
    ['51345789', 'BJ', '+2290151345789', 'BJ'],
    ['+22951345789', null, '+2290151345789', 'BJ'],
    ['22951345789', null, '+2290151345789', 'BJ'],
    ['77 123 45 67', 'SN', '+221771234567', 'SN'],
    ['+221771234567', 'BJ', '+221771234567', 'SN'],
    ['07 07 12 34 56', 'CI', '+2250707123456', 'CI'],
    ['6 70 00 00 00', 'CM', '+237670000000', 'CM'],
    ['0712 345678', 'KE', '+254712345678', 'KE'],
    ['0806 123 4567', 'NG', '+2348061234567', 'NG'],
    ['024 123 4567', 'GH', '+233241234567', 'GH'],
    ['06 12 34 56 78', 'FR', '+33612345678', 'FR'],
    ['225 07 07 12 34 56', 'CI', '+2250707123456', 'CI'],
    ['2290151345789', 'BJ', '+2290151345789', 'BJ'],
    ['22951345789', 'BJ', '+2290151345789', 'BJ'],
    ['221771234567', 'SN', '+221771234567', 'SN'],
    ['221771234567', null, '+221771234567', 'SN'],
    ['00229 01 51 34 57 89', 'CI', '+2290151345789', 'BJ'],
    ['(00225) 07 07 12 34 56', null, '+2250707123456', 'CI'],
  ])('that a payer writes as %s, in %s, is %s of %s', (written, country, phoneNumber, of) => {
    expect(readPhoneNumber(written, country)).toEqual({ phoneNumber, country: of });
  });

  it('of Benin that has ten digits keeps them', () => {
    for (const number of ['+2290151345789', '+2290195000000']) {
      expect(readPhoneNumber(number).phoneNumber).toBe(number);
    }
  });

  it.each<[string, string | null]>([
    ['', null],
    ['hello', 'BJ'],
    ['12', 'BJ'],
    ['01 51 34 57 89', null],
    ['+999 123 456 789', null],
    ['+229 01 51 34 57 89 01 51', null],
    ['+', 'BJ'],
    // Numbers elsewhere, if they were read behind a +: of Germany, Iran, Japan, Kazakhstan, Benin.
    ['49 12 34 56', 'CI'],
    ['49 12 34 56', null],
    ['98 12 34 56 7', 'CI'],
    ['98 12 34 56 78', null],
    ['806 123 4567', null],
    ['8123456789', null],
    ['77 123 45 67', null],
    ['2290151345789', 'CI'],
    // A country's prefix before too few or too many digits.
    ['225 49 12 34 56', 'CI'],
    ['+225 49 12 34 56', 'CI'],
    ['00225 49 12 34 56', 'CI'],
    ['77 123 45 6', 'SN'],
    ['77 123 45 67 8', 'SN'],
    ['🙂', 'BJ'],
    ['9'.repeat(5_000), 'BJ'],
  ])('can’t be %j, in %s', (written, country) => {
    expect(() => readPhoneNumber(written, country)).toThrow(
      expect.objectContaining({ kind: 'PHONE_NUMBER_INVALID' }),
    );
  });

  it('that is impossible is answered with how they are written in its country', () => {
    expect(() => readPhoneNumber('49 12 34 56', 'CI')).toThrow(
      /^phoneNumber is not a possible number in CI\. There it is written like \d\d [\d ]+ or \+225 [\d ]+; /,
    );
  });

  it('is read again as it was read, and is E.164; whatever else is written is refused in our words', () => {
    const countries = fc.constantFrom(null, 'BJ', 'SN', 'CI', 'FR', 'GB');
    const digits = fc.stringMatching(/^(\+|00)?[0-9 ().-]{4,18}$/);
    fc.assert(
      fc.property(fc.oneof(digits, fc.string({ unit: 'grapheme' })), countries, (written, country) => {
        try {
          const read = readPhoneNumber(written, country);
          expect(read.phoneNumber).toMatch(/^\+[1-9]\d{4,16}$/);
          expect(readPhoneNumber(read.phoneNumber)).toEqual(read);
        } catch (error) {
          if (!(error instanceof PaymentError)) throw error;
          expect(error.kind).toBe('PHONE_NUMBER_INVALID');
          // What somebody wrote may be somebody's number, and does not belong in logs.
          if (written.length > 6) expect(error.message).not.toContain(written);
        }
      }),
      { numRuns: 500, seed: 20_261_121 },
    );
  });
});

describe('a country', () => {
  it.each([
    ['BJ', 'BJ'],
    ['bj', 'BJ'],
    ['Fr', 'FR'],
  ])('written %s is %s', (written, country) => expect(readCountry(written)).toBe(country));

  it.each(['BEN', 'Benin', 'XX', '', 'constructor', '__proto__'])('can’t be %j', (written) => {
    expect(() => readCountry(written)).toThrow(expect.objectContaining({ kind: 'COUNTRY_INVALID' }));
  });
});

describe('a payment', () => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.stop());

  it.each([
    ['as they write it, beside their country', { phoneNumber: '01 51 34 57 55', country: 'bj' }],
    ['with its prefix', { phoneNumber: PHONE.rings }],
    ['as it was before 2025', { phoneNumber: '+229 51 34 57 55' }],
    ['with its prefix, beside the country where they are now', { phoneNumber: PHONE.rings, country: 'FR' }],
  ])('asks the phone whose number the payer gives %s', async (_, payer) => {
    const { orderId, token } = await orderInFrancs(app);
    const { id, nextAction } = await app.pay(orderId, token, { method: 'MOBILE_MONEY', ...payer });
    expect(nextAction).toMatchObject({ __typename: 'ApproveOnPhone', phoneNumber: '+••••••••••755' });
    expect((await readWhole(app, id)).attempts).toMatchObject([{ country: 'BJ' }]);
    expect(app.pawapay.deposit(await providerReferenceOf(app, id))).toMatchObject({
      payer: { accountDetails: { phoneNumber: '2290151345755', provider: 'MTN_MOMO_BEN' } },
    });
  });

  it.each([
    ['phoneNumber', { phoneNumber: 'my phone' }],
    ['phoneNumber', { phoneNumber: '01 51 34 57 55' }],
    ['phoneNumber', { phoneNumber: '49 12 34 56', country: 'CI' }],
    ['phoneNumber', { phoneNumber: '2290151345755', country: 'CI' }],
    ['phoneNumber', { phoneNumber: PHONE.rings, operator: 'ORANGE_SEN' }],
    ['country', { country: 'BJ', operator: 'ORANGE_SEN' }],
    ['country', { phoneNumber: '01 51 34 57 55', country: 'Benin' }],
  ])('is not begun with a wrong %s, which is named', async (field, payer) => {
    const { orderId, token } = await orderInFrancs(app);
    const input = { orderId, method: 'MOBILE_MONEY', ...payer };
    const refused = await app.graphql(CREATE_PAYMENT, { input }, token);
    expect(codeOf(refused)).toBe('BAD_USER_INPUT');
    expect(refused.errors![0]!.extensions.fields?.map(({ path }) => path)).toEqual([field]);
    const answer = await app.graphql(`{ order(id: "${orderId}") { paymentIntents { id } } }`, {}, token);
    expect(answer.data.order.paymentIntents).toEqual([]);
  });

  it.each(['+22549123456', '+2250', '49123456'])(
    'is of an order whose customer’s phone is not %s',
    async (phone) => {
      const { sku } = await app.addProduct();
      const mutation = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }';
      const input = { lines: [{ sku, quantity: 1 }], customer: { phone } };
      const refused = await app.graphql(mutation, { input });
      expect(codeOf(refused)).toBe('BAD_USER_INPUT');
      expect(JSON.stringify(refused.errors)).toContain('phone must be');
    },
  );

  it('shows nobody the whole number, neither in the API nor in the audit log', async () => {
    const { orderId, token } = await orderInFrancs(app);
    const { id } = await app.pay(orderId, token, { method: 'MOBILE_MONEY', phoneNumber: PHONE.rings });
    const query = `{ paymentTimeline(id: "${id}") { summary details } paymentIntent(id: "${id}") { attempts { country operator } } }`;
    const shown = JSON.stringify(await app.graphql(query, {}, app.operatorToken));
    expect(shown).toContain('BJ');
    expect(shown).not.toContain('51345755');
    const audit = JSON.stringify(await app.dataSource.query('SELECT before, after, reason FROM audit_log'));
    expect(audit).not.toContain('51345755');
    const outbox = JSON.stringify(await app.dataSource.query('SELECT payload FROM outbox_event'));
    expect(outbox).not.toContain('51345755');
  });
});
