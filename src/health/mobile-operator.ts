import { Field, ObjectType, registerEnumType } from 'type-graphql';

const OperatorStatus = { OPEN: 'OPEN', SLOW: 'SLOW', CLOSED: 'CLOSED' } as const;
type OperatorStatus = keyof typeof OperatorStatus;
registerEnumType(OperatorStatus, {
  name: 'OperatorStatus',
  description: 'How an operator of mobile money is doing.',
  valuesConfig: {
    OPEN: { description: 'Payments come through.' },
    SLOW: { description: 'Payments come through late.' },
    CLOSED: { description: 'No payments are taken.' },
  },
});

@ObjectType({ description: 'Who runs a payer’s mobile money.' })
export class MobileOperator {
  @Field(() => String, {
    description: 'The provider’s own name for it: `MTN_MOMO_BEN`. Give it to createPaymentIntent.',
  })
  code: string;

  @Field(() => String, { description: 'For people: `MTN MoMo`.' })
  name: string;

  @Field(() => String, { description: 'Where, ISO 3166-1 alpha-2.' })
  country: string;

  @Field(() => OperatorStatus, { description: 'How it is doing, by the provider’s own account.' })
  status: OperatorStatus;
}
