import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { IsOptional, ValidateNested } from 'class-validator';
import { PageArgs, PageInfo } from '../paging/page-types.js';
import { CallOutcome, ProviderCallEntry } from './provider-call-entry.js';

@InputType({ description: 'Which calls to list: those that fit everything that is given.' })
export class ProviderCallFilter {
  @Field(() => String, { nullable: true, description: 'Only of this provider.' })
  provider?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only those for this: `initiate`, `verify`, `refund` …',
  })
  operation?: string | null;

  @Field(() => CallOutcome, { nullable: true, description: 'Only those that ended so.' })
  outcome?: CallOutcome | null;

  @Field(() => ID, { nullable: true, description: 'Only about this payment.' })
  paymentIntentId?: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'Only those that began then or later.' })
  since?: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'Only those that began before then.' })
  until?: Date | null;
}

@ArgsType()
export class ProviderCallsArgs extends PageArgs {
  @Field(() => ProviderCallFilter, { nullable: true, description: 'Which ones; without it, all.' })
  @IsOptional()
  @ValidateNested()
  filter?: ProviderCallFilter | null;
}

@ObjectType({ description: 'A call in a list.' })
class ProviderCallEdge {
  @Field(() => String, { description: 'Where it stands in the list: give it to `after`.' })
  cursor: string;

  @Field(() => ProviderCallEntry, { description: 'The call.' })
  node: ProviderCallEntry;
}

@ObjectType({ description: 'A page of calls of providers, the newest first.' })
export class ProviderCallConnection {
  @Field(() => [ProviderCallEdge], { description: 'The calls.' })
  edges: ProviderCallEdge[];

  @Field(() => PageInfo, { description: 'Where the page ends.' })
  pageInfo: PageInfo;
}
