import type { Order } from '../orders/order.js';
import type {
  CaptureMethod,
  PaymentMethod,
  Presentation,
  Provider,
  WayToPay,
} from '../providers/provider.js';
import { PaymentError } from './payment-error.js';
import type { PaymentIntent } from './payment-intent.js';

/** One way in which an order can be paid. */
export interface PaymentChoice extends WayToPay {
  readonly provider: Provider;
}

export interface WantedWay {
  readonly provider?: string | null;
  readonly method?: PaymentMethod | null;
  readonly presentation?: Presentation | null;
}

/** Every way to pay this order, in the order in which the providers are configured. */
export function paymentChoices(
  providers: ReadonlyMap<string, Provider>,
  order: Pick<Order, 'amount' | 'currency'>,
  captureMethod: CaptureMethod = 'AUTOMATIC',
): PaymentChoice[] {
  return [...providers.values()]
    .filter((provider) => takes(provider, order) && (captureMethod === 'AUTOMATIC' || provider.capture))
    .flatMap((provider) => provider.capabilities.ways.map((way) => ({ ...way, provider })));
}

function takes(
  { capabilities }: Provider,
  { amount, currency }: Pick<Order, 'amount' | 'currency'>,
): boolean {
  if (capabilities.currencies !== 'ANY' && !capabilities.currencies.includes(currency)) return false;
  const { minimum = 1, maximum = Number.MAX_SAFE_INTEGER } = capabilities.limits(currency);
  return minimum <= amount && amount <= maximum;
}

/** The first way that fits what the payer asked for. @throws {PaymentError} NO_WAY_TO_PAY, naming what there is. */
export function choosePayment(
  providers: ReadonlyMap<string, Provider>,
  order: Pick<PaymentIntent, 'amount' | 'currency' | 'captureMethod'>,
  wanted: WantedWay,
): PaymentChoice {
  const choices = paymentChoices(providers, order, order.captureMethod);
  const choice = choices.find(({ provider, ...way }) => fits({ ...way, provider: provider.name }, wanted));
  if (choice) return choice;
  throw new PaymentError('NO_WAY_TO_PAY', noWayMessage(choices));
}

/** Whether a way to pay is what was asked for; what was left open fits everything. */
export function fits(way: WayToPay & { readonly provider: string }, wanted: WantedWay): boolean {
  return (
    (!wanted.provider || wanted.provider === way.provider) &&
    (!wanted.method || wanted.method === way.method) &&
    (!wanted.presentation || wanted.presentation === way.presentation)
  );
}

function noWayMessage(choices: readonly PaymentChoice[]): string {
  if (choices.length === 0) return 'No provider takes an order of this amount and currency in this way.';
  const list = choices.map(
    ({ provider, method, presentation }) => `${provider.name} ${method} ${presentation}`,
  );
  return `This order can't be paid in that way. It can be with: ${list.join(', ')}.`;
}
