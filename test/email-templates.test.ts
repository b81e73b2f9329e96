import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { spokenIn } from '../src/notifications/email/email-language.js';
import { EMAIL_TEMPLATES } from '../src/notifications/email/email-template.js';
import {
  EmailTemplatesError,
  readEmailTemplates,
  type EmailTemplates,
} from '../src/notifications/email/email-templates.js';
import { emailVariables, endpointVariables } from '../src/notifications/email/email-variables.js';
import type { EmailFacts } from '../src/notifications/email/email-facts.js';
import { nameToGreet } from '../src/notifications/email/payers-words.js';
import { SAMPLE_ENDPOINT, SAMPLE_FACTS } from '../src/notifications/email/sample-variables.js';

const SHOP = { name: 'Chez Awa', address: 'orders@shop.example', timeZone: 'Africa/Porto-Novo' };
const LINK = {
  url: 'https://shop.example/checkout#order=ORD-1&token=secret',
  expiresAt: new Date('2026-03-15T15:09:26Z'),
};

const NOTHING_SAID: EmailFacts = {
  ...SAMPLE_FACTS,
  currency: 'XOF',
  order: {
    ...SAMPLE_FACTS.order,
    number: null,
    customer: { name: null, email: null },
    booking: null,
  },
  payment: { ...SAMPLE_FACTS.payment, refundedAmount: 0, failureCode: null, failureMessage: null },
  received: 0,
  givenBack: 0,
};
const HOSTILE = '<script>alert(1)</script>\r\nBcc: victim@else.example {{ shop.name }} {% if %}';
const HOSTILE_TEXTS: EmailFacts = {
  ...SAMPLE_FACTS,
  order: {
    ...SAMPLE_FACTS.order,
    number: HOSTILE,
    customer: { name: '<b onclick="x">Awa & co', email: '"<b>"@customer.example' },
    lines: [{ name: HOSTILE, quantity: 1, unitAmount: 7_990 }],
  },
  payment: { ...SAMPLE_FACTS.payment, failureMessage: HOSTILE },
  dispute: { ...SAMPLE_FACTS.dispute!, reason: HOSTILE, respondBy: null },
};
const REASONS = [
  'PAID_WITHOUT_STOCK',
  'PAID_WITHOUT_BOOKING',
  'ORDER_CANCELLED',
  'ORDER_ALREADY_PAID',
  'CAPTURED_TWICE',
];
const SHAPES: Readonly<Record<string, EmailFacts>> = {
  'everything said': SAMPLE_FACTS,
  'nothing said that need not be': NOTHING_SAID,
  'hostile texts': HOSTILE_TEXTS,
  'all of it refunded': { ...SAMPLE_FACTS, payment: { ...SAMPLE_FACTS.payment, refundedAmount: 7_990 } },
  ...Object.fromEntries(
    REASONS.map((failureCode) => [
      failureCode,
      { ...SAMPLE_FACTS, payment: { ...SAMPLE_FACTS.payment, failureCode } },
    ]),
  ),
};

let templates: EmailTemplates;
beforeAll(async () => {
  templates = await readEmailTemplates();
});

const ABOUT_ORDERS = EMAIL_TEMPLATES.filter(
  (template) => template !== 'ENDPOINT_DISABLED' && template !== 'NOTIFICATION_UNREADABLE',
);

const all = ['en', 'fr'].flatMap((locale) =>
  ABOUT_ORDERS.flatMap((template) => Object.keys(SHAPES).map((shape) => [locale, template, shape] as const)),
);

test.each(all)('%s %s can be written with %s', async (locale, template, shape) => {
  for (const link of [LINK, null]) {
    const facts = SHAPES[shape]!;
    // A dispute is told of only where there is one.
    const written = await templates.write(template, emailVariables(facts, locale, SHOP, link));
    expect(written.subject).toMatch(/^[^\r\n]{5,}$/);
    const plain = [written.subject, written.text, written.html].map((text) =>
      text.replaceAll('{{ shop.name }} {% if %}', ''),
    );
    for (const part of plain)
      expect(part.replace(/<style>.*<\/style>/s, '')).not.toMatch(/[{}]|undefined|null|NaN|\[object/);
    expect(written.html).not.toMatch(/<script|<b onclick/);
    expect(written.html).toMatch(/^<!doctype html>/);
    expect(written.text).not.toMatch(/\n{3,}|<\/?p|&lt;|&#/);
  }
});

test.each([
  ['en', 'GONE', 'answered 410', 'since 9 March 2026 at 16:09 GMT+1'],
  ['en', 'FAILING', 'nothing could be delivered to it', 'since 9 March 2026 at 16:09 GMT+1'],
  ['fr', 'GONE', 'a répondu 410', 'depuis le 9 mars 2026 à 16:09 UTC+1'],
  ['fr', 'FAILING', 'rien n’a pu lui être livré', 'depuis le 9 mars 2026 à 16:09 UTC+1'],
] as const)(
  '%s: an endpoint that was disabled (%s) is told with why, since when, and how to enable it',
  async (language, reason, why, since) => {
    const facts = { endpoint: { ...SAMPLE_ENDPOINT.endpoint, reason } };
    const variables = endpointVariables(facts, language === 'en' ? 'en-GB' : 'fr-BJ', SHOP);
    const { subject, text, html } = await templates.write('ENDPOINT_DISABLED', variables);
    expect(subject).toContain('https://backend.example/webhooks');
    for (const body of [text, html]) {
      expect(body).toContain(why);
      expect(body).toContain(since);
      expect(body).toContain('{ id: "WHE-00000000000000000000000000", enabled: true }');
      expect(body).not.toMatch(/undefined|null|\[object| · $/m);
    }
    expect(html).toMatch(/>Chez Awa<\/td>\s+<\/tr>\s+<\/table>/);
  },
);

test('a text of a payer’s or a backend’s is shown as it is: neither as markup, nor as a template', async () => {
  const variables = emailVariables(HOSTILE_TEXTS, 'en', SHOP, null);
  const { subject, text, html } = await templates.write('ORDER_CONFIRMED', variables);
  const shown = '<script>alert(1)</script> Bcc: victim@else.example {{ shop.name }} {% if %}';
  expect(subject).toBe(`Order ${shown} is confirmed`);
  expect(text).toContain(`1 × ${shown}: €79.90`);
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; Bcc: victim@else.example {{ shop.name }}');
  // What is no name is not repeated.
  expect(html).not.toContain('onclick');
});

test.each([
  ['Awa Diop', 'Awa Diop'],
  ['  J. R.\tSmith\n', 'J. R. Smith'],
  ['Zoë', 'Zoë'],
  ['Mme.Koné', 'Mme. Koné'],
  ["Jean-Pierre N'Guessan", "Jean-Pierre N'Guessan"],
  ['O’Brien', 'O’Brien'],
  ['Nguyễn Văn A', 'Nguyễn Văn A'],
  ["Charles d'Artagnan", "Charles d'Artagnan"],
  ['Ludwig van Beethoven', 'Ludwig van Beethoven'],
  ['MAMADOU DIALLO', 'MAMADOU DIALLO'],
  ['أحمد', 'أحمد'],
  ['ቴዎድሮስ', 'ቴዎድሮስ'],
  ['Ольга Иванова', 'Ольга Иванова'],
  ['山田 太郎', '山田 太郎'],
  ['김철수', '김철수'],
  ['Evil.Com', 'Evil. Com'],
  ['You won! https://evil.example/prize', null],
  ['Claim at evil.example', null],
  ['www.evil', null],
  ['write to me@evil.example', null],
  ['secure-pay2.com', null],
  ['evil．example', null],
  ['evil。example', null],
  ['evilꞏexample', null],
  ['pay.me', null],
  ['evil.com', null],
  ['Click here: evil.com', null],
  ['Call 07 12 34 56 78', null],
  ['You won a prize today', null],
  ['Your payment failed', null],
  ['Аwa', null],
  ['Bob <b>', null],
  ['xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', null],
  ['Hello\nBcc: victim', null],
  ['...', null],
  ['-', null],
  ["d''Artagnan", null],
  ['', null],
  ['\u202Enoitcurtsni\u202C', null],
  [null, null],
])('who calls themselves %j is greeted as %j', (name, greeted) => {
  expect(nameToGreet(name)).toBe(greeted);
});

test.each([
  ['fr', 'fr', 'fr'],
  ['fr-BJ', 'fr', 'fr-BJ'],
  ['fr_CA', 'fr', 'fr-CA'],
  ['FR', 'fr', 'FR'],
  ['en-GB', 'en', 'en-GB'],
  ['de', 'en', 'en'],
  ['frr', 'en', 'en'],
  ['fr-!', 'fr', 'fr'],
  ['', 'en', 'en'],
])('an order in %j is written about in %s, with the numbers and dates of %s', (given, language, locale) => {
  expect(spokenIn(given)).toEqual({ language, locale });
});

test.each([
  ['en-GB', 'EUR', 'Total: €79.90', '14 March 2026 at 16:09 GMT+1.'],
  ['en-US', 'EUR', 'Total: €79.90', 'March 14, 2026 at 4:09 PM GMT+1.'],
  ['fr-BJ', 'XOF', 'Total : 7 990 F CFA', '14 mars 2026 à 16:09 UTC+1.'],
  ['fr-FR', 'EUR', 'Total : 79,90 €', '14 mars 2026 à 16:09 UTC+1.'],
] as const)(
  '%s: amounts of %s and times of the shop’s zone are written as people there do',
  async (locale, currency, total, time) => {
    const variables = emailVariables({ ...SAMPLE_FACTS, currency }, locale, SHOP, null);
    const { text } = await templates.write('ORDER_CONFIRMED', variables);
    expect(text.replace(/[\u00a0\u202f]/g, ' ')).toContain(total);
    expect(text).toContain(time);
  },
);

test.each([
  ['Europe/Paris', '2026-01-10T08:00:00Z', '10 January 2026 at 09:00 CET', '10 janvier 2026 à 09:00 UTC+1'],
  ['Europe/Paris', '2026-07-10T08:00:00Z', '10 July 2026 at 10:00 CEST', '10 juillet 2026 à 10:00 UTC+2'],
  ['Africa/Abidjan', '2026-07-10T08:00:00Z', '10 July 2026 at 08:00 GMT', '10 juillet 2026 à 08:00 UTC+0'],
  ['Indian/Reunion', '2026-07-10T08:00:00Z', '10 July 2026 at 12:00 GMT+4', '10 juillet 2026 à 12:00 UTC+4'],
])(
  'every time says its zone to whoever travels: %s in %s, summer or winter',
  (timeZone, at, english, french) => {
    const dispute = { ...SAMPLE_FACTS.dispute!, respondBy: at };
    const booking = { ...SAMPLE_FACTS.order.booking!, startsAt: at, endsAt: at };
    const order = { ...SAMPLE_FACTS.order, createdAt: at, booking };
    const facts: EmailFacts = { ...SAMPLE_FACTS, occurredAt: at, order, dispute };
    for (const [locale, expected] of [
      ['en-GB', english],
      ['fr-FR', french],
    ] as const) {
      const link = { ...LINK, expiresAt: new Date(at) };
      const said = emailVariables(facts, locale, { ...SHOP, timeZone }, link);
      const { starts_at, ends_at } = said.order.booking!;
      const times = [said.order.date, said.payment.date, starts_at, ends_at];
      for (const time of [...times, said.link!.expires_at, said.dispute!.respond_by])
        expect(time).toBe(expected);
    }
  },
);

test('an e-mail that asks for a payment has the link in both its forms, and says how without one', async () => {
  for (const locale of ['en', 'fr']) {
    for (const template of ['PAYMENT_FAILED', 'PAYMENT_REMINDER'] as const) {
      const withLink = await templates.write(template, emailVariables(SAMPLE_FACTS, locale, SHOP, LINK));
      expect(withLink.text).toContain(`\n${LINK.url}\n`);
      expect(withLink.html).toContain(`href="${LINK.url.replace('&', '&amp;')}"`);
      const without = await templates.write(template, emailVariables(SAMPLE_FACTS, locale, SHOP, null));
      expect(without.html).not.toContain('href');
      expect(without.text).toMatch(/T1-26-00001\./);
    }
  }
});

describe('a shop’s own templates', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quittance-templates-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const put = async (file: string, text: string) => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  };
  const faults = () =>
    readEmailTemplates(folder).then(
      () => [],
      (error: unknown) => {
        if (error instanceof EmailTemplatesError) return error.faults;
        throw error;
      },
    );

  test('replace ours file by file', async () => {
    await put('fr/order-confirmed.subject.liquid', 'Merci {{ customer.name }} !');
    const own = await readEmailTemplates(folder);
    const french = await own.write('ORDER_CONFIRMED', emailVariables(SAMPLE_FACTS, 'fr', SHOP, null));
    expect(french.subject).toBe('Merci Awa Diop !');
    expect(french.text).toContain('nous avons bien reçu votre paiement');
    const english = await own.write('ORDER_CONFIRMED', emailVariables(SAMPLE_FACTS, 'en', SHOP, null));
    expect(english.subject).toBe('Order T1-26-00001 is confirmed');
  });

  test('may replace the layout of all, and have parts of their own', async () => {
    await put(
      'partials/layout.html.liquid',
      '<html>{% render "partials/logo.liquid" %}{% block content %}{% endblock %}</html>',
    );
    await put('partials/logo.liquid', '<img alt="Chez Awa">');
    const own = await readEmailTemplates(folder);
    const { html } = await own.write('REFUND_MADE', emailVariables(SAMPLE_FACTS, 'en', SHOP, null));
    expect(html).toMatch(/^<html><img alt="Chez Awa">/);
    expect(html).toContain('€15.00');
  });

  test('are refused when the server starts, every faulty file by its name', async () => {
    await put('en/order-confirmed.html.liquid', '{% if customer.name %}never closed');
    await put('fr/order-confirmed.text.liquid', '{{ order.total | prettily }}');
    await put('fr/refund-made.subject.liquid', '{{ ordr.number }}');
    await put('en/refund-made.text.liquid', '{% render "partials/nothing.liquid" %}');
    await put('en/refund-made.subject.liquid', ' \n');
    await put('en/order-confirmd.html.liquid', 'Thanks');
    await put('de/order-confirmed.html.liquid', 'Danke');
    expect((await faults()).map((fault) => fault.replaceAll(folder, '')).sort()).toEqual([
      expect.stringMatching(/"partials\/nothing.liquid".*en\/refund-made.text.liquid/),
      'de/order-confirmed.html.liquid: no e-mail has this file',
      'en/order-confirmd.html.liquid: no e-mail has this file',
      'en/refund-made.subject.liquid: it says nothing',
      expect.stringMatching(/^fr\/refund-made.subject.liquid: undefined variable: ordr/),
      expect.stringMatching(/not closed, file:en\/order-confirmed.html.liquid/),
      expect.stringMatching(/undefined filter: prettily, file:fr\/order-confirmed.text.liquid/),
    ]);
  });

  test('can’t read other files, nor run anything', async () => {
    await put('en/order-confirmed.text.liquid', '{% render "../../../../../../etc/passwd" %}');
    expect(await faults()).toEqual([expect.stringContaining('en/order-confirmed.text.liquid')]);
    await put(
      'en/order-confirmed.text.liquid',
      'a{{ order.constructor }}{{ order.__proto__.constructor.name }}',
    );
    expect(await faults()).toEqual([expect.stringContaining('undefined variable')]);
  });

  test('in a folder that is not there are a fault', async () => {
    await rm(folder, { recursive: true });
    expect(await faults()).toEqual([`${folder} can't be read (ENOENT)`]);
    await mkdir(folder);
  });
});
