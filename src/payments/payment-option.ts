import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { MobileOperator } from '../health/mobile-operator.js';
import type { Order } from '../orders/order.js';
import { limitsOfOrder, type AmountRange } from '../orders/order-limits.js';
import type { Provider } from '../providers/provider.js';
import type { Route } from '../providers/routing.js';
import { PaymentMethod, Presentation } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { needsOf, type Need } from './payment-options.js';

const PaymentNeed: { readonly [Name in Need]: Name } = {
  COUNTRY: 'COUNTRY',
  PHONE_NUMBER: 'PHONE_NUMBER',
  OPERATOR: 'OPERATOR',
  RETURN_URL: 'RETURN_URL',
};
registerEnumType(PaymentNeed, {
  name: 'PaymentNeed',
  description: 'What a way to pay needs to be told in createPaymentIntent.',
  valuesConfig: {
    COUNTRY: { description: '`country`, or a `phoneNumber` with its country’s prefix.' },
    PHONE_NUMBER: { description: '`phoneNumber`.' },
    OPERATOR: { description: '`operator`: one of `operators`.' },
    RETURN_URL: { description: '`returnUrl`.' },
  },
});

@ObjectType({ description: 'Why a way to pay is not open to an order.' })
class PaymentObstacle {
  @Field(() => String, { description: 'For programs: NO_RULE_FITS, PROVIDER_DOWN …' })
  code: string;

  @Field(() => String, { description: 'For people.' })
  message: string;

  @Field(() => Boolean, { description: 'Whether it may be gone in a moment.' })
  passing: boolean;
}

@ObjectType({ description: 'One way in which an order can be paid. Give its fields to createPaymentIntent.' })
export class PaymentOption {
  @Field(() => [PaymentNeed], { description: 'What it needs to be told beside.' })
  needs: (keyof typeof PaymentNeed)[];

  @Field(() => [MobileOperator], {
    description: 'Whom the payer can have their money with, where that is known.',
  })
  operators: MobileOperator[];

  @Field(() => [PaymentObstacle], {
    description: 'Why not, for operators who asked for what is not open: empty for a way that is.',
  })
  whyNot: PaymentObstacle[];

  @Field(() => String, { description: 'Which provider.' })
  provider: string;

  @Field(() => PaymentMethod, { description: 'How the payer pays.' })
  method: keyof typeof PaymentMethod;

  @Field(() => Presentation, { description: 'Where the payer pays.' })
  presentation: keyof typeof Presentation;

  @Field(() => GraphQLSafeInt, {
    nullable: true,
    description:
      'The least that the order can come to, by the shop’s limits and the provider’s, in minor units.',
  })
  minimumAmount: number | null;

  @Field(() => GraphQLSafeInt, { nullable: true, description: 'The most, likewise.' })
  maximumAmount: number | null;
}

/** A way to pay as the API shows it. */
export function optionOf(
  { routing: { health }, orderLimits }: Pick<PaymentDependencies, 'routing' | 'orderLimits'>,
  order: Order,
  { provider, way, whyNot }: Route,
  country?: string,
): PaymentOption {
  const statuses = new Map(health.operatorsOf(provider.name).map(({ code, status }) => [code, status]));
  const operators: MobileOperator[] = (way.operators ?? [])
    .filter((operator) => country === undefined || operator.country === country)
    .map((operator) => ({ ...operator, status: statuses.get(operator.code) ?? 'OPEN' }));
  return {
    provider: provider.name,
    method: way.method,
    presentation: way.presentation,
    needs: [...needsOf(way)],
    operators,
    whyNot: [...whyNot],
    ...rangeOf(provider, order, limitsOfOrder(orderLimits, order)),
  };
}

function rangeOf(
  { capabilities }: Provider,
  { currency }: Order,
  shop: AmountRange | null,
): Pick<PaymentOption, 'minimumAmount' | 'maximumAmount'> {
  const { minimum, maximum } = capabilities.limits(currency);
  const least = [minimum, shop?.minimum].filter((amount) => amount !== undefined);
  const most = [maximum, shop?.maximum].filter((amount) => amount !== undefined);
  return {
    minimumAmount: least.length > 0 ? Math.max(...least) : null,
    maximumAmount: most.length > 0 ? Math.min(...most) : null,
  };
}
