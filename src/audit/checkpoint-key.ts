import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Signs checkpoints of the audit log. Who has the database alone has not the secret that it is derived from. */
export class CheckpointKey {
  /** Names the key, and doesn't give it away. */
  readonly id: string;
  private readonly key: Buffer;

  /** @param secret the installation's secret. */
  constructor(secret: string) {
    this.key = derive(secret, 'audit checkpoint', 32);
    this.id = derive(secret, 'audit checkpoint key id', 6).toString('hex');
  }

  sign(head: string): string {
    return createHmac('sha256', this.key).update(head).digest('hex');
  }

  hasSigned(head: string, mac: string): boolean {
    const [expected, given] = [Buffer.from(this.sign(head)), Buffer.from(mac)];
    return expected.length === given.length && timingSafeEqual(expected, given);
  }
}

function derive(secret: string, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'quittance', purpose, bytes));
}
