import { Arg, Ctx, Field, ID, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import { GraphQLDateTimeISO, GraphQLJSONObject } from 'graphql-scalars';
import type { PaymentContext as Context } from './payment-context.js';
import { findPaymentIntent } from './payment-resolver.js';
import { paymentTimeline, type TimelineEntry as Entry } from './payment-timeline.js';
import { TimelineKind } from './timeline-words.js';

registerEnumType(TimelineKind, {
  name: 'TimelineKind',
  description: 'What kind of thing happened to a payment.',
  valuesConfig: {
    INTENT: { description: 'It was opened.' },
    ATTEMPT: { description: 'A try at a provider was begun.' },
    PROVIDER_CALL: { description: 'A provider was called about it; of the last months only.' },
    NOTIFICATION: { description: 'A provider told something.' },
    TRANSITION: { description: 'Its status changed.' },
    ACT: { description: 'Somebody did something to it, or to its order.' },
    MOVEMENT: { description: 'Money moved.' },
    REFUND: { description: 'A refund took a step.' },
    DISPUTE: { description: 'A dispute took a step.' },
    EMAIL: { description: 'Somebody was written to about it.' },
  },
});

@ObjectType({ description: 'One thing that happened to a payment.' })
class TimelineEntry implements Entry {
  @Field(() => GraphQLDateTimeISO, { description: 'When.' })
  at: Date;

  @Field(() => TimelineKind, { description: 'What kind of thing.' })
  kind: TimelineKind;

  @Field(() => String, { description: 'What happened, as a sentence.' })
  summary: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Who: `operator:…`, `support:…`, `backend:…`, `payer:…`, `provider:…`, `job:…`; null where nobody is named.',
  })
  actor: string | null;

  @Field(() => GraphQLJSONObject, {
    description: 'All that is known of it. Its shape may change: for people.',
  })
  details: object;
}

@Resolver()
export class PaymentTimelineResolver {
  @Query(() => [TimelineEntry], {
    description: 'For backends and operators: a payment’s whole life, in order.',
  })
  async paymentTimeline(
    @Arg('id', () => ID, { description: 'The payment’s public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Entry[]> {
    return paymentTimeline(context.manager, (await findPaymentIntent(context, id)).intent);
  }
}
