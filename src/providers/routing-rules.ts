import { z } from 'zod';
import { isCurrency } from '../money.js';

/** Which provider takes which payments, and who comes first: data, checked at the start. */
export interface RoutingRule {
  /** A provider's name: `pawapay`, `bank-x`. */
  readonly provider: string;
  /** Where the payer is. Left out here and below: any. */
  readonly countries?: readonly string[];
  readonly currencies?: readonly string[];
  readonly methods?: readonly string[];
  readonly presentations?: readonly string[];
  /** Inclusive, in minor units; only beside exactly one currency, for an amount means nothing without one. */
  readonly minimumAmount?: number;
  readonly maximumAmount?: number;
  /** Lower comes first. */
  readonly priority: number;
  /** Among equals of one priority: twice the weight, twice the payments. */
  readonly weight: number;
}

/** For a provider that no rule names, and for a rule that leaves it out. */
export const DEFAULT_PRIORITY = 100;
export const DEFAULT_WEIGHT = 1;

const amount = z.int().min(0);
const oneOrMore = <Item extends z.ZodType>(item: Item) => z.array(item).min(1);

const RULE = z
  .strictObject({
    provider: z.string().min(1),
    countries: oneOrMore(
      z.string().regex(/^[A-Z]{2}$/, 'must be ISO 3166-1 alpha-2, such as "BJ"'),
    ).optional(),
    currencies: oneOrMore(z.string().refine(isCurrency, 'must be ISO 4217, such as "XOF"')).optional(),
    methods: oneOrMore(z.enum(['CARD', 'BANK', 'MOBILE_MONEY', 'WALLET'])).optional(),
    presentations: oneOrMore(z.enum(['EMBEDDED', 'REDIRECT', 'PHONE'])).optional(),
    minimumAmount: amount.optional(),
    maximumAmount: amount.optional(),
    priority: z.int().min(0).max(1_000_000).default(DEFAULT_PRIORITY),
    weight: z.number().positive().max(1_000_000).default(DEFAULT_WEIGHT),
  })
  .refine(
    ({ minimumAmount, maximumAmount, currencies }) =>
      (minimumAmount === undefined && maximumAmount === undefined) || currencies?.length === 1,
    'an amount needs exactly one currency beside it',
  )
  .refine(
    ({ minimumAmount = 0, maximumAmount = Infinity }) => minimumAmount <= maximumAmount,
    'minimumAmount is more than maximumAmount',
  );

/** The rules, or everything that is wrong with them. */
export type ReadRules =
  | { readonly rules: readonly RoutingRule[]; readonly faults?: undefined }
  | { readonly rules?: undefined; readonly faults: readonly string[] };

export function readRoutingRules(json: string): ReadRules {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (error) {
    return { faults: [`is not JSON: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const parsed = z.array(RULE).safeParse(document);
  if (parsed.success) return { rules: parsed.data };
  return { faults: parsed.error.issues.map(({ path, message }) => `${whereOf(path)}${message}`) };
}

/** A rule for a provider that isn't there would be a payment method that silently isn't offered. */
export function faultsOfProviders(
  rules: readonly RoutingRule[],
  providers: readonly string[],
): readonly string[] {
  return rules.flatMap(({ provider }, index) =>
    providers.includes(provider)
      ? []
      : [`rule ${index + 1}: there is no provider "${provider}"; there are ${providers.join(', ')}`],
  );
}

/** People count rules from 1. */
function whereOf([index, ...path]: readonly PropertyKey[]): string {
  if (typeof index !== 'number') return '';
  return `rule ${index + 1}${path.length > 0 ? `, ${path.join('.')}` : ''}: `;
}
