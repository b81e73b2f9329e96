import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { httpbis } from 'http-message-signatures';
import { KeptAnswer } from '../src/providers/pawapay/kept-answer.js';
import type { PawaPayProviderOptions } from '../src/providers/pawapay/pawapay-options.js';
import { createPawaPayProvider } from '../src/providers/pawapay/pawapay-provider.js';
import { findPublicKey } from '../src/providers/pawapay/public-keys.js';
import type { NotificationHeaders, ParsedNotification, Provider } from '../src/providers/provider.js';

const ADDRESS = new URL('https://api.shop.test/webhooks/pawapay');
const BODY = Buffer.from(
  JSON.stringify({
    depositId: '8917c345-4791-4285-a416-62f24b6982db',
    status: 'COMPLETED',
    amount: '15000.00',
    currency: 'XOF',
    metadata: { attempt: 'TXN-1042-1' },
  }),
);
const NOW = new Date('2026-10-30T10:15:30.123Z');
const NOW_SECONDS = Math.floor(NOW.getTime() / 1000);

interface Signer {
  readonly alg: string;
  readonly keyId: string;
  readonly publicKey: KeyObject;
  sign(base: Buffer): Buffer;
}

type Encoding = 'der' | 'ieee-p1363';

function ellipticSigner(namedCurve: string, alg: string, hash: string, dsaEncoding: Encoding): Signer {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return { alg, keyId: `${namedCurve}:1`, publicKey, sign: (base) => sign(hash, base, { key, dsaEncoding }) };
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

const SIGNERS: Readonly<Record<string, Signer>> = {
  'P-256 in DER': ellipticSigner('prime256v1', 'ecdsa-p256-sha256', 'sha256', 'der'),
  'P-256 in P1363 (G16)': ellipticSigner('prime256v1', 'ecdsa-p256-sha256', 'sha256', 'ieee-p1363'),
  'P-384 in DER': ellipticSigner('secp384r1', 'ecdsa-p384-sha384', 'sha384', 'der'),
  'P-384 in P1363 (G16)': ellipticSigner('secp384r1', 'ecdsa-p384-sha384', 'sha384', 'ieee-p1363'),
  'RSA PKCS#1 v1.5': {
    alg: 'rsa-v1_5-sha256',
    keyId: 'rsa:1',
    publicKey: rsa.publicKey,
    sign: (base) => sign('sha256', base, rsa.privateKey),
  },
  'RSA PSS': {
    alg: 'rsa-pss-sha512',
    keyId: 'rsa:1',
    publicKey: rsa.publicKey,
    sign: (base) =>
      sign('sha512', base, {
        key: rsa.privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 64,
      }),
  },
};

const FIRST = SIGNERS['P-256 in DER'] as Signer;
const NAMES = Object.keys(SIGNERS);
const signerOf = (name: string) => SIGNERS[name] as Signer;

const COMPONENTS = ['@method', '@authority', '@path', 'signature-date', 'content-digest', 'content-type'];

interface Wish {
  readonly body?: Buffer;
  readonly label?: string;
  readonly components?: readonly string[];
  readonly authority?: string;
  readonly path?: string;
  /** Instead of those of NOW. */
  readonly times?: string;
  readonly alg?: string;
  readonly keyId?: string;
  readonly contentType?: string;
  readonly digest?: string;
  readonly more?: Readonly<Record<string, string>>;
}

const digestOf = (body: Buffer, algorithm: 'sha-512' | 'sha-256' = 'sha-512') =>
  `${algorithm}=:${createHash(algorithm.replace('-', '')).update(body).digest('base64')}:`;

/** As the vendor documents it, written down once more: the adapter's own code is not asked. */
function signed(signer: Signer, wish: Wish = {}): Record<string, string> {
  const { label = 'sig-pp', components = COMPONENTS } = wish;
  const headers: Record<string, string> = {
    'content-type': wish.contentType ?? 'application/json',
    'content-digest': wish.digest ?? digestOf(wish.body ?? BODY),
    'signature-date': NOW.toISOString(),
    ...wish.more,
  };
  const values: Record<string, string | undefined> = {
    '@method': 'POST',
    '@authority': wish.authority ?? 'api.shop.test',
    '@path': wish.path ?? '/webhooks/pawapay',
    ...headers,
  };
  const times = wish.times ?? `created=${NOW_SECONDS};expires=${NOW_SECONDS + 60}`;
  const list = components.map((name) => `"${name}"`).join(' ');
  const parameters = `(${list});alg="${wish.alg ?? signer.alg}";keyid="${wish.keyId ?? signer.keyId}";${times}`;
  const lines = components.map((name) => `"${name}": ${values[name]}`);
  const base = [...lines, `"@signature-params": ${parameters}`].join('\n');
  return {
    ...headers,
    'signature-input': `${label}=${parameters}`,
    signature: `${label}=:${signer.sign(Buffer.from(base)).toString('base64')}:`,
  };
}

const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

/** What pawaPay answers when it is asked for its keys. */
let answer: { status: number; body: string };
let keyRequests: number;
let server: Server;

const publish = (...keys: { id: string; key: string }[]) =>
  (answer = { status: 200, body: JSON.stringify(keys) });
const publishKeyOf = (...signers: Signer[]) =>
  publish(...signers.map(({ keyId, publicKey }) => ({ id: keyId, key: pemOf(publicKey) })));

beforeEach(async () => {
  keyRequests = 0;
  server = createServer((request, response) => {
    if (request.url === '/v2/public-key/http') keyRequests += 1;
    response.writeHead(request.url === '/v2/public-key/http' ? answer.status : 599).end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  publishKeyOf(FIRST);
});

afterEach(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

const provider = (options: Partial<PawaPayProviderOptions> = {}): Provider =>
  createPawaPayProvider({
    token: 'token',
    baseUrl: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    notificationUrl: ADDRESS,
    timeoutMilliseconds: 500,
    ...options,
  });

const parse = async (by: Provider, headers: NotificationHeaders, body: Buffer = BODY, receivedAt = NOW) =>
  by.parseNotification(body, headers, receivedAt);

const SIGNED = { verdict: 'accepted', proof: 'SIGNED', type: 'deposit.completed' };
const HINT = { ...SIGNED, proof: 'NONE' };
const INVALID = { verdict: 'refused', reason: 'SIGNATURE_INVALID' };
const TOO_OLD = { verdict: 'refused', reason: 'TOO_OLD' };

describe('a signed callback', () => {
  it.each(NAMES)('is proven by %s', async (name) => {
    publishKeyOf(signerOf(name));
    expect(await parse(provider(), signed(signerOf(name)))).toMatchObject(SIGNED);
  });

  it('is proven when an independent library has signed it', async () => {
    const { keyId, alg, sign: signBase } = FIRST;
    const message = {
      method: 'POST',
      url: ADDRESS,
      headers: {
        'content-type': 'application/json',
        'content-digest': digestOf(BODY),
        'signature-date': NOW.toISOString(),
      },
    };
    const { headers } = await httpbis.signMessage(
      {
        key: { id: keyId, alg, sign: (base) => Promise.resolve(signBase(base)) },
        name: 'sig-pp',
        fields: COMPONENTS,
        params: ['alg', 'keyid', 'created', 'expires'],
        paramValues: { created: NOW, expires: new Date(NOW.getTime() + 60_000) },
      },
      message,
    );
    expect(await parse(provider(), headers)).toMatchObject(SIGNED);
  });

  it('may come with header names in any case, and with another label', async () => {
    const headers = Object.entries(signed(FIRST, { label: 'other' }));
    const upper = Object.fromEntries(headers.map(([name, value]) => [name.toUpperCase(), value]));
    expect(await parse(provider(), upper)).toMatchObject(SIGNED);
  });

  it('is proven with a content type as it was received, whatever it is (G16)', async () => {
    const headers = signed(FIRST, { contentType: 'application/json; charset=UTF-8' });
    expect(await parse(provider(), headers)).toMatchObject(SIGNED);
    const tidied = { ...headers, 'content-type': 'application/json' };
    expect(await parse(provider(), tidied)).toMatchObject(INVALID);
  });

  it('may leave the content type unsigned, and sign more', async () => {
    const components = [...COMPONENTS.slice(0, 5), 'x-request-id'];
    const headers = signed(FIRST, { components, more: { 'x-request-id': '7' } });
    expect(await parse(provider(), headers)).toMatchObject(SIGNED);
    expect(await parse(provider(), { ...headers, 'x-request-id': '8' })).toMatchObject(INVALID);
    expect(await parse(provider(), { ...headers, 'x-request-id': undefined })).toMatchObject(INVALID);
  });

  it('may carry its digest by SHA-256, or by both', async () => {
    const both = `${digestOf(BODY)}, ${digestOf(BODY, 'sha-256')}`;
    for (const digest of [digestOf(BODY, 'sha-256'), both, `${digestOf(BODY)}, unixsum=:AAA=:`]) {
      expect(await parse(provider(), signed(FIRST, { digest }))).toMatchObject(SIGNED);
    }
  });

  it('is for our public address, with its port unless that goes without saying', async () => {
    const notificationUrl = () => new URL('https://API.shop.test:8443/w?from=pawapay');
    const by = provider({ notificationUrl });
    const right = { authority: 'api.shop.test:8443', path: '/w' };
    expect(await parse(by, signed(FIRST, right))).toMatchObject(SIGNED);
    for (const wrong of [
      { authority: 'api.shop.test' },
      { path: '/w?from=pawapay' },
      { authority: 'evil.test' },
    ]) {
      const headers = { ...signed(FIRST, { ...right, ...wrong }), host: wrong.authority ?? 'api.shop.test' };
      expect(await parse(by, headers)).toMatchObject(INVALID);
    }
  });

  it('keeps the headers of its signature, and no others', () => {
    expect([...provider().notificationHeaders].sort()).toEqual(Object.keys(signed(FIRST)).sort());
  });
});

describe('when one byte is changed', () => {
  const flip = (bytes: Buffer, at: number, by = 1): Buffer => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ by;
    return changed;
  };

  it.each(NAMES)('anywhere in the body, a callback signed by %s is refused', async (name) => {
    publishKeyOf(signerOf(name));
    const by = provider();
    const headers = signed(signerOf(name));
    for (let at = 0; at < BODY.length; at += 1) {
      expect(await parse(by, headers, flip(BODY, at))).toMatchObject(INVALID);
    }
    for (const body of [BODY.subarray(1), Buffer.concat([BODY, Buffer.from(' ')]), Buffer.alloc(0)]) {
      expect(await parse(by, headers, body)).toMatchObject(INVALID);
    }
  });

  it.each(NAMES)('anywhere in a header, a callback signed by %s is refused', async (name) => {
    publishKeyOf(signerOf(name));
    const by = provider();
    const headers = signed(signerOf(name));
    for (const [header, value] of Object.entries(headers)) {
      const bytes = Buffer.from(value, 'latin1');
      for (let at = 0; at < bytes.length; at += 1) {
        for (const bits of [1, 4, 32, 128]) {
          const changed = { ...headers, [header]: flip(bytes, at, bits).toString('latin1') };
          expect([header, at, bits, (await parse(by, changed)).verdict]).toEqual([
            header,
            at,
            bits,
            'refused',
          ]);
        }
      }
    }
  });

  it.each(NAMES)('anywhere in the key, a callback signed by %s is refused', async (name) => {
    const signer = signerOf(name);
    const headers = signed(signer);
    const der = signer.publicKey.export({ type: 'spki', format: 'der' });
    for (let at = 0; at < der.length; at += 1) {
      const changed = flip(der, at);
      if (isKey(changed, signer.publicKey)) continue;
      const base64 = changed.toString('base64').replace(/.{64}/g, '$&\n');
      publish({
        id: signer.keyId,
        key: `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`,
      });
      expect(await parse(provider(), headers)).toMatchObject(INVALID);
    }
  });

  /** A few bits of the encoding mean nothing, and then it is the same key still. */
  function isKey(der: Buffer, key: KeyObject): boolean {
    try {
      return createPublicKey({ key: der, type: 'spki', format: 'der' }).equals(key);
    } catch {
      return false;
    }
  }

  it('never makes the reader throw, whatever the headers are', async () => {
    const by = provider();
    const headers = signed(FIRST);
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '',
        'sig-pp=',
        'sig-pp=()',
        'sig-pp=::',
        'sig-pp=("@method";req)',
        'a=1, b=2',
        'sig-pp=:AA==:',
      ),
      fc.array(fc.string(), { maxLength: 3 }),
      fc.constant(undefined),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(headers)), value, async (header, changed) => {
        if (changed === headers[header]) return;
        const { verdict } = await parse(by, { ...headers, [header]: changed });
        expect(verdict).toBe('refused');
      }),
    );
  });
});

describe('a signature that proves nothing', () => {
  it.each(COMPONENTS.slice(0, 5))('leaves %s open, and is refused', async (missing) => {
    const components = COMPONENTS.filter((name) => name !== missing);
    expect(await parse(provider(), signed(FIRST, { components }))).toMatchObject(INVALID);
  });

  it.each([
    ['a component twice', { components: [...COMPONENTS, '@method'] }],
    ['a component that we can’t tell', { components: [...COMPONENTS, '@query'] }],
    ['an algorithm that pawaPay does not use', { alg: 'hmac-sha256' }],
    ['an algorithm by the name of what objects inherit', { alg: 'constructor' }],
    ['the algorithm of another key', { alg: 'ecdsa-p384-sha384' }],
    ['the algorithm of another kind of key', { alg: 'rsa-v1_5-sha256' }],
    ['a key that pawaPay does not have', { keyId: 'mine:1' }],
    ['a digest of a kind that we can’t make', { digest: 'md5=:AAAA:' }],
    [
      'a right digest and a wrong one',
      { digest: `${digestOf(BODY)}, ${digestOf(Buffer.from('x'), 'sha-256')}` },
    ],
    ['no time', { times: 'nonce="7"' }],
    ['a time that is a text', { times: `created="${NOW_SECONDS}"` }],
    ['an end that is a text', { times: `created=${NOW_SECONDS};expires="never"` }],
  ] as const)('has %s, and is refused', async (_what, wish) => {
    expect(await parse(provider(), signed(FIRST, wish))).toMatchObject(INVALID);
  });

  it('is of an RSA key used as if it were an elliptic one, and is refused', async () => {
    const signer = { ...signerOf('RSA PKCS#1 v1.5'), alg: 'ecdsa-p256-sha256' };
    publishKeyOf(signer);
    expect(await parse(provider(), signed(signer))).toMatchObject(INVALID);
  });

  it.each(['signature', 'signature-input', 'content-digest', 'signature-date'])(
    'comes without %s, and is refused rather than taken for a hint',
    async (missing) => {
      const { [missing]: _left, ...others } = signed(FIRST);
      expect(await parse(provider(), others)).toMatchObject(INVALID);
    },
  );

  it('comes twice, and is refused, since nobody says which is meant', async () => {
    const headers = signed(FIRST);
    for (const name of ['signature', 'signature-input']) {
      const other = headers[name]?.replace('sig-pp', 'sig-b') ?? '';
      for (const twice of [`${headers[name]}, ${other}`, [headers[name] ?? '', other]]) {
        expect(await parse(provider(), { ...headers, [name]: twice })).toMatchObject(INVALID);
      }
    }
  });

  it('has another spelling of the same bytes, and is taken: the bytes are the proof', async () => {
    const headers = signed(FIRST);
    const signature = headers['signature'] ?? '';
    const digest = (headers['content-digest'] ?? '').replace('sha-', 'SHA-');
    for (const other of [
      { signature: `${signature};a=1` },
      { signature: ` ${signature}` },
      { 'signature-input': ` ${headers['signature-input']} ` },
    ]) {
      expect(await parse(provider(), { ...headers, ...other })).toMatchObject({
        verdict: 'accepted',
        proof: 'SIGNED',
      });
    }
    // It is signed itself, so another spelling of it is another text.
    expect(await parse(provider(), { ...headers, 'content-digest': digest })).toMatchObject(INVALID);
  });

  it('is of the body of another callback, and is refused', async () => {
    const other = Buffer.from(BODY.toString().replace('15000.00', '25000.00'));
    const headers = { ...signed(FIRST), 'content-digest': digestOf(other) };
    expect(await parse(provider(), headers, other)).toMatchObject(INVALID);
  });
});

describe('the age of a signature', () => {
  const at = (seconds: number) => new Date(NOW_SECONDS * 1000 + seconds * 1000);

  it.each([
    [-60, SIGNED],
    [-61, TOO_OLD],
    [0, SIGNED],
    [120, SIGNED],
    [121, TOO_OLD],
    [24 * 3600, TOO_OLD],
  ])('when it comes %d seconds after it was made', async (seconds, expected) => {
    expect(await parse(provider(), signed(FIRST), BODY, at(seconds))).toMatchObject(expected);
  });

  it('ends a minute after it was made when it doesn’t say when', async () => {
    const headers = signed(FIRST, { times: `created=${NOW_SECONDS}` });
    expect(await parse(provider(), headers, BODY, at(120))).toMatchObject(SIGNED);
    expect(await parse(provider(), headers, BODY, at(121))).toMatchObject(TOO_OLD);
  });
});

describe('pawaPay’s public keys', () => {
  const second: Signer = { ...signerOf('P-384 in DER'), keyId: 'second:1' };

  it('are asked for once, even by many at once, and kept', async () => {
    const by = provider();
    await Promise.all(Array.from({ length: 5 }, () => parse(by, signed(FIRST))));
    await parse(by, signed(FIRST));
    expect(keyRequests).toBe(1);
  });

  it('are not asked for when nothing is signed, or what is signed can’t be right', async () => {
    const by = provider();
    await parse(by, {});
    await parse(by, signed(FIRST), Buffer.from('{}'));
    await parse(by, signed(FIRST), BODY, new Date(NOW.getTime() + 3_600_000));
    expect(keyRequests).toBe(0);
  });

  it('are not asked for again and again by whoever makes ids up', async () => {
    const by = provider();
    for (const keyId of ['a', 'b', 'c']) {
      expect(await parse(by, signed(FIRST, { keyId }))).toMatchObject(INVALID);
    }
    expect(keyRequests).toBe(1);
  });

  it('are asked for again at most once a minute for a new id, and once an hour for a known one', async () => {
    let now = 0;
    let fetched = 0;
    const kept = new KeptAnswer(
      () => {
        fetched += 1;
        return Promise.resolve(new Map([[`key:${fetched}`, FIRST.publicKey]]));
      },
      () => now,
    );
    expect(await findPublicKey(kept, 'key:1')).toBeDefined();
    expect(await findPublicKey(kept, 'key:2')).toBeUndefined();
    now = 59_000;
    expect(await findPublicKey(kept, 'key:2')).toBeUndefined();
    now = 61_000;
    expect(await findPublicKey(kept, 'key:2')).toBeDefined();
    expect(fetched).toBe(2);
    now += 3_601_000;
    expect(await findPublicKey(kept, 'key:2')).toBeUndefined();
    expect(fetched).toBe(3);
  });

  it('may be several, of which one can’t be read', async () => {
    publish(
      { id: 'broken', key: 'no key' },
      { id: FIRST.keyId, key: pemOf(FIRST.publicKey) },
      { id: second.keyId, key: pemOf(second.publicKey) },
    );
    const by = provider();
    expect(await parse(by, signed(FIRST))).toMatchObject(SIGNED);
    expect(await parse(by, signed(second))).toMatchObject(SIGNED);
    expect(await parse(by, signed(FIRST, { keyId: 'broken' }))).toMatchObject(INVALID);
    expect(await parse(by, signed(FIRST, { keyId: second.keyId }))).toMatchObject(INVALID);
  });

  it('of an emptied account prove nothing', async () => {
    publish();
    expect(await parse(provider(), signed(FIRST))).toMatchObject(INVALID);
  });

  it.each([
    [500, '{}'],
    [401, JSON.stringify({ failureReason: { failureCode: 'AUTHENTICATION_ERROR' } })],
    [200, 'no JSON'],
    [200, '{}'],
  ])(
    'that can’t be had (%d, %s) leave a hint, or nothing where signatures are required',
    async (status, body) => {
      answer = { status, body };
      const by = provider();
      expect(await parse(by, signed(FIRST))).toMatchObject(HINT);
      expect(await parse(provider({ requireSignatures: true }), signed(FIRST))).toMatchObject(INVALID);
      publishKeyOf(FIRST);
      expect(await parse(by, signed(FIRST))).toMatchObject(SIGNED);
    },
  );

  it('that can’t be had make no hint of what is wrong in itself', async () => {
    answer = { status: 500, body: '' };
    const by = provider();
    const headers = signed(FIRST);
    expect(await parse(by, headers, Buffer.from('{}'))).toMatchObject(INVALID);
    expect(await parse(by, { ...headers, signature: 'sig-pp=:AA==' })).toMatchObject(INVALID);
    expect(await parse(by, signed(FIRST, { alg: 'hmac-sha256' }))).toMatchObject(INVALID);
    expect(await parse(by, headers, BODY, new Date(NOW.getTime() + 3_600_000))).toMatchObject(TOO_OLD);
  });

  it('are of no use without our own address: what is signed is a hint then', async () => {
    expect(await parse(provider({ notificationUrl: undefined }), signed(FIRST))).toMatchObject(HINT);
  });
});

describe('where signatures are required', () => {
  it('a callback is proven, or refused', async () => {
    const by = provider({ requireSignatures: true });
    expect(await parse(by, signed(FIRST))).toMatchObject(SIGNED);
    const unsigned: ParsedNotification = await parse(by, { 'content-type': 'application/json' });
    expect(unsigned).toMatchObject({ verdict: 'refused', reason: 'SIGNATURE_MISSING' });
  });

  it.each(['hello', '[]', 'null', '{}'])('one that says %j is malformed, for it is genuine', async (text) => {
    const body = Buffer.from(text);
    const by = provider({ requireSignatures: true });
    expect(await parse(by, signed(FIRST, { body }), body)).toMatchObject({
      verdict: 'malformed',
      keep: { proof: 'SIGNED', mayBeOurs: true },
    });
  });

  it('one that says paid and can’t be read is kept by the payment that it names', async () => {
    const metadata = { attempt: 'TXN-01K8Q5Z7M3N9P2R4S6T8V0W1X2-1' };
    const deposit = { depositId: 'd1', status: 'COMPLETED', amount: '15,000', currency: 'XOF', metadata };
    const body = Buffer.from(JSON.stringify(deposit));
    const by = provider({ requireSignatures: true });
    expect(await parse(by, signed(FIRST, { body }), body)).toMatchObject({
      verdict: 'malformed',
      keep: {
        about: { providerReference: 'd1', attemptReference: metadata.attempt },
        claims: 'PAYMENT',
        mayBeOurs: true,
        type: 'deposit.completed',
      },
    });
  });
});
