import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signBytes,
} from 'node:crypto';

export type SignatureAlgorithm =
  'ecdsa-p256-sha256' | 'ecdsa-p384-sha384' | 'rsa-v1_5-sha256' | 'rsa-pss-sha512';

export interface CallbackSigning {
  readonly algorithm: SignatureAlgorithm;
  /** Of an ECDSA signature. `der`, as seen in the wild; `ieee-p1363`, as RFC 9421 says. */
  readonly encoding?: 'der' | 'ieee-p1363';
}

/** How a callback that nobody of pawaPay's sent differs from one of theirs. RIGHT: not at all. */
export const FORGED_SIGNATURES = [
  'RIGHT',
  'NONE',
  'WRONG',
  'UNKNOWN_KEY',
  'STALE',
  'OF_ANOTHER_BODY',
] as const;

export type ForgedSignature = (typeof FORGED_SIGNATURES)[number];

interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicPem: string;
}

const COVERED = ['@method', '@authority', '@path', 'signature-date', 'content-digest', 'content-type'];
const LIFETIME_SECONDS = 60;
const STALE_MILLISECONDS = 60 * 60 * 1000;

interface Family {
  readonly keyName: string;
  readonly hash: string;
  readonly generate: () => { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
}

const RSA_BITS = 2048;

const FAMILIES: Readonly<Record<SignatureAlgorithm, Family>> = {
  'ecdsa-p256-sha256': {
    keyName: 'HTTP_EC_P256_KEY',
    hash: 'sha256',
    generate: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  },
  'ecdsa-p384-sha384': {
    keyName: 'HTTP_EC_P384_KEY',
    hash: 'sha384',
    generate: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  },
  'rsa-v1_5-sha256': {
    keyName: 'HTTP_RSA_KEY',
    hash: 'sha256',
    generate: () => generateKeyPairSync('rsa', { modulusLength: RSA_BITS }),
  },
  'rsa-pss-sha512': {
    keyName: 'HTTP_RSA_PSS_KEY',
    hash: 'sha512',
    generate: () => generateKeyPairSync('rsa', { modulusLength: RSA_BITS }),
  },
};

/** Signs callbacks as in providers.md D.7: RFC 9421 over the digest of RFC 9530. */
export class CallbackSigner {
  readonly #signing: CallbackSigning;
  #key: SigningKey;
  #published: readonly SigningKey[];
  #keysInAll = 1;

  constructor(signing: CallbackSigning) {
    this.#signing = signing;
    this.#key = generateKey(signing.algorithm, this.#keysInAll);
    this.#published = [this.#key];
  }

  /** What the merchant verifies with. */
  publicKeys(): { id: string; key: string }[] {
    return this.#published.map(({ id, publicPem }) => ({ id, key: publicPem }));
  }

  /** A new key from now on, with a new id. The old one is no longer published. */
  rotate(): void {
    this.#keysInAll += 1;
    this.#key = generateKey(this.#signing.algorithm, this.#keysInAll);
    this.#published = [this.#key];
  }

  headers(url: URL, body: string, now: Date, forged: ForgedSignature = 'RIGHT'): Record<string, string> {
    if (forged === 'NONE') return {};
    const at = forged === 'STALE' ? new Date(now.getTime() - STALE_MILLISECONDS) : now;
    const signed = {
      'content-digest': digestOf(forged === 'OF_ANOTHER_BODY' ? `${body} ` : body),
      'signature-date': at.toISOString(),
      'content-type': 'application/json',
    };
    const key = forged === 'UNKNOWN_KEY' ? generateKey(this.#signing.algorithm, 999) : this.#key;
    const parameters = this.#parameters(key, at);
    const base = baseOf({
      '@method': 'POST',
      '@authority': authorityOf(url),
      '@path': url.pathname,
      ...signed,
    });
    const signature = this.#sign(key, forged === 'WRONG' ? randomBytes(64) : `${base}${parameters}`);
    return {
      ...signed,
      'signature-input': `sig-pp=${parameters}`,
      signature: `sig-pp=:${signature.toString('base64')}:`,
    };
  }

  #parameters({ id }: SigningKey, at: Date): string {
    const created = Math.floor(at.getTime() / 1000);
    const covered = COVERED.map((component) => `"${component}"`).join(' ');
    const expires = created + LIFETIME_SECONDS;
    return `(${covered});alg="${this.#signing.algorithm}";keyid="${id}";created=${created};expires=${expires}`;
  }

  #sign({ privateKey }: SigningKey, message: string | Buffer): Buffer {
    const { algorithm, encoding = 'der' } = this.#signing;
    const { hash } = FAMILIES[algorithm];
    const bytes = Buffer.from(message);
    if (algorithm === 'rsa-v1_5-sha256') return signBytes(hash, bytes, privateKey);
    if (algorithm === 'rsa-pss-sha512') {
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 };
      return signBytes(hash, bytes, { key: privateKey, ...padding });
    }
    return signBytes(hash, bytes, { key: privateKey, dsaEncoding: encoding });
  }
}

function generateKey(algorithm: SignatureAlgorithm, number: number): SigningKey {
  const { keyName, generate } = FAMILIES[algorithm];
  const { privateKey, publicKey } = generate();
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { id: `${keyName}:${number}`, privateKey, publicPem };
}

function digestOf(body: string): string {
  return `sha-512=:${createHash('sha512').update(body).digest('base64')}:`;
}

/** All of the signature base but the end of its last line. */
function baseOf(values: Readonly<Record<string, string>>): string {
  const lines = COVERED.map((component) => `"${component}": ${values[component] ?? ''}\n`);
  return `${lines.join('')}"@signature-params": `;
}

/** Lower case, and without the port that goes without saying: a `URL` keeps it so. */
function authorityOf(url: URL): string {
  return url.host;
}
