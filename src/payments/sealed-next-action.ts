import type { NextAction } from '../providers/provider.js';
import { Seal } from '../seal.js';

/**
 * What a payer does next can hold a client secret, with which anybody could act on the payment. A copy of the database
 * must not be enough to do so: it is stored encrypted, bound to its attempt.
 */
export class NextActionSeal {
  private readonly text: Seal;

  /** @param secret the installation's secret. */
  constructor(secret: string) {
    this.text = new Seal(secret, 'next action seal');
  }

  seal(nextAction: NextAction, attemptId: string): string {
    return this.text.seal(JSON.stringify(nextAction), attemptId);
  }

  /** @throws when it was sealed with another secret or for another attempt, or was altered. */
  open(sealedText: string, attemptId: string): NextAction {
    return JSON.parse(this.text.open(sealedText, attemptId), asDate) as NextAction;
  }
}

function asDate(name: string, value: unknown): unknown {
  return name === 'expiresAt' && typeof value === 'string' ? new Date(value) : value;
}
