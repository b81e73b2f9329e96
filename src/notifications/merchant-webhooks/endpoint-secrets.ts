import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Seal } from '../../seal.js';

/** What signing needs of an endpoint. */
export interface SealedSecrets {
  readonly endpointId: string;
  /** All that are valid, the present one first. */
  readonly sealedSecrets: readonly string[];
}

/** The specification asks for 24 to 64. */
const SECRET_BYTES = 32;

/** The name of the key under which secrets of endpoints are sealed. */
const PURPOSE = 'webhook endpoint secret';

/** Secrets of endpoints, which sign and so must be known, and must not be read from a copy of the database. */
export class EndpointSecrets {
  private readonly seal: Seal;

  /** @param secret the installation's secret. */
  constructor(secret: string) {
    this.seal = new Seal(secret, PURPOSE);
  }

  /** @returns the secret, to be shown once, and as it is stored. */
  make(endpointId: string): { readonly secret: string; readonly sealed: string } {
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
    return { secret, sealed: this.seal.seal(secret, endpointId) };
  }

  /**
   * The `webhook-signature` header: with the present secret, and with each earlier one while it is valid.
   * @throws when the installation's secret is another one than they were sealed with.
   */
  sign(sealed: SealedSecrets, messageId: string, at: Date, text: string): string {
    const { endpointId, sealedSecrets } = sealed;
    return sealedSecrets
      .map((one) => new Webhook(this.seal.open(one, endpointId)).sign(messageId, at, text))
      .join(' ');
  }
}
