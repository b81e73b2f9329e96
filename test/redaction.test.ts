import fc from 'fast-check';
import type { Exchange } from '../src/providers/current-call.js';
import { redactExchange } from '../src/provider-log/redact-exchange.js';

const EXCHANGE: Exchange = { method: 'POST', url: 'https://provider.example/v1/payments', milliseconds: 7 };

function redacted(request: string, url = EXCHANGE.url): string {
  return redactExchange({ ...EXCHANGE, url, request }).request!;
}

function redactedJson(document: unknown, url?: string): any {
  return JSON.parse(redacted(JSON.stringify(document), url));
}

function redactedUrl(url: string): string {
  return redactExchange({ ...EXCHANGE, url }).url;
}

/** Whatever is not asked for stays out, so that nothing appears that was not decided. */
test('an exchange keeps its method, status, duration and error', () => {
  const exchange = { ...EXCHANGE, status: 502, error: 'TIMEOUT' };
  expect(redactExchange(exchange)).toEqual(exchange);
});

describe('of a link, whoever follows it acts as the payer, so only the host is kept', () => {
  test.each([
    [
      'to Stripe’s payment page',
      { url: 'https://checkout.stripe.com/c/pay/cs_test_a1B2#fidkdWxOYHwnPyd1blpxYHZxWjA0' },
    ],
    [
      'to a subscription’s invoice',
      { hosted_invoice_url: 'https://invoice.stripe.com/i/acct_1/test_YWNjdF8x?s=ap' },
    ],
    ['to its file', { invoice_pdf: 'https://pay.stripe.com/invoice/acct_1/test_YWNjdF8x/pdf?s=ap' }],
    [
      'to a receipt',
      { charges: { data: [{ receipt_url: 'https://pay.stripe.com/receipts/payment/CAcaFwo' }] } },
    ],
    [
      'to a card’s 3-D Secure',
      { next_action: { redirect_to_url: { url: 'https://hooks.stripe.com/3d_secure/a?x=1' } } },
    ],
    ['back to the shop', { return_url: 'https://shop.example/orders/42?session=s3cr3t' }],
    ['to PayDunya’s page', { response_text: 'https://paydunya.com/checkout/invoice/wYd0s1' }],
    ['to its receipt', { receipt_url: 'https://paydunya.com/checkout/receipt/pdf/wYd0s1.pdf' }],
    ['to pawaPay’s page', { redirectUrl: 'https://paywith.pawapay.io/?session=abc' }],
    ['to a bank’s page', { payment_url: 'http://bank.example:8080/pay/p1' }],
    ['in the midst of a sentence', { message: 'Send the payer to https://bank.example/pay/p1, please.' }],
    ['with a password', { url: 'https://user:pass@bank.example/pay/p1' }],
    [
      'that stands in JSON as a text',
      { custom_data: JSON.stringify({ link: 'https://bank.example/pay/p1' }) },
    ],
  ])('%s', (_what, document) => {
    const kept = redacted(JSON.stringify(document));
    expect(kept).toMatch(/https?:\/\/[\w.-]+(?::\d+)?\/\[removed\]/);
    expect(kept).not.toMatch(/cs_test|YWNjdF8x|CAcaFwo|3d_secure|s3cr3t|wYd0s1|session|p1|pass@/);
  });

  test('also in a form, and in JSON that was broken off', () => {
    expect(redacted('success_url=https%3A%2F%2Fshop.example%2Fthanks%3Forder%3D1&mode=payment')).toBe(
      'success_url=https://shop.example/[removed]&mode=payment',
    );
    expect(redacted('{"checkout":"https:\\/\\/bank.example\\/pay\\/p1","a')).toBe(
      '{"checkout":"https://bank.example/[removed]","a',
    );
  });

  test('but not of one that explains an error, nor of a host alone', () => {
    const document = {
      doc_url: 'https://stripe.com/docs/error-codes/resource-missing',
      site: 'https://shop.example',
    };
    expect(redactedJson(document)).toEqual(document);
    expect(redactedJson({ message: 'See https://docs.pawapay.io/v2/docs.' })).toEqual({
      message: 'See https://docs.pawapay.io/v2/docs.',
    });
  });
});

describe('what each provider says', () => {
  test('of Stripe', () => {
    expect(
      redactedJson({
        id: 'pi_3SIMexample0001',
        amount: 250000,
        currency: 'eur',
        status: 'requires_payment_method',
        client_secret: 'pi_3SIMexample0001_secret_abc',
        customer: 'cus_9',
        metadata: { attempt: 'TXN-01JABCDEFGHJKMNPQRSTVWXYZ0-1' },
        last_payment_error: {
          code: 'card_declined',
          decline_code: 'insufficient_funds',
          message: 'Your card has insufficient funds.',
        },
        billing_details: {
          name: 'Awa Diop',
          email: 'awa.diop@example.test',
          phone: '+221771234567',
          address: { line1: '1 rue de la Paix', city: 'Dakar' },
        },
        card: { last4: '4242', exp_month: 12, exp_year: 2030, brand: 'visa', checks: { cvc_check: 'pass' } },
      }),
    ).toEqual({
      id: 'pi_3SIMexample0001',
      amount: 250000,
      currency: 'eur',
      status: 'requires_payment_method',
      client_secret: '[removed]',
      customer: 'cus_9',
      metadata: { attempt: 'TXN-01JABCDEFGHJKMNPQRSTVWXYZ0-1' },
      last_payment_error: {
        code: 'card_declined',
        decline_code: 'insufficient_funds',
        message: 'Your card has insufficient funds.',
      },
      billing_details: {
        name: 'A. D.',
        email: 'a•••@example.test',
        phone: '+•••••••••567',
        address: '[removed]',
      },
      card: {
        last4: '4242',
        exp_month: '[removed]',
        exp_year: '[removed]',
        brand: 'visa',
        checks: { cvc_check: 'pass' },
      },
    });
    expect(
      redacted(
        'amount=1099&currency=eur&metadata[attempt]=TXN-1-1&customer_email=awa%40example.test&billing_details[name]=Awa%20Diop&key=sk_live_51H',
      ),
    ).toBe(
      'amount=1099&currency=eur&metadata[attempt]=TXN-1-1&customer_email=a•••@example.test&billing_details[name]=A. D.&key=[removed]',
    );
  });

  test('of PayDunya, where a token is the id of an invoice', () => {
    const url = 'https://app.paydunya.com/api/v1/checkout-invoice/create';
    const answer = {
      response_code: '00',
      response_text: 'https://app.paydunya.com/sandbox-checkout/invoice/test_AbC123',
      description: 'Checkout Invoice Created',
      token: 'test_AbC123',
      hash: '1f242d13fca84cf537ff47cd47971de7',
    };
    expect(redactedJson(answer, url)).toEqual({
      ...answer,
      // The page where it is paid.
      response_text: 'https://app.paydunya.com/[removed]',
      hash: '[removed]',
    });
    const softpay = 'https://app.paydunya.com/api/v1/softpay/wave-senegal';
    expect(
      redactedJson(
        {
          wave_senegal_fullName: 'Awa Diop',
          wave_senegal_email: 'awa@example.test',
          wave_senegal_phone: '771234567',
          wave_senegal_payment_token: 'test_AbC123',
          access_token: 'abc',
          orange_money_ci_otp: 1234,
        },
        softpay,
      ),
    ).toEqual({
      wave_senegal_fullName: 'A. D.',
      wave_senegal_email: 'a•••@example.test',
      wave_senegal_phone: '••••••567',
      wave_senegal_payment_token: 'test_AbC123',
      access_token: '[removed]',
      orange_money_ci_otp: '[removed]',
    });
    expect(redactedUrl('https://app.paydunya.com/api/v1/checkout-invoice/confirm/test_AbC123')).toMatch(
      /\/confirm\/test_AbC123$/,
    );
    expect(
      redacted('data%5Bhash%5D=1f242d13&data%5Bcustomer%5D%5Bname%5D=Awa+Diop&data%5Bstatus%5D=completed'),
    ).toBe('data[hash]=[removed]&data[customer][name]=A. D.&data[status]=completed');
  });

  test('of pawaPay', () => {
    expect(
      redactedJson({
        depositId: '89171345-4791-4285-8416-624246982424',
        status: 'REJECTED',
        amount: '15000.00',
        country: 'BEN',
        payer: {
          type: 'MMO',
          accountDetails: { phoneNumber: '22951345789', provider: 'MTN_MOMO_BEN', value: '22951345789' },
        },
        preAuthorisationCode: '123456',
        created: '2026-10-30T10:15:30Z',
        authorizationUrl: 'https://pay.wave.com/c/cos-1',
        redirectUrl: 'https://sandbox.paywith.pawapay.io/v2?token=abc.def&lang=fr',
        failureReason: {
          failureCode: 'PAYER_NOT_FOUND',
          failureMessage: 'The number 22951345789 has no wallet; 15000000 XOF were not taken',
        },
        pinPrompt: 'AUTOMATIC',
        clientReferenceId: 'TXN-1-1',
      }),
    ).toEqual({
      depositId: '89171345-4791-4285-8416-624246982424',
      status: 'REJECTED',
      amount: '15000.00',
      country: 'BEN',
      payer: {
        type: 'MMO',
        accountDetails: { phoneNumber: '••••••••789', provider: 'MTN_MOMO_BEN', value: '••••••••789' },
      },
      preAuthorisationCode: '[removed]',
      created: '2026-10-30T10:15:30Z',
      authorizationUrl: 'https://pay.wave.com/[removed]',
      redirectUrl: 'https://sandbox.paywith.pawapay.io/[removed]',
      failureReason: {
        failureCode: 'PAYER_NOT_FOUND',
        failureMessage: 'The number ••••••••789 has no wallet; 15000000 XOF were not taken',
      },
      pinPrompt: 'AUTOMATIC',
      clientReferenceId: 'TXN-1-1',
    });
  });

  test('of a bank', () => {
    expect(
      redactedJson({
        id: 'bpay_7',
        reference: 'TXN-1042-1',
        refunds: [{ reference: 'RFD-7' }],
        debtor: { name: 'A. DIOP', iban: 'SN08SN0100152000048500003035', iban_last4: '3035' },
        debtorName: 'Awa Diop',
      }),
    ).toEqual({
      id: 'bpay_7',
      reference: 'TXN-1042-1',
      refunds: [{ reference: 'RFD-7' }],
      debtor: { name: 'A. D.', iban: '••••3035', iban_last4: '3035' },
      debtorName: 'A. D.',
    });
  });

  test('of a proxy, which answers in no form that we know', () => {
    const page =
      '<p>Bad gateway for awa@example.test, api_key="sk live", Bearer abcdef.123, +229 51 34 57 89</p>';
    expect(redacted(page)).toBe(
      '<p>Bad gateway for a•••@example.test, api_key="[removed]", Bearer [removed], +••• •• •• •7 89</p>',
    );
    const brokenOff =
      '{"customer_name": "Awa Diop", "client_secret": "pi_1_secret_x", "text": "{\\"otp\\":\\"12';
    expect(redacted(brokenOff)).toBe(
      '{"customer_name": "A. D.", "client_secret": "[removed]", "text": "{\\"otp\\":\\"[removed]',
    );
  });
});

test('what is secret or personal goes out of URLs too', () => {
  expect(redactedUrl('https://user:password@bank.example/pay/1?api_key=abc&phone=22951345789&page=2')).toBe(
    'https://[removed]@bank.example/pay/1?api_key=[removed]&phone=••••••••789&page=2',
  );
});

test('a body that is too long is cut, and says so', () => {
  const rows = Array.from({ length: 20_000 }, (_, row) => ({ row, text: 'something' }));
  const body = JSON.stringify(rows);
  const kept = redacted(body);
  expect(kept).toMatch(new RegExp(`^\\[\\{"row":0,.*… \\[cut, of ${body.length} characters\\]$`));
  expect(kept.length).toBeLessThan(4_200);
});

test('no part of a card number survives where a long text is cut', () => {
  for (let place = 8_170; place < 8_200; place += 1) {
    const text = `${'x '.repeat(place / 2)}4242 4242 4242 4242`;
    expect(redacted(text)).not.toContain('4242 4');
  }
});

// ------------------------------------------------------------------------------------------------------------------

const SECRET_KEYS = [
  'secret', 'client_secret', 'clientSecret', 'webhook-secret', 'token', 'access_token', 'refreshToken', 'TOKEN',
  'key', 'api_key', 'apiKey', 'apikey', 'private_key', 'PAYDUNYA-MASTER-KEY', 'authorization', 'Authorization',
  'password', 'passwd', 'customerPassword', 'pin', 'pin_code', 'cvv', 'cvc', 'card_cvv', 'cvv2', 'hash', 'data_hash',
  'signature', 'X-Signature', 'otp', 'otp_code', 'orange_money_ci_otp', 'authorization_code', 'preAuthorisationCode',
  'credentials', 'jwt', 'card_expired_date_year', 'exp_month',
] as const; // prettier-ignore

const PLAIN_KEYS = [
  'amount',
  'status',
  'code',
  'data',
  'items',
  'failureMessage',
  'reference',
  'id',
  'customer',
  'payer',
];

/** Nothing in it looks like anything but itself. */
const secretText = fc.stringMatching(/^Z[a-z]{12,30}Q$/);
const plainKey = fc.constantFrom(...PLAIN_KEYS);
const anyKey = fc.oneof(plainKey, fc.string({ maxLength: 12 }));
const anyText = fc.string({ unit: 'binary', maxLength: 60 });

/** A way down into a document, and so the document with something at its end. */
const place = fc.array(
  fc.oneof(
    anyKey.map((key) => ({ key })),
    fc.nat({ max: 3 }),
  ),
  { maxLength: 8 },
);
type Place = typeof place extends fc.Arbitrary<infer Way> ? Way : never;

function planted(way: Place, value: unknown): unknown {
  return way.reduceRight<unknown>((inner, step) => {
    if (typeof step === 'number') return [...Array<number>(step).fill(1), inner, 'after'];
    return Object.fromEntries([
      ['before', 1],
      [step.key, inner],
      ['after', 'x'],
    ]);
  }, value);
}

/** The same in every form in which a provider may say it. */
const FORMS: readonly ((document: unknown) => string)[] = [
  (document) => JSON.stringify(document),
  (document) => JSON.stringify(document, null, 2),
  (document) => JSON.stringify({ data: JSON.stringify(document) }),
  (document) => new URLSearchParams({ data: JSON.stringify(document) }).toString(),
  (document) => `Error: ${JSON.stringify(document)}`,
  (document) => `${JSON.stringify(document)}, "cut": "of`,
];
const form = fc.constantFrom(...FORMS);

/** Valid by Luhn's test, of 13 to 19 digits. */
const cardNumber = fc.stringMatching(/^[2-9]\d{11,17}$/).map((digits) => {
  const check = Array.from({ length: 10 }, (_, digit) => `${digits}${digit}`);
  return check.find((candidate) => luhnSum(candidate) % 10 === 0)!;
});

function luhnSum(digits: string): number {
  return [...digits].reverse().reduce((sum, character, index) => {
    const doubled = Number(character) * (index % 2 === 0 ? 1 : 2);
    return sum + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
}

function digitsOf(text: string): string {
  return text.replace(/[^\d•]/g, '');
}

describe('whatever the body', () => {
  test('a secret under a key that means one does not survive, however deep', () => {
    fc.assert(
      fc.property(
        place,
        fc.constantFrom(...SECRET_KEYS),
        place,
        secretText,
        form,
        (way, key, below, secret, write) => {
          const document = planted(
            [...way, { key }, ...below.filter((step) => typeof step === 'object')],
            secret,
          );
          expect(redacted(write(document))).not.toContain(secret);
        },
      ),
    );
  });

  test('nor in a form, with its brackets encoded or not', () => {
    fc.assert(
      fc.property(
        fc.array(plainKey, { minLength: 1, maxLength: 4 }), fc.constantFrom(...SECRET_KEYS), secretText, fc.boolean(),
        ([first, ...rest], key, secret, isEncoded) => {
          const path = `${first}${[...rest, key].map((name) => `[${name}]`).join('')}`;
          const name = isEncoded ? encodeURIComponent(path) : path;
          const body = `amount=15000&${name}=${secret}&${key}=${secret}&status=pending`;
          expect(redacted(body)).not.toContain(secret);
          expect(redacted(body)).toMatch(/^amount=15000&.*&status=pending$/);
        },
      ), // prettier-ignore
    );
  });

  test('of a card number no more than the last four digits survive, under any key and in any text', () => {
    const groups = fc.constantFrom('', ' ', '-');
    fc.assert(
      fc.property(
        place,
        cardNumber,
        groups,
        anyText,
        anyText,
        form,
        (way, card, separator, before, after, write) => {
          const grouped = card.replace(/\d{4}(?=\d)/g, `$&${separator}`);
          const value = `${before.replace(/\d/g, '#')}${grouped}${after.replace(/\d/g, '#')}`;
          const kept = redacted(write(planted(way, value)));
          expect(kept).not.toContain(grouped);
          expect(digitsOf(kept)).not.toContain(card.slice(-5));
        },
      ),
    );
  });

  test('nor as a number', () => {
    fc.assert(
      fc.property(place, cardNumber, (way, card) => {
        // Its digits, as they stand in the document.
        const body = JSON.stringify(planted(way, 'CARD')).replace('"CARD"', card);
        expect(redacted(body)).not.toContain(card.slice(0, -4));
      }),
    );
  });

  test('of an e-mail address the name does not survive', () => {
    const name = fc.stringMatching(/^[a-z]{3}[a-z0-9.+_-]{2,12}[a-z]$/);
    fc.assert(
      fc.property(place, name, anyText, form, (way, local, before, write) => {
        const kept = redacted(write(planted(way, `${before} ${local}@example.test`)));
        expect(kept).not.toContain(`${local}@`);
      }),
    );
  });

  test('of a phone number under its key no more than the last three digits survive', () => {
    const key = fc.constantFrom(
      'phoneNumber',
      'phone',
      'customermsisdn',
      'mobile',
      'mtn_benin_phone_number',
      'phone_bf',
    );
    fc.assert(
      fc.property(
        place,
        key,
        fc.stringMatching(/^[1-9]\d{7,14}$/),
        fc.boolean(),
        form,
        (way, name, phone, isNumber, write) => {
          const kept = redacted(write(planted([...way, { key: name }], isNumber ? Number(phone) : phone)));
          expect(kept).not.toContain(phone.slice(0, -3));
        },
      ),
    );
  });

  test('what an operator needs survives as it was', () => {
    const needed = fc.record({
      id: fc.oneof(
        fc.uuid(),
        fc.stringMatching(/^pi_[A-Za-z]{4}[A-Za-z0-9]{6}$/),
        fc.stringMatching(/^(TXN|RFD)-[0-9A-HJKMNP-TV-Z]{12}[A-H]{2}[0-9A-HJKMNP-TV-Z]{12}(-[1-9])?$/),
      ),
      amount: fc.oneof(fc.integer({ min: 0, max: 999_999_999_999 }), fc.integer({ min: 0 }).map(String)),
      currency: fc.constantFrom('XOF', 'EUR'),
      status: fc.constantFrom('COMPLETED', 'requires_action'),
      failureCode: fc.constantFrom('PAYMENT_NOT_APPROVED', 'card_declined', '1001', 1001),
      failureMessage: fc.constantFrom(
        'The payer did not approve.',
        'Solde insuffisant : rechargez, puis réessayez.',
      ),
      isFinal: fc.boolean(),
      created_at: fc.constantFrom('2026-10-30T10:15:30.123Z', 1793355330, 1793355330123),
    });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('data', 'object', 'payment', 'refunds'), { maxLength: 4 }),
        needed,
        (way, document) => {
          const whole = planted(
            way.map((key) => ({ key })),
            document,
          );
          expect(redactedJson(whole)).toEqual(whole);
        },
      ),
    );
  });

  test('it can be stored, and is no longer than it may be', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyText, fc.json(), fc.string({ unit: 'binary', minLength: 4_000, maxLength: 10_000 })),
        (body) => {
          const kept = redacted(`${body}\0\ud800`);
          expect(kept).not.toContain('\0');
          expect(kept.length).toBeLessThan(4_200);
          expect(Buffer.from(kept).toString()).toBe(kept);
        },
      ),
    );
  });

  test('it takes little time, even of what was made to take long', () => {
    const bodies = ['['.repeat(500_000), '{"a":'.repeat(100_000), 'a='.repeat(500_000), 'a'.repeat(1_000_000), ' 1'.repeat(500_000),
      '@'.repeat(1_000_000), '"'.repeat(1_000_000), `{"secret" ${' '.repeat(1_000_000)}`, 'eyJ'.repeat(300_000), '+1 '.repeat(300_000)]; // prettier-ignore
    for (const body of bodies) {
      const began = performance.now();
      redacted(body);
      expect(performance.now() - began).toBeLessThan(500);
    }
  });
});
