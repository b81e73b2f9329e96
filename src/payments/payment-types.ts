import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { IsInt, IsOptional, IsPositive, Length, MaxLength, ValidateNested } from 'class-validator';
import { GraphQLDateTimeISO, GraphQLSafeInt } from 'graphql-scalars';
import type { NextAction as Action } from '../providers/provider.js';
import { PaymentMethod, Presentation } from './payment-attempt.js';
import { CaptureMethod, PaymentIntent } from './payment-intent.js';
import { RefundReason } from './refund.js';

@ObjectType({ description: 'Confirm with Stripe.js: stripe.confirmPayment({ elements, … }).' })
class ConfirmWithStripe {
  @Field(() => String, {
    description:
      'For stripe.elements({ clientSecret }). Whoever holds it can act as the payer: don’t log it.',
  })
  clientSecret: string;

  @Field(() => String, { description: 'For loadStripe().' })
  publishableKey: string;
}

@ObjectType({ description: 'Send the payer to this page; it sends them back to returnUrl.' })
class RedirectToUrl {
  @Field(() => String, { description: 'The page.' })
  url: string;
}

@ObjectType({
  description: 'The payer consents on their phone. Show them how, and wait for the payment’s status.',
})
class ApproveOnPhone {
  @Field(() => String, { description: 'The phone that asks them, all but its last digits hidden.' })
  phoneNumber: string;

  @Field(() => String, { description: 'Who asks them, for people: MTN MoMo.' })
  operator: string;

  @Field(() => [String], { description: 'What they do, in the order’s language, one step each.' })
  instructions: string[];

  @Field(() => GraphQLDateTimeISO, { description: 'When the operator stops waiting for them.' })
  expiresAt: Date;
}

export const NextAction = createUnionType({
  name: 'NextAction',
  description: 'What the payer does next.',
  types: () => [ConfirmWithStripe, RedirectToUrl, ApproveOnPhone] as const,
  resolveType: (action) => {
    if ('clientSecret' in action) return ConfirmWithStripe;
    return 'url' in action ? RedirectToUrl : ApproveOnPhone;
  },
});

@InputType({ description: 'Which order to pay, and how. There is no amount in it: that is the order’s.' })
export class CreatePaymentIntentInput {
  @Field(() => ID, { description: 'The order to pay.' })
  orderId: string;

  @Field(() => PaymentMethod, {
    nullable: true,
    description: 'Without it, the first way that fits; beside a phoneNumber alone, MOBILE_MONEY.',
  })
  method?: keyof typeof PaymentMethod;

  @Field(() => String, { nullable: true, description: 'A name from paymentOptions.' })
  @IsOptional()
  @Length(1, 64)
  provider?: string;

  @Field(() => Presentation, { nullable: true, description: 'Without it, the first way that fits.' })
  presentation?: keyof typeof Presentation;

  @Field(() => String, { nullable: true, description: 'Needed where the payer is sent to a page.' })
  @IsOptional()
  @MaxLength(2_000)
  returnUrl?: string;

  @Field(() => String, {
    nullable: true,
    description: 'The payer’s, ISO 3166-1 alpha-2. A phoneNumber with its prefix says it too.',
  })
  @IsOptional()
  @Length(2, 2)
  country?: string;

  @Field(() => String, {
    nullable: true,
    description: 'Of the payer’s mobile money, as they write it; with its prefix, or beside a country.',
  })
  @IsOptional()
  @Length(4, 32)
  phoneNumber?: string;

  @Field(() => String, {
    nullable: true,
    description: 'A code from paymentOptions, where the way needs one.',
  })
  @IsOptional()
  @Length(1, 64)
  operator?: string;

  @Field(() => CaptureMethod, {
    nullable: true,
    description:
      'MANUAL, for backends and operators: the money is held, and taken by capturePaymentIntent. Without it, that of the open payment, or AUTOMATIC; another than that of the open payment is refused.',
  })
  captureMethod?: keyof typeof CaptureMethod;

  @Field(() => ID, {
    nullable: true,
    description:
      'For the payer and backends: pays with what the order’s customer has saved, at once. Next, if anything: stripe.handleNextAction.',
  })
  savedMethodId?: string;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'For backends: beside savedMethodId, the payer is not there. If their bank wants to see them, they are written to.',
  })
  offSession?: boolean;

  @Field(() => Boolean, {
    nullable: true,
    description: 'For the payer and backends: saves what the payer pays with for the order’s customer.',
  })
  saveMethod?: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'A random text of your own (a UUID): the same request made twice is one payment. Required beside savedMethodId, except for payers.',
  })
  @IsOptional()
  @Length(16, 255)
  idempotencyKey?: string;
}

@InputType({ description: 'How much to give back, and why. For backends and operators.' })
export class RefundPaymentInput {
  @Field(() => ID, { description: 'The payment to give money back of.' })
  paymentIntentId: string;

  @Field(() => GraphQLSafeInt, {
    nullable: true,
    description: 'In minor units. Without it, all that is left.',
  })
  @IsOptional()
  @IsInt()
  @IsPositive()
  amount?: number;

  @Field(() => RefundReason, { nullable: true, description: 'Told to the provider, where it takes one.' })
  reason?: keyof typeof RefundReason;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Puts the pieces back into the stock. Only with a refund that leaves nothing.',
  })
  restock?: boolean;

  @Field(() => String, {
    description: 'A random text of your own (a UUID): the same request made twice is one refund.',
  })
  @Length(16, 255)
  idempotencyKey: string;
}

@InputType({ description: 'How much of held money to take. For backends and operators.' })
export class CapturePaymentIntentInput {
  @Field(() => ID, { description: 'The payment whose money is held.' })
  paymentIntentId: string;

  @Field(() => GraphQLSafeInt, {
    nullable: true,
    description: 'In minor units. Without it, all; of less, the rest is let go.',
  })
  @IsOptional()
  @IsInt()
  @IsPositive()
  amount?: number;

  @Field(() => String, {
    description: 'A random text of your own (a UUID): the same request made twice is one capture.',
  })
  @Length(16, 255)
  idempotencyKey: string;
}

export enum ReviewDecision {
  ACCEPT = 'ACCEPT',
  REFUND = 'REFUND',
  CLOSE = 'CLOSE',
}
registerEnumType(ReviewDecision, {
  name: 'ReviewDecision',
  description: 'What a person decides about money that did not fit.',
  valuesConfig: {
    ACCEPT: {
      description:
        'What came is taken as the price, be it less or more: the order is paid and confirmed. Not while the payer’s bank has the money, or may take it.',
    },
    REFUND: { description: 'All that is left of it goes back to the payer.' },
    CLOSE: {
      description:
        'Nothing more is done here: it was settled elsewhere. Money that was taken stays in the books, and can still be given back (refundPayment), or be decided about anew.',
    },
  },
});

@InputType({
  description:
    'A payment as the person who decides saw it. When it is not so any more, nothing is decided: PAYMENT_CHANGED.',
})
export class SeenPaymentInput {
  @Field(() => Int, { description: 'Its `version`.' })
  @IsInt()
  version: number;

  @Field(() => GraphQLSafeInt, { description: 'Its `capturedAmount`, in minor units.' })
  @IsInt()
  capturedAmount: number;

  @Field(() => GraphQLSafeInt, { description: 'Its `refundedAmount`, in minor units.' })
  @IsInt()
  refundedAmount: number;

  @Field(() => GraphQLSafeInt, { description: 'Its `disputedAmount`, in minor units.' })
  @IsInt()
  disputedAmount: number;
}

@InputType({ description: 'What an operator decides about a payment in REVIEW.' })
export class SettlePaymentReviewInput {
  @Field(() => ID, { description: 'The payment in REVIEW.' })
  paymentIntentId: string;

  @Field(() => ReviewDecision, { description: 'What is to become of it.' })
  decision: ReviewDecision;

  @Field(() => String, { description: 'Why: it stays in the audit log.' })
  @Length(3, 1_000)
  reason: string;

  @Field(() => SeenPaymentInput, { description: 'The payment as it was when this was decided.' })
  @ValidateNested()
  seen: SeenPaymentInput;

  @Field(() => String, {
    description: 'A random text of your own (a UUID): the same request made twice is one decision.',
  })
  @Length(16, 255)
  idempotencyKey: string;
}

@InputType({ description: 'Which payment to bring up to date.' })
export class UpdatePaymentIntentInput {
  @Field(() => ID, { description: 'The payment to bring up to date.' })
  paymentIntentId: string;
}

@ObjectType({ description: 'An open payment, and what the payer does next.' })
export class CreatePaymentIntentPayload {
  @Field(() => PaymentIntent, {
    description: 'The order’s open payment: a new one, or the one that there was.',
  })
  paymentIntent: PaymentIntent;

  @Field(() => NextAction, {
    nullable: true,
    description: 'Null when there is nothing left for the payer to do.',
  })
  nextAction: Action | null;
}
