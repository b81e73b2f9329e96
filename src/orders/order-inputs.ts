import { Field, ID, InputType, Int } from 'type-graphql';
import {
  ArrayMaxSize,
  IsEmail,
  IsLocale,
  IsOptional,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { GraphQLJSONObject, GraphQLSafeInt } from 'graphql-scalars';
import { MAX_AMOUNT } from '../money.js';
import { readPossibleNumber } from '../phone-numbers.js';
import { BookingInput } from './booking-input.js';

const MAX_LINES = 100;
const MAX_QUANTITY = 100_000;
const E164 = /^\+[1-9]\d{6,14}$/;

@InputType({ description: 'A line by SKU: name and price come from the catalogue.' })
export class OrderLineInput {
  @Field(() => String, { description: 'The product.' })
  @Length(1, 100)
  sku: string;

  @Field(() => Int, { description: 'How many pieces.' })
  @Min(1)
  @Max(MAX_QUANTITY)
  quantity: number;
}

@InputType({ description: 'A line that a backend writes itself. Payers can’t.' })
export class OwnOrderLineInput {
  @Field(() => String, { description: 'What the payer reads.' })
  @Length(1, 200)
  name: string;

  @Field(() => Int, { description: 'How many pieces.' })
  @Min(1)
  @Max(MAX_QUANTITY)
  quantity: number;

  @Field(() => GraphQLSafeInt, {
    description: 'Price of one, in minor units. Less than 0 for a voucher; the order’s total is never less.',
  })
  @Min(-MAX_AMOUNT)
  @Max(MAX_AMOUNT)
  unitAmount: number;
}

@InputType({ description: 'Who buys.' })
class CustomerInput {
  @Field(() => String, { nullable: true, description: 'As they write it.' })
  @IsOptional()
  @Length(1, 200)
  name?: string;

  @Field(() => String, { nullable: true, description: 'Where the payer is written to.' })
  @IsOptional()
  @IsEmail()
  @MaxLength(254)
  email?: string;

  @Field(() => String, { nullable: true, description: 'E.164: +33612345678.' })
  @IsOptional()
  @Matches(E164, { message: 'phone must be in E.164 form, such as +33612345678' })
  @ValidateBy({
    name: 'isPossibleNumber',
    validator: {
      // What isn't E.164 has been complained of already.
      validate: (phone) =>
        typeof phone !== 'string' || !E164.test(phone) || readPossibleNumber(phone, null) !== undefined,
      defaultMessage: () => 'phone must be a number that is possible in its country, such as +33612345678',
    },
  })
  phone?: string;
}

@InputType({ description: 'What to order. Payers name SKUs; backends may also write lines of their own.' })
export class CreateOrderInput {
  @Field(() => [OrderLineInput], { nullable: true, description: 'What is ordered from the catalogue.' })
  @IsOptional()
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  lines?: OrderLineInput[];

  @Field(() => [OwnOrderLineInput], {
    nullable: true,
    description: 'For backends: lines with their own prices.',
  })
  @IsOptional()
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  ownLines?: OwnOrderLineInput[];

  @Field(() => String, { nullable: true, description: 'ISO 4217; needed when there are only own lines.' })
  @IsOptional()
  @Matches(/^[A-Z]{3}$/, { message: 'currency must be an ISO 4217 code, such as EUR' })
  currency?: string;

  @Field(() => String, { nullable: true, description: 'For backends: the merchant’s own number, unique.' })
  @IsOptional()
  @Length(1, 64)
  number?: string;

  @Field(() => CustomerInput, { nullable: true, description: 'Who buys.' })
  @IsOptional()
  @ValidateNested()
  customer?: CustomerInput;

  @Field(() => ID, {
    nullable: true,
    description: 'For backends: the public id of the customer who buys, and may pay with what they saved.',
  })
  customerId?: string;

  @Field(() => GraphQLJSONObject, { nullable: true, description: 'For backends: the merchant’s own notes.' })
  metadata?: Record<string, unknown>;

  @Field(() => BookingInput, {
    nullable: true,
    description: 'What is to be booked once the order is paid; products with a dailyCapacity need it.',
  })
  booking?: BookingInput | null;

  @Field(() => String, { nullable: true, description: 'BCP 47, such as fr or en-GB.' })
  @IsOptional()
  @IsLocale()
  locale?: string;

  @Field(() => String, {
    nullable: true,
    description:
      'A random text of your own, so that the same request made twice makes one order. Without a token it must be a random UUID, repeated from the same address, and is as secret as the order’s token.',
  })
  @IsOptional()
  @Length(16, 255)
  idempotencyKey?: string;
}

@InputType({ description: 'What is to be different in an order; what is not given stays.' })
export class UpdateOrderInput {
  @Field(() => ID, { description: 'The order to change.' })
  orderId: string;

  @Field(() => [OrderLineInput], { nullable: true, description: 'They replace all lines of the order.' })
  @IsOptional()
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  lines?: OrderLineInput[];

  @Field(() => [OwnOrderLineInput], {
    nullable: true,
    description: 'For backends: lines with their own prices.',
  })
  @IsOptional()
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  ownLines?: OwnOrderLineInput[];

  @Field(() => BookingInput, {
    nullable: true,
    description: 'The whole booking anew; null: none any more. Places that are held move with it.',
  })
  booking?: BookingInput | null;
}
