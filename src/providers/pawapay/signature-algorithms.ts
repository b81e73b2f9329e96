import { constants, type KeyObject, verify } from 'node:crypto';

interface Algorithm {
  /** The key must be of the algorithm's own kind, or a sender could choose what another key is used for. */
  takes(key: KeyObject): boolean;
  verifies(base: Buffer, key: KeyObject, signature: Buffer): boolean;
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  'ecdsa-p256-sha256': ecdsa('prime256v1', 'sha256'),
  'ecdsa-p384-sha384': ecdsa('secp384r1', 'sha384'),
  'rsa-v1_5-sha256': {
    takes: isRsa,
    verifies: (base, key, signature) =>
      verify('sha256', base, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
  },
  'rsa-pss-sha512': {
    takes: (key) => isRsa(key) || key.asymmetricKeyType === 'rsa-pss',
    verifies: (base, key, signature) =>
      verify('sha512', base, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }, signature),
  },
};

/** Undefined for all but the four that pawaPay documents. */
export function algorithmOf(name: string): Algorithm | undefined {
  return Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
}

/** RFC 9421 wants r and s side by side; pawaPay's sandbox and its own sample sign in DER. */
function ecdsa(namedCurve: string, hash: string): Algorithm {
  return {
    takes: (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === namedCurve,
    verifies: (base, key, signature) =>
      verify(hash, base, { key, dsaEncoding: 'der' }, signature) ||
      verify(hash, base, { key, dsaEncoding: 'ieee-p1363' }, signature),
  };
}

function isRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa';
}
