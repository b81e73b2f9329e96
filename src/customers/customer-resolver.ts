import { IsEmail, IsLocale, IsOptional, Length, MaxLength } from 'class-validator';
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { actorName, callerName, maySeeCustomer } from '../access/caller.js';
import type { PaymentContext as Context } from '../payments/payment-context.js';
import { NextAction } from '../payments/payment-types.js';
import type { NextAction as Action } from '../providers/provider.js';
import {
  detachPaymentMethod,
  findSavedMethod,
  refreshSavedMethods,
  savedMethodNotFound,
  setUpPaymentMethod,
} from './change-saved-methods.js';
import { createCustomer, findCustomer, recordActOnCustomer } from './create-customer.js';
import { Customer } from './customer.js';
import { CustomerError } from './customer-error.js';
import { savedMethodsOf } from './read-saved-methods.js';
import { SavedPaymentMethod } from './saved-payment-method.js';

@InputType({ description: 'A user of the merchant’s.' })
class CreateCustomerInput {
  @Field(() => String, { description: 'The merchant’s own id of them. It stays theirs.' })
  @Length(1, 200)
  externalId: string;

  @Field(() => String, { nullable: true, description: 'Where they are written to.' })
  @IsOptional()
  @IsEmail()
  @MaxLength(254)
  email?: string;

  @Field(() => String, { nullable: true, description: 'As they write it.' })
  @IsOptional()
  // As long as Stripe takes it.
  @Length(1, 150)
  name?: string;

  @Field(() => String, { nullable: true, description: 'BCP 47, such as fr or en-GB.' })
  @IsOptional()
  @IsLocale()
  locale?: string;
}

@InputType({ description: 'Whose way to pay is to be saved.' })
class SetUpPaymentMethodInput {
  @Field(() => ID, { description: 'The customer’s public id.' })
  customerId: string;

  @Field(() => String, {
    nullable: true,
    description:
      'A random text of your own (a UUID): the same request made twice gives the same next action.',
  })
  @IsOptional()
  @Length(16, 200)
  idempotencyKey?: string;
}

@ObjectType({ description: 'What the customer does to save a way to pay.' })
class SetUpPaymentMethodPayload {
  @Field(() => NextAction, {
    description:
      'With Stripe: stripe.confirmSetup({ elements, … }). The saved method is there a moment later.',
  })
  nextAction: Action;
}

@Resolver(() => Customer)
export class CustomerResolver {
  @Query(() => Customer, { description: 'A customer, by one of the two ids.' })
  async customer(
    @Arg('id', () => ID, { nullable: true, description: 'Their public id.' }) id: string | undefined,
    @Arg('externalId', () => String, {
      nullable: true,
      description: 'For backends: the merchant’s own id of them.',
    })
    externalId: string | undefined,
    @Ctx() context: Context,
  ): Promise<Customer> {
    if (id) return findOwnCustomer(context, id, 'id');
    if (externalId) return findCustomer(context.manager, { externalId }, 'externalId');
    throw new CustomerError('CUSTOMER_NOT_FOUND', 'Give id or externalId.', { field: 'id' });
  }

  @Mutation(() => Customer, {
    description:
      'For backends: writes a user of the merchant’s down, or gives the one with this externalId as they are.',
  })
  async createCustomer(
    @Arg('input', () => CreateCustomerInput, { description: 'Who they are.' }) input: CreateCustomerInput,
    @Ctx() { caller, manager }: Context,
  ): Promise<Customer> {
    return createCustomer(manager, input, callerName(caller));
  }

  @Mutation(() => String, {
    description:
      'For backends: a token with which this customer sees, saves and detaches their own ways to pay.',
  })
  async createCustomerToken(
    @Arg('customerId', () => ID, { description: 'The customer’s public id.' }) customerId: string,
    @Ctx() { caller, manager, authentication }: Context,
  ): Promise<string> {
    const customer = await findCustomer(manager, { reference: customerId });
    // Whoever holds it can act as the customer, so it stays in the audit log who asked.
    await recordActOnCustomer(manager, customer, callerName(caller), 'customer.token_created');
    return authentication.customerTokens.sign(customer.reference);
  }

  @Mutation(() => SetUpPaymentMethodPayload, {
    description: 'For the customer and backends: saves a way to pay without paying.',
  })
  async setUpPaymentMethod(
    @Arg('input', () => SetUpPaymentMethodInput, { description: 'What is asked for.' })
    { customerId, idempotencyKey }: SetUpPaymentMethodInput,
    @Ctx() context: Context,
  ): Promise<SetUpPaymentMethodPayload> {
    const { manager, payments } = context;
    const customer = await findOwnCustomer(context, customerId);
    const nextAction = await setUpPaymentMethod(manager, payments.providers, customer, {
      caller: callerName(context.caller),
      idempotencyKey,
    });
    await recordActOnCustomer(manager, customer, callerName(context.caller), 'payment_method.setup_begun');
    return { nextAction };
  }

  @Query(() => [SavedPaymentMethod], { description: 'What a customer has saved, the newest first.' })
  async savedPaymentMethods(
    @Arg('customerId', () => ID, { description: 'The customer’s public id.' }) customerId: string,
    @Arg('refresh', () => Boolean, {
      defaultValue: false,
      description:
        'For the customer, backends and operators: asks the provider first, for right after something was saved.',
    })
    refresh: boolean,
    @Ctx() context: Context,
  ): Promise<SavedPaymentMethod[]> {
    const { manager, payments } = context;
    const customer = await findOwnCustomer(context, customerId);
    if (refresh) await refreshSavedMethods(manager, payments.providers, customer);
    return savedMethodsOf(manager, customer.id);
  }
}

@Resolver(() => SavedPaymentMethod)
export class SavedMethodResolver {
  @Mutation(() => SavedPaymentMethod, {
    description:
      'For the customer and backends: takes a saved way to pay away, at the provider and for good.',
  })
  async detachPaymentMethod(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() { caller, manager, payments }: Context,
  ): Promise<SavedPaymentMethod> {
    const method = await findSavedMethod(manager, id);
    if (!maySeeCustomer(caller, method.customer.reference)) throw savedMethodNotFound('id');
    return detachPaymentMethod(manager, payments.providers, method, actorName(caller));
  }

  @FieldResolver(() => Boolean, { description: 'Whether it was taken away, and can’t be charged any more.' })
  detached(@Root() { detachedAt }: SavedPaymentMethod): boolean {
    return detachedAt !== null;
  }
}

/** @throws {CustomerError} CUSTOMER_NOT_FOUND, also for one who is there and not the caller's to see. */
export async function findOwnCustomer(
  { caller, manager }: Pick<Context, 'caller' | 'manager'>,
  reference: string,
  field = 'customerId',
): Promise<Customer> {
  if (maySeeCustomer(caller, reference)) return findCustomer(manager, { reference }, field);
  throw new CustomerError('CUSTOMER_NOT_FOUND', 'There is no such customer, or it is not yours.', { field });
}
