import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { callerName, maySeeOrder, requireToken, type Caller } from '../access/caller.js';
import type { PaymentContext as Context } from './payment-context.js';
import { formatMoney } from '../money.js';
import { Order } from '../orders/order.js';
import { findOrder } from '../orders/order-resolver.js';
import { OrderError } from '../orders/order-error.js';
import type { NextAction as Action } from '../providers/provider.js';
import { cancelOrder } from './cancel-order.js';
import { cancelPaymentIntent } from './cancel-payment-intent.js';
import { createPaymentIntent } from './create-payment-intent.js';
import { nextActionOf } from './initiate-attempt.js';
import { isLive, PaymentAttempt } from './payment-attempt.js';
import { PaymentError } from './payment-error.js';
import { PaymentIntent } from './payment-intent.js';
import { paymentChoices } from './payment-options.js';
import {
  CreatePaymentIntentInput,
  CreatePaymentIntentPayload,
  NextAction,
  PaymentOption,
  UpdatePaymentIntentInput,
} from './payment-types.js';
import { updatePaymentIntent } from './update-payment-intent.js';

@Resolver(() => PaymentIntent)
export class PaymentResolver {
  @Query(() => PaymentIntent, { description: 'A payment that the caller may see.' })
  async paymentIntent(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<PaymentIntent> {
    return (await findPaymentIntent(context, id)).intent;
  }

  @Query(() => [PaymentOption], { description: 'The ways to pay this order.' })
  async paymentOptions(
    @Arg('orderId', () => ID, { description: 'The order’s public id.' }) orderId: string,
    @Ctx() context: Context,
  ): Promise<PaymentOption[]> {
    const order = await findOrder(context, orderId, 'orderId');
    if (order.status !== 'OPEN') return [];
    return paymentChoices(context.payments.providers, order).map(({ provider, method, presentation }) => ({
      provider: provider.name,
      method,
      presentation,
    }));
  }

  @Mutation(() => CreatePaymentIntentPayload, {
    description:
      'Opens the payment of an order and holds its stock. For an order with an open payment, gives that one.',
  })
  async createPaymentIntent(
    @Arg('input', () => CreatePaymentIntentInput, { description: 'What is asked for.' })
    { orderId, ...input }: CreatePaymentIntentInput,
    @Ctx() { caller, manager, payments }: Context,
  ): Promise<CreatePaymentIntentPayload> {
    requireToken(caller);
    if (!maySeeOrder(caller, orderId)) throw orderNotFound();
    const { payment, attempt } = await createPaymentIntent(manager, payments, {
      ...input,
      orderReference: orderId,
      caller: callerName(caller),
    });
    return {
      paymentIntent: payment.intent,
      nextAction: attempt && mayActAsPayer(caller) ? nextActionOf(payments.seal, attempt) : null,
    };
  }

  @Mutation(() => PaymentIntent, {
    description: 'Brings a payment that nobody has paid yet to its order’s present total.',
  })
  async updatePaymentIntent(
    @Arg('input', () => UpdatePaymentIntentInput, { description: 'What is asked for.' })
    { paymentIntentId }: UpdatePaymentIntentInput,
    @Ctx() context: Context,
  ): Promise<PaymentIntent> {
    const { intent } = await findPaymentIntent(context, paymentIntentId, 'paymentIntentId');
    return (await updatePaymentIntent(context.manager, context.payments, intent.reference)).intent;
  }

  @Mutation(() => PaymentIntent, {
    description: 'Ends a payment at its provider and gives its stock back. Refused once money has moved.',
  })
  async cancelPaymentIntent(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<PaymentIntent> {
    const { intent } = await findPaymentIntent(context, id);
    return (await cancelPaymentIntent(context.manager, context.payments, intent.reference)).intent;
  }

  @Mutation(() => Order, { description: 'Cancels an order that is not paid, and its open payment with it.' })
  async cancelOrder(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Order> {
    const { reference } = await findOrder(context, id);
    return cancelOrder(context.manager, context.payments, reference);
  }

  @FieldResolver(() => Order, { description: 'What is being paid.' })
  async order(@Root() intent: PaymentIntent, @Ctx() { manager }: Context): Promise<Order> {
    return manager.findOneByOrFail(Order, { id: intent.orderId });
  }

  @FieldResolver(() => [PaymentAttempt], { description: 'Every try so far, the first one first.' })
  async attempts(@Root() intent: PaymentIntent, @Ctx() { manager }: Context): Promise<PaymentAttempt[]> {
    return manager.find(PaymentAttempt, { where: { intentId: intent.id }, order: { number: 'ASC' } });
  }

  @FieldResolver(() => NextAction, {
    nullable: true,
    description: 'What the payer does next; null when there is nothing left to do.',
  })
  async nextAction(
    @Root() intent: PaymentIntent,
    @Ctx() { manager, payments, caller }: Context,
  ): Promise<Action | null> {
    if (intent.status !== 'PENDING' || !mayActAsPayer(caller)) return null;
    const attempts = await manager.find(PaymentAttempt, {
      where: { intentId: intent.id },
      order: { number: 'DESC' },
    });
    const current = attempts.find(isLive);
    return current ? nextActionOf(payments.seal, current) : null;
  }

  @FieldResolver(() => String, { description: 'The amount, for people.' })
  formatted(
    @Root() { amount, currency }: PaymentIntent,
    @Arg('locale', () => String, { nullable: true, description: 'BCP 47, such as fr.' }) locale?: string,
  ): string {
    return formatMoney(amount, currency, locale ?? 'en');
  }
}

/** What an order's payments are is told here: an order itself knows nothing of payments. */
@Resolver(() => Order)
export class OrderPaymentsResolver {
  @FieldResolver(() => [PaymentIntent], { description: 'The payments of this order, the first one first.' })
  async paymentIntents(@Root() order: Order, @Ctx() { manager }: Context): Promise<PaymentIntent[]> {
    return manager.find(PaymentIntent, { where: { orderId: order.id }, order: { createdAt: 'ASC' } });
  }
}

/** @throws {PaymentError} PAYMENT_NOT_FOUND, also for a payment that is there and not the caller's to see. */
export async function findPaymentIntent(
  { caller, manager }: Context,
  reference: string,
  field = 'id',
): Promise<{ intent: PaymentIntent; orderReference: string }> {
  const found =
    caller.kind === 'anonymous'
      ? null
      : await manager.findOne(PaymentIntent, { where: { reference }, relations: { order: true } });
  if (found?.order && maySeeOrder(caller, found.order.reference)) {
    return { intent: found, orderReference: found.order.reference };
  }
  throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment, or it is not yours.', { field });
}

/** Whoever holds a next action can act as the payer, which is no business of staff. */
function mayActAsPayer(caller: Caller): boolean {
  return caller.kind !== 'operator';
}

function orderNotFound(): OrderError {
  return new OrderError('ORDER_NOT_FOUND', 'There is no such order, or it is not yours.', 'orderId');
}
