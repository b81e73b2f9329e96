/** Which Stripe account this installation works with, and in which mode. */
export interface StripeOwner {
  /** `acct_…`. Undefined: no event that names an account or a context is ours. */
  readonly account?: string;
  /** That of our secret key. Undefined for a key that doesn't say: then the mode of an event proves nothing. */
  readonly mode?: StripeMode;
}

export type StripeMode = 'live' | 'test';

/** `sk_` secret, `rk_` restricted, `sk_org_` of an organisation. */
export function modeOfKey(secretKey: string): StripeMode | undefined {
  const [, mode] = /^(?:sk|rk)_(?:org_)?(live|test)_/.exec(secretKey) ?? [];
  return mode as StripeMode | undefined;
}

/** What an event says of where it happened. */
export interface EventOrigin {
  /** The connected account, for an endpoint of a Connect platform. */
  readonly account?: string | null | undefined;
  /** The account, for an endpoint of an organisation; with a platform and its connected account, a path of the two. */
  readonly context?: string | null | undefined;
  readonly livemode?: boolean | undefined;
}

/** Why an event belongs to another account or mode. Undefined: nothing speaks against it. */
export function whyNotOurs(
  { account, context, livemode }: EventOrigin,
  own: StripeOwner,
): string | undefined {
  const foreign = [account, context].find((named) => named && accountOf(named) !== own.account);
  if (foreign) {
    const hint = own.account === undefined ? ' (STRIPE_ACCOUNT says which account is ours)' : '';
    return `it is of another Stripe account, ${foreign}${hint}`;
  }
  if (own.mode === undefined || livemode === undefined || livemode === (own.mode === 'live'))
    return undefined;
  return `it is of the ${livemode ? 'live' : 'test'} mode, and our key is of the ${own.mode} mode`;
}

function accountOf(path: string): string | undefined {
  return path.split('/').at(-1);
}
