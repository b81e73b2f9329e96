import { Field, InputType } from 'type-graphql';
import { GraphQLDateTimeISO, GraphQLJSONObject } from 'graphql-scalars';

@InputType({ description: 'What is to be booked once the order is paid.' })
export class BookingInput {
  @Field(() => GraphQLDateTimeISO, { description: 'From when; not in the past.' })
  startsAt: Date;

  @Field(() => GraphQLDateTimeISO, { description: 'Until when: at most 366 days later.' })
  endsAt: Date;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description: 'Free: transport, flight number, services. At most 8,192 characters.',
  })
  details?: Record<string, unknown> | null;
}
