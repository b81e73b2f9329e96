import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { IsOptional, Max, Min, ValidateNested } from 'class-validator';
import { PageInfo } from '../webhooks/webhook-types.js';
import { CallOutcome, ProviderCallEntry } from './provider-call-entry.js';

const DEFAULT_PAGE = 50;
const LARGEST_PAGE = 200;

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
export class ProviderCallsArgs {
  @Field(() => ProviderCallFilter, { nullable: true, description: 'Which ones; without it, all.' })
  @IsOptional()
  @ValidateNested()
  filter?: ProviderCallFilter | null;

  @Field(() => Int, { defaultValue: DEFAULT_PAGE, description: `How many, at most ${LARGEST_PAGE}.` })
  @Min(1)
  @Max(LARGEST_PAGE)
  first: number;

  @Field(() => String, { nullable: true, description: 'The cursor after which to go on.' })
  after?: string | null;
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
