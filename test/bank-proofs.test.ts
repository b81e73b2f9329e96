import { loadConfig } from '../src/config.js';
import { createProviders } from '../src/create-providers.js';
import { startBankDouble, type BankDouble } from '../src/sandbox/bank/bank-double.js';
import {
  encodeAs,
  encodeAsForm,
  encodeAsMultipart,
  encodeWithByteOrderMark,
} from '../src/sandbox/bank/body-encodings.js';
import type { BankDialect } from '../src/sandbox/bank/dialect.js';
import { sendToken, signBody, signByStandardWebhooks } from '../src/sandbox/bank/signing-schemes.js';
import { booksOf, storedEvents, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';

const TEXT = 'a webhook secret of 32 characters';
const HEX = '00ff'.repeat(16);
const BASE64 = Buffer.from(HEX, 'hex').toString('base64');
const WHSEC = `whsec_${Buffer.from('ab'.repeat(24), 'hex').toString('base64')}`;
const TOKEN = 'a token that never changes of 40 letters';

interface Bank {
  /** Behind "a notification". */
  readonly what: string;
  readonly dialect: Partial<BankDialect>;
  readonly secret?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

const SIGNED_BODY = { SIGNED_MESSAGE: 'body', SIGNATURE_HEADER: 'X-Signature' };

const bodySigned = (write: (digest: Buffer) => string, key?: (secret: string) => Buffer) => ({
  sign: signBody({ header: 'x-signature', write, ...(key && { key }) }),
});

const hex = (digest: Buffer) => digest.toString('hex');
const base64 = (digest: Buffer) => digest.toString('base64');

/** What banks really do, each by its variables alone. */
const BANKS: readonly Bank[] = [
  {
    what: 'signed in capitals',
    variables: SIGNED_BODY,
    dialect: bodySigned((digest) => hex(digest).toUpperCase()),
  },
  {
    what: 'whose signature has a prefix that nobody told, with a space',
    variables: SIGNED_BODY,
    dialect: bodySigned((digest) => `sha256= ${hex(digest)}`),
  },
  {
    what: 'whose signature lacks the prefix that was agreed',
    variables: { ...SIGNED_BODY, SIGNATURE_PREFIX: 'sha256=' },
    dialect: bodySigned(hex),
  },
  {
    what: 'signed with the old and the new secret in one header',
    variables: SIGNED_BODY,
    dialect: bodySigned((digest) => `sha256=${'0'.repeat(64)}, sha256=${hex(digest)}`),
  },
  {
    what: 'signed in base64 without padding',
    variables: { ...SIGNED_BODY, SIGNATURE_ENCODING: 'base64' },
    dialect: bodySigned((digest) => base64(digest).replace(/=+$/, '')),
  },
  {
    what: 'signed in the base64 of URLs',
    variables: { ...SIGNED_BODY, SIGNATURE_ENCODING: 'base64' },
    dialect: bodySigned((digest) => digest.toString('base64url')),
  },
  {
    what: 'signed with a key that is given in hex',
    secret: `hex:${HEX.toUpperCase()}`,
    variables: SIGNED_BODY,
    dialect: bodySigned(hex, () => Buffer.from(HEX, 'hex')),
  },
  {
    what: 'signed with a key that is given in base64',
    secret: `base64:${BASE64}`,
    variables: SIGNED_BODY,
    dialect: bodySigned(hex, () => Buffer.from(HEX, 'hex')),
  },
  {
    what: 'signed with a secret that only looks like a key',
    secret: `text:hex:${HEX}`,
    variables: SIGNED_BODY,
    dialect: bodySigned(hex, () => Buffer.from(`hex:${HEX}`)),
  },
  {
    what: 'by Standard Webhooks',
    secret: WHSEC,
    variables: { SIGNATURE_SCHEME: 'standard-webhooks' },
    dialect: { sign: signByStandardWebhooks },
  },
  { what: 'behind a byte order mark', dialect: { encode: encodeWithByteOrderMark } },
  {
    what: 'behind a byte order mark that is not signed',
    variables: SIGNED_BODY,
    dialect: {
      encode: encodeWithByteOrderMark,
      sign: signBody({ header: 'x-signature', write: hex, withoutByteOrderMark: true }),
    },
  },
  { what: 'in a form', variables: { NOTIFICATION_FORMAT: 'form' }, dialect: { encode: encodeAsForm } },
  {
    what: 'in a multipart form',
    variables: { NOTIFICATION_FORMAT: 'multipart' },
    dialect: { encode: encodeAsMultipart },
  },
  ...['text', '', 'application/json, application/json', 'text/plain', 'nonsense;;=', null].map(
    (contentType) => ({
      what: `whose Content-Type is ${JSON.stringify(contentType)}`,
      dialect: { encode: encodeAs(contentType) },
    }),
  ),
  {
    what: 'with a token in a header',
    secret: TOKEN,
    variables: {
      SIGNATURE_SCHEME: 'token',
      SIGNATURE_HEADER: 'X-Webhook-Token',
      READ_ADDRESS: 'payments/{id}',
    },
    dialect: { sign: sendToken('x-webhook-token') },
  },
  {
    what: 'with a token as Authorization',
    secret: `${TOKEN} and another`,
    variables: {
      SIGNATURE_SCHEME: 'token',
      SIGNATURE_HEADER: 'Authorization',
      SIGNATURE_PREFIX: 'Bearer ',
      READ_ADDRESS: 'payments/{id}',
    },
    dialect: { sign: sendToken('authorization', 'Bearer ') },
  },
];

let app: RunningApp;
let doubles: BankDouble[];

const nameOf = (index: number) => `b${index}`;
/** Each needs a secret of its own. */
const secretOf = ({ secret = TEXT }: Bank, index: number) => (secret === TEXT ? `${TEXT} ${index}` : secret);

beforeAll(async () => {
  doubles = await Promise.all(
    BANKS.map((bank, index) =>
      startBankDouble({
        name: `bank-${nameOf(index)}`,
        displayName: bank.what,
        apiKey: 'key',
        webhookSecret: secretOf(bank, index),
        webhookUrl: () => `${app.url}/webhooks/bank-${nameOf(index)}`,
        firstRetryMilliseconds: 50,
        dialect: bank.dialect,
      }),
    ),
  );
  const variables = BANKS.flatMap((bank, index) =>
    Object.entries({
      URL: doubles[index]!.url.href,
      API_KEY: 'key',
      WEBHOOK_SECRETS: secretOf(bank, index),
      ...bank.variables,
    }).map(([name, value]): [string, string] => [`BANK_${nameOf(index).toUpperCase()}_${name}`, value]),
  );
  // base64: and hex: of two of them are one key, which two banks may not have in common.
  const config = BANKS.map((_, index) =>
    loadConfig({
      BANKS: nameOf(index),
      ...Object.fromEntries(
        variables.filter(([name]) => name.startsWith(`BANK_${nameOf(index).toUpperCase()}_`)),
      ),
    }),
  );
  app = await startTestApp({ providers: config.flatMap((one) => createProviders(one)) });
});
afterEach(() => expectInvariants(app.dataSource));
afterAll(async () => {
  await app.stop();
  await Promise.all(doubles.map((double) => double.stop()));
});

async function openPayment(index: number) {
  const { sku } = await app.addProduct({ unitAmount: 1_099, currency: 'EUR' });
  const { orderId, token } = await app.order(sku);
  const input = { method: 'BANK', provider: `bank-${nameOf(index)}`, returnUrl: RETURN_URL };
  const { id } = await app.pay(orderId, token, input);
  return { id, reference: `${id}-1` };
}

describe.each(BANKS.map((bank, index) => ({ ...bank, index })))('a notification $what', ({ index }) => {
  test('is believed, of a payment as of a refund', async () => {
    const double = doubles[index]!;
    const { id, reference } = await openPayment(index);
    double.pay(reference);
    await untilStatus(app, id, 'PAID');
    double.refundAtBank(reference, 99);
    await untilStatus(app, id, 'PARTIALLY_REFUNDED');
    await double.settled();
    expect(await booksOf(app, id)).toMatchObject({ captured: 1_099, refunded: 99 });
    const { sent, delivered } = double.counts().webhooks;
    expect({ sent, delivered }).toEqual({ sent: 2, delivered: 2 });
  });
});

const WITH_TOKEN = BANKS.findIndex(({ secret }) => secret === TOKEN);

/** The body as the document of a bank's integration shows it, with the token in its header. */
async function tell(token: string, body: object): Promise<number> {
  const answer = await fetch(`${app.url}/webhooks/bank-${nameOf(WITH_TOKEN)}`, {
    method: 'POST',
    headers: { 'x-webhook-token': token, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.status;
}

describe('a token in a header', () => {
  const claim = (reference: string, status = 'BOOKED') => ({
    type: 'transfer.credited',
    data: { reference, amount: 'fifteen', currency: 'EUR', status, transfer_id: 'tr_of_nobody' },
  });

  test('that is true, beside a lie, moves no money: the bank is asked, and what it says counts', async () => {
    const { id, reference } = await openPayment(WITH_TOKEN);
    expect(await tell(TOKEN, claim(reference))).toBe(200);
    await eventually(async () => {
      const events = await storedEvents(app);
      const mine = events.filter(({ payload }) => payload.includes(reference));
      expect(mine).toMatchObject([{ status: 'APPLIED', proof: 'STATIC_SECRET' }]);
    });
    expect(await booksOf(app, id)).toMatchObject({ status: 'PENDING', captured: 0 });
  });

  test('is not kept with the notification, where whoever reads it could send more', async () => {
    const { reference } = await openPayment(WITH_TOKEN);
    await tell(TOKEN, claim(reference));
    const rows = await app.dataSource.query('SELECT payload, headers FROM webhook_event');
    expect(JSON.stringify(rows)).toContain(reference);
    expect(JSON.stringify(rows)).not.toContain(TOKEN);
  });

  test.each([
    ['another', `${TOKEN}x`],
    ['none', ''],
    ['a part of it', TOKEN.slice(0, -1)],
  ])('that is %s is refused, and nothing is stored', async (_what, token) => {
    const { reference } = await openPayment(WITH_TOKEN);
    expect(await tell(token, claim(reference))).toBe(401);
    const events = await storedEvents(app);
    expect(events.filter(({ payload }) => payload.includes(reference))).toEqual([]);
  });
});

test('a signature of another body is refused, however it is spelled', async () => {
  for (const [index, { dialect }] of BANKS.entries()) {
    if (!dialect.sign || index >= WITH_TOKEN) continue;
    const { reference } = await openPayment(index);
    const message = { id: 'bevt_1', subject: reference, body: `{"about":"${reference}"}` };
    const headers = dialect.sign(message, secretOf(BANKS[index]!, index), Math.floor(Date.now() / 1_000));
    const url = `${app.url}/webhooks/bank-${nameOf(index)}`;
    const answer = await fetch(url, { method: 'POST', headers, body: `{"about":"${reference}" }` });
    expect([BANKS[index]!.what, answer.status]).toEqual([BANKS[index]!.what, 401]);
  }
});
