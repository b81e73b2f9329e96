import type { Order } from '../orders/order.js';
import type {
  CaptureMethod,
  OfferedWay,
  PaymentMethod,
  Presentation,
  Provider,
  WayToPay,
} from '../providers/provider.js';
import { routesOf, type Route, type WhyNotCode } from '../providers/routing.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError, type PaymentErrorKind } from './payment-error.js';

/** One way in which an order can be paid. */
export interface PaymentChoice extends WayToPay {
  readonly provider: Provider;
}

/** What the payer asked for; what they left open fits everything. */
export interface WantedWay {
  readonly provider?: string | null;
  readonly method?: PaymentMethod | null;
  readonly presentation?: Presentation | null;
}

/** What is known of the payer, and what some ways to pay need. */
export interface PayerDetails {
  /** E.164. */
  readonly phoneNumber?: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | null;
  readonly operator?: string | null;
  readonly returnUrl?: string | null;
}

type RoutingDependencies = Pick<PaymentDependencies, 'providers' | 'routing'>;

/** Every way to pay this order, open or not, the best first. */
export function paymentRoutes(
  { providers, routing }: RoutingDependencies,
  order: Pick<Order, 'reference' | 'amount' | 'currency'>,
  country?: string | null,
  captureMethod: CaptureMethod = 'AUTOMATIC',
): Route[] {
  return routesOf(providers, routing, { ...order, captureMethod, country: country ?? undefined });
}

/**
 * The best way that fits what the payer asked for and what is known of them. One that is down for the moment comes only
 * where there is no other: its provider then says so at once.
 * @throws {PaymentError} AMOUNT_NOT_TAKEN; NO_WAY_TO_PAY, naming what there is; PHONE_NUMBER_INVALID, COUNTRY_INVALID, PHONE_NUMBER_MISSING, COUNTRY_MISSING, OPERATOR_MISSING,
 * RETURN_URL_MISSING
 */
export function choosePayment(
  dependencies: RoutingDependencies,
  order: Pick<Order, 'reference' | 'amount' | 'currency'>,
  captureMethod: CaptureMethod,
  wanted: WantedWay & PayerDetails,
): PaymentChoice {
  refuseOperatorOfAnotherCountry(dependencies, wanted);
  const routes = paymentRoutes(dependencies, order, wanted.country, captureMethod);
  const fitting = routes.filter((route) => fitsRoute(route, wanted));
  const open = fitting.filter(isOpen);
  const mayOpen = fitting.filter(({ whyNot }) => whyNot.every(({ passing }) => passing));
  const candidates = [...open, ...mayOpen];
  const route = candidates.find(({ way }) => missingFor(way, wanted) === undefined);
  if (route) return choiceOf(route);
  const [best] = candidates;
  const missing = best && missingFor(best.way, wanted);
  if (missing) throw new PaymentError(...MISSING[missing](best.provider.name));
  const obstacles = amountObstacles(fitting);
  if (obstacles.length === 0) throw new PaymentError('NO_WAY_TO_PAY', noWayMessage(routes.filter(isOpen)));
  throw new PaymentError('AMOUNT_NOT_TAKEN', [...obstacles, noWayMessage(routes.filter(isOpen))].join(' '), {
    field: 'orderId',
  });
}

/** What stands in the way of those that only the amount keeps closed. */
function amountObstacles(fitting: readonly Route[]): string[] {
  const closedByAmount = fitting.filter(({ whyNot }) =>
    whyNot.every(({ code, passing }) => passing || isAboutAmount(code)),
  );
  const messages = closedByAmount.flatMap(({ whyNot }) =>
    whyNot.filter(({ code }) => isAboutAmount(code)).map(({ message }) => message),
  );
  return [...new Set(messages)];
}

function isAboutAmount(code: WhyNotCode): boolean {
  return code === 'AMOUNT_TOO_SMALL' || code === 'AMOUNT_TOO_LARGE' || code === 'AMOUNT_NOT_MULTIPLE';
}

/** No operator of one country has its payers in another: one of the two is a mistake, and somebody else’s phone would ring. */
function refuseOperatorOfAnotherCountry(
  { providers }: RoutingDependencies,
  { operator, country, phoneNumber }: PayerDetails,
): void {
  if (!operator || !country) return;
  const ways = [...providers.values()].flatMap(({ capabilities }) => capabilities.ways);
  const known = ways.flatMap(({ operators = [] }) => operators).filter(({ code }) => code === operator);
  const [first] = known;
  if (!first || known.some((one) => one.country === country)) return;
  const whose = phoneNumber ? `phoneNumber is one of ${country}` : `country is ${country}`;
  throw new PaymentError(
    phoneNumber ? 'PHONE_NUMBER_INVALID' : 'COUNTRY_INVALID',
    `${whose}, and the operator ${operator} has its payers in ${first.country}. Give an operator of ${country}, or leave it out.`,
  );
}

/** The next way that fits and is well, at a provider that has not been tried; null when there is none. */
export function choiceAfter(
  dependencies: RoutingDependencies,
  order: Pick<Order, 'reference' | 'amount' | 'currency'>,
  captureMethod: CaptureMethod,
  wanted: WantedWay & PayerDetails,
  tried: ReadonlySet<string>,
): PaymentChoice | null {
  const route = paymentRoutes(dependencies, order, wanted.country, captureMethod).find(
    (candidate) =>
      !tried.has(candidate.provider.name) &&
      isOpen(candidate) &&
      fitsRoute(candidate, wanted) &&
      missingFor(candidate.way, wanted) === undefined,
  );
  return route ? choiceOf(route) : null;
}

export function isOpen({ whyNot }: Route): boolean {
  return whyNot.length === 0;
}

/** Whether a way to pay is what was asked for. */
export function fits(way: WayToPay & { readonly provider: string }, wanted: WantedWay): boolean {
  return (
    (!wanted.provider || wanted.provider === way.provider) &&
    (!wanted.method || wanted.method === way.method) &&
    (!wanted.presentation || wanted.presentation === way.presentation)
  );
}

function fitsRoute({ provider, way }: Route, wanted: WantedWay & PayerDetails): boolean {
  const { method, presentation, operators } = way;
  // Each provider has its own names for operators: one that it doesn't know is another's.
  const knowsOperator =
    !wanted.operator || !operators || operators.some(({ code }) => code === wanted.operator);
  return knowsOperator && fits({ method, presentation, provider: provider.name }, wanted);
}

function choiceOf({ provider, way: { method, presentation } }: Route): PaymentChoice {
  return { provider, method, presentation };
}

/** What a way to pay needs of the payer. */
export type Need = 'COUNTRY' | 'PHONE_NUMBER' | 'OPERATOR' | 'RETURN_URL';

export function needsOf({ needs = [], presentation }: OfferedWay): readonly Need[] {
  return presentation === 'REDIRECT' ? [...needs, 'RETURN_URL'] : needs;
}

function missingFor(way: OfferedWay, details: PayerDetails): Need | undefined {
  const known: Readonly<Record<Need, unknown>> = {
    COUNTRY: details.country,
    PHONE_NUMBER: details.phoneNumber,
    OPERATOR: details.operator,
    RETURN_URL: details.returnUrl,
  };
  return needsOf(way).find((need) => !known[need]);
}

const MISSING: Readonly<Record<Need, (provider: string) => [PaymentErrorKind, string]>> = {
  COUNTRY: (provider) => [
    'COUNTRY_MISSING',
    `${provider} needs the payer’s country: give country, or a phoneNumber with its country’s prefix.`,
  ],
  PHONE_NUMBER: (provider) => [
    'PHONE_NUMBER_MISSING',
    `${provider} asks the payer on their phone: give their phoneNumber.`,
  ],
  OPERATOR: (provider) => [
    'OPERATOR_MISSING',
    `${provider} needs to know whom the payer has their money with: give operator, a code from paymentOptions.`,
  ],
  RETURN_URL: (provider) => [
    'RETURN_URL_MISSING',
    `${provider} sends the payer away to pay: say in returnUrl where to send them back to.`,
  ],
};

function noWayMessage(routes: readonly Route[]): string {
  if (routes.length === 0) return 'No provider takes an order of this amount and currency in this way.';
  const list = routes.map(
    ({ provider, way: { method, presentation } }) => `${provider.name} ${method} ${presentation}`,
  );
  return `This order can't be paid in that way. It can be with: ${list.join(', ')}.`;
}
