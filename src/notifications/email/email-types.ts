import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { IsOptional, ValidateNested } from 'class-validator';
import { PageArgs, PageInfo } from '../../paging/page-types.js';
import { EmailMessage, EmailStatus } from './email-message.js';
import { EmailTemplate } from './email-template.js';

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
export class EmailMessagesArgs extends PageArgs {
  @Field(() => EmailMessageFilter, { nullable: true, description: 'Which ones; without it, all.' })
  @IsOptional()
  @ValidateNested()
  filter?: EmailMessageFilter | null;
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
