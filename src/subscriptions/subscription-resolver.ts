import { ArrayMaxSize, IsOptional, Length, Max, Min, ValidateNested } from 'class-validator';
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { GraphQLSafeInt } from 'graphql-scalars';
import { actorName, callerName, maySeeCustomer } from '../access/caller.js';
import { findCustomer } from '../customers/create-customer.js';
import { findOwnCustomer } from '../customers/customer-resolver.js';
import { Customer } from '../customers/customer.js';
import { Order } from '../orders/order.js';
import type { PaymentContext as Context } from '../payments/payment-context.js';
import { NextAction } from '../payments/payment-types.js';
import type { NextAction as Action } from '../providers/provider.js';
import { beginSubscription } from './begin-subscription.js';
import { cancelSubscription } from './cancel-subscription.js';
import { RecurringSubscription } from './recurring-subscription.js';
import type { SubscriptionDependencies } from './subscription-dependencies.js';
import { SubscriptionError } from './subscription-error.js';

/** As many as Stripe takes. */
const MAX_LINES = 20;
const MAX_QUANTITY = 100_000;
const MAX_ORDERS = 200;

@InputType({ description: 'A product with a recurring price.' })
class RecurringLineInput {
  @Field(() => String, { description: 'The product.' })
  @Length(1, 100)
  sku: string;

  @Field(() => Int, { description: 'How many of it, each time.' })
  @Min(1)
  @Max(MAX_QUANTITY)
  quantity: number;
}

@InputType({ description: 'Who pays what again and again. For backends.' })
class CreateRecurringSubscriptionInput {
  @Field(() => ID, { description: 'The customer’s public id.' })
  customerId: string;

  @Field(() => [RecurringLineInput], { description: 'Products of one currency and one interval.' })
  @ArrayMaxSize(MAX_LINES)
  @ValidateNested({ each: true })
  lines: RecurringLineInput[];

  @Field(() => ID, {
    nullable: true,
    description:
      'What is charged, the first time at once. Without it, the customer gives it with the first payment.',
  })
  @IsOptional()
  savedMethodId?: string;

  @Field(() => String, {
    description: 'A random text of your own (a UUID): the same request made twice is one subscription.',
  })
  @Length(16, 255)
  idempotencyKey: string;
}

@ObjectType({ description: 'A new subscription, and what the customer does for its first payment.' })
class CreateRecurringSubscriptionPayload {
  @Field(() => RecurringSubscription, { description: 'It is ACTIVE once its first payment is there.' })
  subscription: RecurringSubscription;

  @Field(() => NextAction, { nullable: true, description: 'Null when there is nothing left for them to do.' })
  nextAction: Action | null;
}

@ObjectType('RecurringLine', { description: 'What is paid for each time.' })
class RecurringLine {
  @Field(() => String, { description: 'What it was called when it was subscribed to.' })
  name: string;

  @Field(() => Int, { description: 'How many.' })
  quantity: number;

  @Field(() => GraphQLSafeInt, { description: 'Price of one, each time, in minor units.' })
  unitAmount: number;
}

@Resolver(() => RecurringSubscription)
export class RecurringSubscriptionResolver {
  @Query(() => RecurringSubscription, { description: 'A subscription that the caller may see.' })
  async recurringSubscription(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<RecurringSubscription> {
    return findOwn(context, id);
  }

  @Query(() => [RecurringSubscription], { description: 'A customer’s subscriptions, the newest first.' })
  async recurringSubscriptions(
    @Arg('customerId', () => ID, { description: 'The customer’s public id.' }) customerId: string,
    @Ctx() context: Context,
  ): Promise<RecurringSubscription[]> {
    const customer = await findOwnCustomer(context, customerId);
    const where = { customerId: customer.id };
    return context.manager.find(RecurringSubscription, { where, order: { createdAt: 'DESC', id: 'DESC' } });
  }

  @Mutation(() => CreateRecurringSubscriptionPayload, {
    description: 'For backends: the provider collects the products’ recurring prices from now on.',
  })
  async createRecurringSubscription(
    @Arg('input', () => CreateRecurringSubscriptionInput, { description: 'What is asked for.' })
    { customerId, ...input }: CreateRecurringSubscriptionInput,
    @Ctx() context: Context,
  ): Promise<CreateRecurringSubscriptionPayload> {
    const { caller, manager } = context;
    const customer = await findCustomer(manager, { reference: customerId });
    return beginSubscription(manager, acting(context), { ...input, customer, caller: callerName(caller) });
  }

  @Mutation(() => RecurringSubscription, {
    description: 'For the customer, backends and operators: ends it now, or with what was paid for.',
  })
  async cancelRecurringSubscription(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Arg('atPeriodEnd', () => Boolean, { description: 'False: now. Nothing is given back by itself.' })
    atPeriodEnd: boolean,
    @Ctx() context: Context,
  ): Promise<RecurringSubscription> {
    const subscription = await findOwn(context, id);
    return cancelSubscription(context.manager, acting(context), subscription, atPeriodEnd);
  }

  @FieldResolver(() => [RecurringLine], { description: 'What is paid for each time.' })
  lines(@Root() { lines }: RecurringSubscription): RecurringLine[] {
    return lines;
  }

  @FieldResolver(() => Customer, { description: 'Who pays.' })
  async customer(
    @Root() { customerId }: RecurringSubscription,
    @Ctx() { manager }: Context,
  ): Promise<Customer> {
    return manager.findOneByOrFail(Customer, { id: customerId });
  }

  @FieldResolver(() => [Order], { description: 'What was collected, or should have been, the newest first.' })
  async orders(@Root() { id }: RecurringSubscription, @Ctx() { manager }: Context): Promise<Order[]> {
    const where = { recurringSubscriptionId: id };
    return manager.find(Order, { where, order: { createdAt: 'DESC', id: 'DESC' }, take: MAX_ORDERS });
  }
}

/** @throws {SubscriptionError} SUBSCRIPTION_NOT_FOUND, also for one that is there and not the caller's to see. */
async function findOwn({ caller, manager }: Context, reference: string): Promise<RecurringSubscription> {
  const found = await manager.findOne(RecurringSubscription, {
    where: { reference },
    relations: { customer: true },
  });
  if (found?.customer && maySeeCustomer(caller, found.customer.reference)) return found;
  throw new SubscriptionError(
    'SUBSCRIPTION_NOT_FOUND',
    'There is no such subscription, or it is not yours.',
    'id',
  );
}

function acting({ payments, caller }: Context): SubscriptionDependencies {
  return { ...payments, actor: actorName(caller) };
}
