import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { IsOptional, Length, ValidateNested } from 'class-validator';
import { PageArgs, PageInfo } from '../paging/page-types.js';
import { WebhookEvent, WebhookEventStatus } from './webhook-event.js';

@InputType({ description: 'Which notifications to list: those that fit everything that is given.' })
export class WebhookEventFilter {
  @Field(() => String, { nullable: true, description: 'Only of this provider.' })
  provider?: string | null;

  @Field(() => WebhookEventStatus, { nullable: true, description: 'Only those that this became of.' })
  status?: WebhookEventStatus | null;

  @Field(() => String, { nullable: true, description: 'Only of this type, in the provider’s word.' })
  type?: string | null;

  @Field(() => String, { nullable: true, description: 'The provider’s id of one.' })
  eventId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only about this payment.' })
  paymentIntentId?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Only those whose payload contains this, in capitals or not. In a large inbox, say the provider or type too.',
  })
  @IsOptional()
  @Length(3, 200)
  text?: string | null;
}

@ArgsType()
export class WebhookEventsArgs extends PageArgs {
  @Field(() => WebhookEventFilter, { nullable: true, description: 'Which ones; without it, all.' })
  @IsOptional()
  @ValidateNested()
  filter?: WebhookEventFilter | null;
}

@ObjectType({ description: 'A notification in a list.' })
class WebhookEventEdge {
  @Field(() => String, { description: 'Where it stands in the list: give it to `after`.' })
  cursor: string;

  @Field(() => WebhookEvent, { description: 'The notification.' })
  node: WebhookEvent;
}

@ObjectType({ description: 'A page of notifications, the newest first.' })
export class WebhookEventConnection {
  @Field(() => [WebhookEventEdge], { description: 'The notifications.' })
  edges: WebhookEventEdge[];

  @Field(() => PageInfo, { description: 'Where the page ends.' })
  pageInfo: PageInfo;
}

@ObjectType({ description: 'One thing that a replay changed, or would change.' })
export class WebhookReplayChange {
  @Field(() => String, { description: 'What, such as “payment status” or “attempt 1 failureCode”.' })
  what: string;

  @Field(() => String, { nullable: true, description: 'As it was; null where there was nothing.' })
  before: string | null;

  @Field(() => String, { nullable: true, description: 'As it is from then on.' })
  after: string | null;
}

@ObjectType({ description: 'What came of applying a notification again, or would come of it.' })
export class WebhookReplay {
  @Field(() => WebhookEvent, { description: 'The notification, as it is now.' })
  webhookEvent: WebhookEvent;

  @Field(() => Boolean, { description: 'Whether this only looked, and wrote nothing.' })
  dryRun: boolean;

  @Field(() => Boolean, { description: 'Whether it was applied; of a dry run, whether it would be.' })
  applied: boolean;

  @Field(() => String, { description: 'In words: which step is taken, or why none.' })
  outcome: string;

  @Field(() => [WebhookReplayChange], { description: 'What changes by it. Nothing, when all was known.' })
  changes: WebhookReplayChange[];
}
