import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { MobileOperator } from './mobile-operator.js';

const ProviderStatus = { HEALTHY: 'HEALTHY', DEGRADED: 'DEGRADED', DOWN: 'DOWN' } as const;
type ProviderStatus = keyof typeof ProviderStatus;
registerEnumType(ProviderStatus, {
  name: 'ProviderStatus',
  description: 'How a provider is doing.',
  valuesConfig: {
    HEALTHY: { description: 'It answers.' },
    DEGRADED: { description: 'Something of it does not work, or not always; payments can be begun.' },
    DOWN: { description: 'No payment is begun with it until a call of it was answered again.' },
  },
});

const CircuitStatus = { CLOSED: 'CLOSED', OPEN: 'OPEN', HALF_OPEN: 'HALF_OPEN' } as const;
type CircuitStatus = keyof typeof CircuitStatus;
registerEnumType(CircuitStatus, {
  name: 'CircuitStatus',
  description: 'Whether calls of a provider are made.',
  valuesConfig: {
    CLOSED: { description: 'They are.' },
    OPEN: { description: 'It failed too often in a row: for a while it isn’t called at all.' },
    HALF_OPEN: { description: 'One call is under way, which decides how it goes on.' },
  },
});

@ObjectType({ description: 'How calls of one kind fare at a provider.' })
class ProviderOperationHealth {
  @Field(() => String, { description: 'What it is called for: `initiate`, `verify`, `refund` …' })
  operation: string;

  @Field(() => CircuitStatus, { description: 'Whether such calls are made.' })
  circuit: CircuitStatus;

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'Of an open circuit: from when on one call is let through, to see whether it is answered.',
  })
  nextTryAt?: Date;

  @Field(() => Int, { description: 'Calls in a row that had no answer. To decline is an answer.' })
  consecutiveFailures: number;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When the last one had no answer.' })
  lastFailureAt?: Date;

  @Field(() => String, { nullable: true, description: 'Why: the provider’s own code, or ours in capitals.' })
  lastFailureCode?: string;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When the last one was answered.' })
  lastSuccessAt?: Date;
}

@ObjectType({ description: 'How a provider is doing, as this node’s own calls of it found out.' })
export class ProviderHealth {
  @Field(() => String, { description: 'Its name: `stripe`.' })
  provider: string;

  @Field(() => ProviderStatus, { description: 'In one word.' })
  status: ProviderStatus;

  @Field(() => GraphQLDateTimeISO, { description: 'Since when it has this status.' })
  since: Date;

  @Field(() => [ProviderOperationHealth], { description: 'All that it can be called for.' })
  operations: readonly ProviderOperationHealth[];

  @Field(() => [MobileOperator], { description: 'As last heard; none where it doesn’t say.' })
  operators: readonly MobileOperator[];
}
