import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { ArrayNotEmpty, ArrayUnique, IsOptional, Length, Max, Min, ValidateNested } from 'class-validator';
import { PageArgs, PageInfo } from '../../paging/page-types.js';
import { MessageTypeEnum, type MessageType } from './message-type.js';
import { DeliveryStatus, WebhookDelivery } from './webhook-delivery.js';
import { WebhookEndpoint } from './webhook-endpoint.js';

const LONGEST_URL = 2_000;

const DEFAULT_OVERLAP_HOURS = 24;
const LONGEST_OVERLAP_HOURS = 7 * 24;

@InputType({ description: 'Where to send webhooks, and which.' })
export class CreateWebhookEndpointInput {
  @Field(() => String, { description: 'https, with a public host name.' })
  @Length(1, LONGEST_URL)
  url: string;

  @Field(() => [MessageTypeEnum], {
    nullable: true,
    description: 'What it is to be told; without it, everything, and what there will be in future.',
  })
  @IsOptional()
  @ArrayNotEmpty()
  @ArrayUnique()
  types?: MessageType[] | null;
}

@InputType({ description: 'What to change of an endpoint; what is left out stays as it is.' })
export class UpdateWebhookEndpointInput {
  @Field(() => ID, { description: 'Of the endpoint.' })
  id: string;

  @Field(() => String, { nullable: true, description: 'https, with a public host name.' })
  @IsOptional()
  @Length(1, LONGEST_URL)
  url?: string | null;

  @Field(() => [MessageTypeEnum], { nullable: true, description: 'What it is to be told; null: everything.' })
  @IsOptional()
  @ArrayNotEmpty()
  @ArrayUnique()
  types?: MessageType[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'no: nothing is sent, and what waits has failed. yes: what happens from now on is sent.',
  })
  enabled?: boolean | null;
}

@InputType({ description: 'Which endpoint gets a new secret.' })
export class RotateWebhookEndpointSecretInput {
  @Field(() => ID, { description: 'Of the endpoint.' })
  id: string;

  @Field(() => Int, {
    defaultValue: DEFAULT_OVERLAP_HOURS,
    description: `For so long webhooks are signed with both, and with earlier ones as long as they were promised to be. 0: the present one is known to others. At most ${LONGEST_OVERLAP_HOURS}.`,
  })
  @Min(0)
  @Max(LONGEST_OVERLAP_HOURS)
  overlapHours: number;
}

@ObjectType({ description: 'An endpoint, and its secret.' })
export class WebhookEndpointSecret {
  @Field(() => WebhookEndpoint, { description: 'The endpoint.' })
  webhookEndpoint: WebhookEndpoint;

  @Field(() => String, {
    description: 'With which its webhooks are signed, `whsec_…`. Keep it: it is not shown again.',
  })
  secret: string;
}

@InputType({ description: 'Which deliveries to list: those that fit everything that is given.' })
export class WebhookDeliveryFilter {
  @Field(() => ID, { nullable: true, description: 'Only to this endpoint.' })
  endpointId?: string | null;

  @Field(() => DeliveryStatus, { nullable: true, description: 'Only those that this became of.' })
  status?: DeliveryStatus | null;

  @Field(() => MessageTypeEnum, { nullable: true, description: 'Only those that tell this.' })
  type?: MessageType | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'Only of what happened then or later.' })
  since?: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'Only of what happened before then.' })
  until?: Date | null;
}

@ArgsType()
export class WebhookDeliveriesArgs extends PageArgs {
  @Field(() => WebhookDeliveryFilter, { nullable: true, description: 'Which ones; without it, all.' })
  @IsOptional()
  @ValidateNested()
  filter?: WebhookDeliveryFilter | null;
}

@ObjectType({ description: 'A delivery in a list.' })
class WebhookDeliveryEdge {
  @Field(() => String, { description: 'Where it stands in the list: give it to `after`.' })
  cursor: string;

  @Field(() => WebhookDelivery, { description: 'The delivery.' })
  node: WebhookDelivery;
}

@ObjectType({ description: 'A page of deliveries, the newest first.' })
export class WebhookDeliveryConnection {
  @Field(() => [WebhookDeliveryEdge], { description: 'The deliveries.' })
  edges: WebhookDeliveryEdge[];

  @Field(() => PageInfo, { description: 'Where the page ends.' })
  pageInfo: PageInfo;
}

@InputType({ description: 'Which deliveries to send again.' })
export class ReplayWebhookDeliveriesInput {
  @Field(() => ID, { description: 'To which endpoint.' })
  endpointId: string;

  @Field(() => GraphQLDateTimeISO, { description: 'Of what happened then or later.' })
  since: Date;

  @Field(() => GraphQLDateTimeISO, { description: 'Of what happened before then.' })
  until: Date;

  @Field(() => DeliveryStatus, {
    nullable: true,
    description: 'FAILED: only those that did not arrive. Without it, those that did, too.',
  })
  status?: DeliveryStatus | null;
}

@ObjectType({ description: 'What is being sent again.' })
export class WebhookDeliveriesReplay {
  @Field(() => Int, {
    description: 'How many deliveries. Those that were being sent anyway are not counted.',
  })
  count: number;
}
