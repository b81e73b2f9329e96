import {
  Check,
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  Unique,
  type Relation,
} from 'typeorm';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { inQuotes } from '../../database/in-quotes.js';
import { Order } from '../../orders/order.js';
import { PaymentIntent } from '../../payments/payment-intent.js';
import type { EmailFacts, EndpointFacts, NotificationFacts } from './email-facts.js';
import { EMAIL_TEMPLATES, EmailTemplate } from './email-template.js';

registerEnumType(EmailTemplate, {
  name: 'EmailTemplate',
  description: 'What an e-mail tells.',
  valuesConfig: {
    ORDER_CONFIRMED: { description: 'To the customer: the money is there, and the order confirmed.' },
    PAYMENT_FAILED: { description: 'To the customer: no money was taken, and how to try again.' },
    REFUND_MADE: { description: 'To the customer: money was given back.' },
    PAID_LATE: {
      description: 'To the customer: the money came late, and the order is confirmed all the same.',
    },
    PAYMENT_GIVEN_BACK: {
      description: 'To the customer: the money came twice or too late, and is on its way back.',
    },
    PAYMENT_UNDER_REVIEW: {
      description: 'To the customer: the money does not fit, and somebody looks at it.',
    },
    PAYMENT_REMINDER: { description: 'To the customer: the payment is not finished.' },
    DISPUTE_OPENED: { description: 'To the merchant: a payer asks their bank for the money.' },
    REVIEW_NEEDED: { description: 'To the merchant: a person has to decide about money that does not fit.' },
    UNEXPECTED_MONEY: {
      description: 'To the merchant: money came late or twice, and what was done with it.',
    },
    PAYER_NEEDED: {
      description: 'To the customer: what they had saved could not be charged without them, and how to pay.',
    },
    REFUND_FAILED: {
      description: 'To the customer: a refund that they had been told of did not reach them.',
    },
    REFUND_ACTION_NEEDED: {
      description: 'To the merchant: a refund failed, and has to be made in another way.',
    },
    ENDPOINT_DISABLED: {
      description: 'To the merchant: an endpoint of webhooks was disabled, and hears no more of payments.',
    },
    NOTIFICATION_UNREADABLE: {
      description: 'To the merchant: a provider sent a notification that can’t be read; once a day.',
    },
  },
});

export const EmailStatus = {
  QUEUED: 'QUEUED',
  SENT: 'SENT',
  FAILED: 'FAILED',
  DROPPED: 'DROPPED',
  WITHHELD: 'WITHHELD',
} as const;
export type EmailStatus = keyof typeof EmailStatus;
registerEnumType(EmailStatus, {
  name: 'EmailStatus',
  description: 'What became of an e-mail.',
  valuesConfig: {
    QUEUED: { description: 'It is to be sent, or sent again after a try that failed.' },
    SENT: { description: 'The mail server took it, or the file was written.' },
    FAILED: { description: 'The mail server refused it for good, or it was tried for three days in vain.' },
    DROPPED: {
      description:
        'It asked for a payment, and before it could be sent the order was paid or cancelled, or a payment of it came under review.',
    },
    WITHHELD: {
      description:
        'Its address, or its order, has had as many e-mails as one is sent without a payment. `resendEmail` sends it all the same.',
    },
  },
});

/** One e-mail. Its row is what is sent once: whoever sends it claims it first. Its text is made when it is sent. */
@ObjectType({ description: 'One e-mail, to a customer or to the merchant.' })
@Entity('email_message')
@Unique('email_message_once', ['orderId', 'template', 'transition'])
@Index('email_message_once_without_order', ['template', 'transition'], {
  unique: true,
  where: 'order_id IS NULL',
})
@Index('email_message_due', ['nextTryAt'], { where: 'next_try_at IS NOT NULL' })
@Index('email_message_intent', ['intentId'])
@Index('email_message_budget', ['budgetKey', 'createdAt'], { where: 'budget_key IS NOT NULL' })
@Index('email_message_created', ['createdAt', 'id'])
@Check(
  'email_message_about_order',
  `num_nulls(order_id, intent_id) =
    CASE WHEN template IN ('ENDPOINT_DISABLED', 'NOTIFICATION_UNREADABLE') THEN 2 ELSE 0 END`,
)
@Check('email_message_template_known', `template IN (${inQuotes(EMAIL_TEMPLATES)})`)
@Check('email_message_status_known', `status IN (${inQuotes(Object.keys(EmailStatus))})`)
@Check('email_message_due_while_queued', `(status = 'QUEUED') = (next_try_at IS NOT NULL)`)
export class EmailMessage {
  @Field(() => ID, { description: 'Our own id of it.' })
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'email_message_pkey' })
  id: string;

  @Field(() => Order, {
    nullable: true,
    description:
      'The order that it is about; null where it is about an endpoint of webhooks, or a notification that can’t be read.',
  })
  @ManyToOne(() => Order)
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'email_message_order_fkey' })
  order?: Relation<Order> | null;

  @Column('uuid', { nullable: true })
  orderId: string | null;

  @Field(() => PaymentIntent, {
    nullable: true,
    description: 'The payment that caused it; null where none did.',
  })
  @ManyToOne(() => PaymentIntent)
  @JoinColumn({ name: 'intent_id', foreignKeyConstraintName: 'email_message_intent_fkey' })
  intent?: Relation<PaymentIntent> | null;

  @Column('uuid', { nullable: true })
  intentId: string | null;

  @Field(() => EmailTemplate, { description: 'What it tells.' })
  @Column('text')
  template: EmailTemplate;

  /**
   * What caused it: `<outbox topic>:<key>:<version>`; `reminder`, of which an order gets one; an endpoint, and when; or
   * `<outbox topic>:<provider>:<day>`.
   */
  @Column('text')
  transition: string;

  @Field(() => String, { description: 'To whom.' })
  @Column('text')
  recipient: string;

  @Field(() => String, { description: 'BCP 47: French for French, English for every other language.' })
  @Column('text')
  locale: string;

  /** Of those that a stranger can cause without paying: the mailbox by which they are counted. */
  @Column('text', { nullable: true })
  budgetKey: string | null;

  @Column('jsonb')
  data: EmailFacts | EndpointFacts | NotificationFacts;

  @Field(() => EmailStatus, { description: 'What became of it.' })
  @Column('text')
  status: EmailStatus;

  @Field(() => Int, { description: 'How often it was tried.' })
  @Column('integer')
  tries: number;

  /** Grows when a person sends it again: a mail of another edition is another message to whoever receives it. */
  @Column('integer')
  edition: number;

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'When it is tried (again); null when it is not.',
  })
  @Column('timestamptz', { nullable: true })
  nextTryAt: Date | null;

  /** Somebody is trying it until then at the latest: another try must not begin before. */
  @Column('timestamptz', { nullable: true })
  claimedUntil: Date | null;

  @Field(() => String, { nullable: true, description: 'Why the last try failed, or why it is withheld.' })
  @Column('text', { nullable: true })
  lastError: string | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was caused.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it was sent, for the last time.' })
  @Column('timestamptz', { nullable: true })
  sentAt: Date | null;
}
