import { createHash } from 'node:crypto';
import type { Currency } from '../money.js';
import { type AmountObstacleCode, whyAmountNot } from './amount-limits.js';
import type { CaptureMethod, Country, OfferedWay, OperatorAvailability, Provider } from './provider.js';
import { DEFAULT_PRIORITY, DEFAULT_WEIGHT, type RoutingRule } from './routing-rules.js';

/** How the providers are doing at this moment. */
export interface ProvidersAtWork {
  /** Whether its circuit for beginning payments lets calls through. */
  isTaking(provider: string): boolean;
  /** As last heard; empty where the provider doesn't say. */
  operatorsOf(provider: string): readonly OperatorAvailability[];
}

export interface Routing {
  readonly rules: readonly RoutingRule[];
  readonly health: ProvidersAtWork;
}

export interface PaymentToRoute {
  /** The order's: the same order gets the same choice among equals, each time it asks. */
  readonly reference: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
  readonly captureMethod: CaptureMethod;
  /** Where the payer is, once that is known. */
  readonly country?: Country;
}

export type WhyNotCode =
  | 'CURRENCY_NOT_TAKEN'
  | 'ORDER_LIMITS'
  | AmountObstacleCode
  | 'COUNTRY_NOT_SERVED'
  | 'HOLDING_NOT_POSSIBLE'
  | 'NO_RULE_FITS'
  | 'PROVIDER_DOWN'
  | 'OPERATORS_CLOSED';

/** Why a way to pay is not open to a payment. */
export interface WhyNot {
  readonly code: WhyNotCode;
  /** For operators. */
  readonly message: string;
  /** It may be otherwise in a moment. */
  readonly passing: boolean;
}

/** One way to pay at one provider, open to a payment or not. */
export interface Route {
  readonly provider: Provider;
  readonly way: OfferedWay;
  /** Empty: it is open. */
  readonly whyNot: readonly WhyNot[];
}

interface RankedRoute extends Route {
  readonly priority: number;
  readonly isHealthy: boolean;
  /** Smaller is earlier, among equals. */
  readonly draw: number;
  readonly order: number;
}

/**
 * Every way to pay, the best first: by priority; then those that are well before those that are not; then by weight.
 * What isn't open stands where it would stand if it were.
 */
export function routesOf(
  providers: ReadonlyMap<string, Provider>,
  routing: Routing,
  payment: PaymentToRoute,
): Route[] {
  const ranked = [...providers.values()].flatMap((provider, index) =>
    provider.capabilities.ways.map((way) => rank(routing, payment, provider, way, index)),
  );
  return ranked.sort(compare);
}

function compare(a: RankedRoute, b: RankedRoute): number {
  return (
    a.priority - b.priority ||
    Number(b.isHealthy) - Number(a.isHealthy) ||
    a.draw - b.draw ||
    a.order - b.order
  );
}

function rank(
  routing: Routing,
  payment: PaymentToRoute,
  provider: Provider,
  way: OfferedWay,
  order: number,
): RankedRoute {
  const { rules, health } = routing;
  const own = rules.filter((rule) => rule.provider === provider.name);
  // The first that fits counts, so that a special case can stand before the general one.
  const rule = own.find((candidate) => fitsRule(candidate, way, payment));
  const { priority = DEFAULT_PRIORITY, weight = DEFAULT_WEIGHT } = rule ?? {};
  const whyNot = [
    ...whyProviderNot(provider, payment),
    ...whyWayNot(way, payment),
    ...(own.length > 0 && !rule ? [noRuleFits(own)] : []),
    ...whyNotNow(provider, way, health, payment),
  ];
  const isHealthy = !whyNot.some(({ passing }) => passing);
  const equals = rules.length === 0;
  // Without rules the order in which providers are configured is the order in which they are offered.
  const draw = equals ? 0 : drawOf(payment.reference, provider.name, weight);
  return { provider, way, whyNot, priority, isHealthy, draw, order };
}

function fitsRule(rule: RoutingRule, way: OfferedWay, payment: PaymentToRoute): boolean {
  const { countries, currencies, methods, presentations, minimumAmount, maximumAmount } = rule;
  return (
    // A payer whose country isn't known yet is shown what there is; it is judged once they have said it.
    (!countries || payment.country === undefined || countries.includes(payment.country)) &&
    (!currencies || currencies.includes(payment.currency)) &&
    (!methods || methods.includes(way.method)) &&
    (!presentations || presentations.includes(way.presentation)) &&
    (minimumAmount === undefined || payment.amount >= minimumAmount) &&
    (maximumAmount === undefined || payment.amount <= maximumAmount)
  );
}

function whyProviderNot(
  { name, capabilities, capture }: Provider,
  { amount, currency, captureMethod }: PaymentToRoute,
): WhyNot[] {
  if (captureMethod === 'MANUAL' && !capture) {
    return [lasting('HOLDING_NOT_POSSIBLE', `${name} takes money at once, and can’t hold it.`)];
  }
  if (capabilities.currencies !== 'ANY' && !capabilities.currencies.includes(currency)) {
    return [lasting('CURRENCY_NOT_TAKEN', `${name} doesn’t take ${currency}.`)];
  }
  const obstacle = whyAmountNot({ name, capabilities }, amount, currency);
  return obstacle ? [lasting(obstacle.code, obstacle.message)] : [];
}

function whyWayNot({ countries }: OfferedWay, { country, currency }: PaymentToRoute): WhyNot[] {
  if (!countries) return [];
  const served = Object.keys(countries).join(', ');
  if (country === undefined) {
    const isTakenSomewhere = Object.values(countries).some((currencies) => currencies.includes(currency));
    return isTakenSomewhere
      ? []
      : [lasting('CURRENCY_NOT_TAKEN', `${currency} is taken in none of ${served}.`)];
  }
  const currencies = Object.hasOwn(countries, country) ? countries[country] : undefined;
  if (!currencies) {
    return [lasting('COUNTRY_NOT_SERVED', `It serves payers in ${served}, and this one is in ${country}.`)];
  }
  if (currencies.includes(currency)) return [];
  return [lasting('CURRENCY_NOT_TAKEN', `In ${country} it takes ${currencies.join(', ')}, not ${currency}.`)];
}

function noRuleFits(own: readonly RoutingRule[]): WhyNot {
  return lasting('NO_RULE_FITS', `None of its ${own.length} routing rules fits this payment.`);
}

function whyNotNow(
  { name }: Provider,
  way: OfferedWay,
  health: ProvidersAtWork,
  { country }: PaymentToRoute,
): WhyNot[] {
  if (!health.isTaking(name)) {
    return [
      passing('PROVIDER_DOWN', `${name} has failed several times in a row and is left alone for a moment.`),
    ];
  }
  const operators = health
    .operatorsOf(name)
    .filter((operator) => country === undefined || operator.country === country);
  const isMobileMoney = way.method === 'MOBILE_MONEY';
  if (isMobileMoney && operators.length > 0 && operators.every(({ status }) => status === 'CLOSED')) {
    return [
      passing(
        'OPERATORS_CLOSED',
        `${name} says that ${operators.map(({ name: who }) => who).join(', ')} take nothing now.`,
      ),
    ];
  }
  return [];
}

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar's, with weights after Schindelhauer and Schomaker): each provider
 * draws for itself, so that one more or less changes nothing between the others.
 */
function drawOf(reference: string, provider: string, weight: number): number {
  const digest = createHash('sha256').update(`${reference}\n${provider}`).digest();
  const uniform = (digest.readUIntBE(0, 6) + 1) / (2 ** 48 + 1);
  return -Math.log(uniform) / weight;
}

function lasting(code: WhyNotCode, message: string): WhyNot {
  return { code, message, passing: false };
}

function passing(code: WhyNotCode, message: string): WhyNot {
  return { code, message, passing: true };
}
