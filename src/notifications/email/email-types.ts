import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { IsOptional, Max, Min, ValidateNested } from 'class-validator';
import { PageInfo } from '../../webhooks/webhook-types.js';
import { EmailMessage, EmailStatus } from './email-message.js';
import { EmailTemplate } from './email-template.js';

const DEFAULT_PAGE = 50;
const LARGEST_PAGE = 200;

@InputType({ description: 'Which e-mails to list: those that fit everything that is given.' })
export class EmailMessageFilter {
  @Field(() => EmailStatus, { nullable: true, description: 'Only those that this became of.' })
  status?: EmailStatus | null;

  @Field(() => EmailTemplate, { nullable: true, description: 'Only those that tell this.' })
  template?: EmailTemplate | null;

  @Field(() => ID, { nullable: true, description: 'Only about this order.' })
  orderId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only about this payment.' })
  paymentIntentId?: string | null;
}

@ArgsType()
export class EmailMessagesArgs {
  @Field(() => EmailMessageFilter, { nullable: true, description: 'Which ones; without it, all.' })
  @IsOptional()
  @ValidateNested()
  filter?: EmailMessageFilter | null;

  @Field(() => Int, { defaultValue: DEFAULT_PAGE, description: `How many, at most ${LARGEST_PAGE}.` })
  @Min(1)
  @Max(LARGEST_PAGE)
  first: number;

  @Field(() => String, { nullable: true, description: 'The cursor after which to go on.' })
  after?: string | null;
}

@ObjectType({ description: 'An e-mail in a list.' })
class EmailMessageEdge {
  @Field(() => String, { description: 'Where it stands in the list: give it to `after`.' })
  cursor: string;

  @Field(() => EmailMessage, { description: 'The e-mail.' })
  node: EmailMessage;
}

@ObjectType({ description: 'A page of e-mails, the newest first.' })
export class EmailMessageConnection {
  @Field(() => [EmailMessageEdge], { description: 'The e-mails.' })
  edges: EmailMessageEdge[];

  @Field(() => PageInfo, { description: 'Where the page ends.' })
  pageInfo: PageInfo;
}
