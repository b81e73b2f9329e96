import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import {
  actorName,
  callerName,
  isStaffOrBackend,
  mayActAsPayer,
  maySeeOrder,
  type Caller,
} from '../access/caller.js';
import type { PaymentContext as Context } from './payment-context.js';
import { formatMoney } from '../money.js';
import { Order } from '../orders/order.js';
import { UpdateOrderInput } from '../orders/order-inputs.js';
import { bookingOf, findOrder, linesOf } from '../orders/order-resolver.js';
import { OrderError } from '../orders/order-error.js';
import { refuseOutsideLimits } from '../orders/order-limits.js';
import type { NextAction as Action } from '../providers/provider.js';
import { cancelOrder } from './cancel-order.js';
import { cancelPaymentIntent } from './cancel-payment-intent.js';
import { capturePaymentIntent } from './capture-payment-intent.js';
import { createPaymentIntent } from './create-payment-intent.js';
import { Dispute } from './dispute.js';
import { nextActionOf } from './initiate-attempt.js';
import { isLive, PaymentAttempt } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { partyOf } from './order-rights.js';
import { PaymentError } from './payment-error.js';
import { PaymentIntent } from './payment-intent.js';
import { isOpen } from './payment-options.js';
import { optionOf, PaymentOption } from './payment-option.js';
import { readCountry } from './phone-number.js';
import {
  CapturePaymentIntentInput,
  CreatePaymentIntentInput,
  CreatePaymentIntentPayload,
  NextAction,
  RefundPaymentInput,
  SettlePaymentReviewInput,
  UpdatePaymentIntentInput,
} from './payment-types.js';
import { Refund } from './refund.js';
import { authorityOf } from './refund-limits.js';
import { refundPayment } from './refund-payment.js';
import { routesOfOrder } from './routes-of-order.js';
import { settlePaymentReview } from './settle-payment-review.js';
import { updateOrder } from './update-order.js';
import { updatePaymentIntent } from './update-payment-intent.js';
import { verifyPaymentIntent } from './verify-payment-intent.js';

@Resolver(() => PaymentIntent)
export class PaymentResolver {
  @Query(() => PaymentIntent, { description: 'A payment that the caller may see.' })
  async paymentIntent(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<PaymentIntent> {
    return (await findPaymentIntent(context, id)).intent;
  }

  @Query(() => [PaymentOption], {
    description:
      'The ways to pay this order. None for a total of 0: there is nothing to choose, and createPaymentIntent alone confirms it. An error, with the limits, for a total outside the shop’s own.',
  })
  async paymentOptions(
    @Arg('orderId', () => ID, { description: 'The order’s public id.' }) orderId: string,
    @Arg('country', () => String, {
      nullable: true,
      description: 'The payer’s, ISO 3166-1 alpha-2. Without it, what there is anywhere.',
    })
    country: string | undefined,
    @Arg('includeUnavailable', () => Boolean, {
      defaultValue: false,
      description: 'For operators: also the ways that are not open to this order, and why.',
    })
    includeUnavailable: boolean,
    @Ctx() context: Context,
  ): Promise<PaymentOption[]> {
    const order = await findOrder(context, orderId, 'orderId');
    if (!includeUnavailable && order.status === 'OPEN') {
      refuseOutsideLimits(context.payments.orderLimits, order, 'orderId');
    }
    const where = country ? readCountry(country) : undefined;
    return (await routesOfOrder(context.manager, context.payments, order, where))
      .filter((route) => includeUnavailable || isOpen(route))
      .map((route) => optionOf(context.payments, order, route, where));
  }

  @Mutation(() => CreatePaymentIntentPayload, {
    description:
      'Opens the payment of an order and holds its stock. One of 0 is PAID at once, without a provider and a next action. For an order with an open payment, gives that one. A subscription’s is open while its provider tries, and is paid by CARD, EMBEDDED alone.',
  })
  async createPaymentIntent(
    @Arg('input', () => CreatePaymentIntentInput, { description: 'What is asked for.' })
    { orderId, ...input }: CreatePaymentIntentInput,
    @Ctx() context: Context,
  ): Promise<CreatePaymentIntentPayload> {
    const { caller, manager, payments } = context;
    if (!maySeeOrder(caller, orderId)) throw orderNotFound();
    refuseKeylessCharge(caller, input);
    const { payment, attempt } = await createPaymentIntent(
      manager,
      acting(context),
      {
        ...input,
        orderReference: orderId,
        caller: callerName(caller),
      },
      isStaffOrBackend(caller) ? null : payments.digestClient(context.clientAddress),
    );
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
    return (await updatePaymentIntent(context.manager, acting(context), intent.reference)).intent;
  }

  @Mutation(() => PaymentIntent, {
    description:
      'Ends a payment at its provider and gives its stock back. Refused once money has moved, and for a subscription’s. Money that is held only backends and the role `operator` let go.',
  })
  async cancelPaymentIntent(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<PaymentIntent> {
    const { intent } = await findPaymentIntent(context, id);
    const { caller, manager } = context;
    return (await cancelPaymentIntent(manager, acting(context), partyOf(caller), intent.reference)).intent;
  }

  @Mutation(() => PaymentIntent, {
    description:
      '“Did it go through?” From the database; the provider is asked about a payment that is open for more than 30 s.',
  })
  async verifyPaymentIntent(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<PaymentIntent> {
    const { intent } = await findPaymentIntent(context, id);
    return (await verifyPaymentIntent(context.manager, acting(context), intent.reference)).intent;
  }

  @Mutation(() => PaymentIntent, {
    description: 'For backends and operators: takes money that is held, all or a part.',
  })
  async capturePaymentIntent(
    @Arg('input', () => CapturePaymentIntentInput, { description: 'What is asked for.' })
    { paymentIntentId, ...input }: CapturePaymentIntentInput,
    @Ctx() context: Context,
  ): Promise<PaymentIntent> {
    const { intent } = await findPaymentIntent(context, paymentIntentId, 'paymentIntentId');
    const captured = await capturePaymentIntent(context.manager, acting(context), {
      ...input,
      intentReference: intent.reference,
      caller: callerName(context.caller),
    });
    return captured.intent;
  }

  @Mutation(() => Refund, {
    description:
      'For backends and operators: gives money back, all that is left or a part of it. The role `support` up to a limit for each order; where the shop has one, one operator, too: more is for requestRefund.',
  })
  async refundPayment(
    @Arg('input', () => RefundPaymentInput, { description: 'What is asked for.' })
    { paymentIntentId, ...input }: RefundPaymentInput,
    @Ctx() context: Context,
  ): Promise<Refund> {
    const { intent } = await findPaymentIntent(context, paymentIntentId, 'paymentIntentId');
    return refundPayment(context.manager, acting(context), {
      ...input,
      intentReference: intent.reference,
      caller: callerName(context.caller),
      authority: authorityOf(context.caller),
    });
  }

  @Mutation(() => PaymentIntent, {
    description: 'For operators: decides about a payment in REVIEW. The reason stays in the audit log.',
  })
  async settlePaymentReview(
    @Arg('input', () => SettlePaymentReviewInput, { description: 'What is decided.' })
    { paymentIntentId, ...settlement }: SettlePaymentReviewInput,
    @Ctx() context: Context,
  ): Promise<PaymentIntent> {
    const { intent } = await findPaymentIntent(context, paymentIntentId, 'paymentIntentId');
    const settled = await settlePaymentReview(context.manager, acting(context), intent.reference, {
      ...settlement,
      caller: callerName(context.caller),
    });
    return settled.intent;
  }

  @Mutation(() => Order, {
    description:
      'Replaces the lines or the booking of an order that is not paid. Payers may change what they wrote themselves. Tell an open payment to follow with updatePaymentIntent.',
  })
  async updateOrder(
    @Arg('input', () => UpdateOrderInput, { description: 'What is asked for.' }) input: UpdateOrderInput,
    @Ctx() context: Context,
  ): Promise<Order> {
    const { caller } = context;
    const { reference } = await findOrder(context, input.orderId, 'orderId');
    const keepsLines = !input.lines && !input.ownLines && input.booking !== undefined;
    const changes = {
      lines: keepsLines ? null : linesOf(input),
      booking: input.booking === undefined ? undefined : bookingOf(input.booking),
    };
    return updateOrder(context, partyOf(caller), reference, changes, actorName(caller));
  }

  @Mutation(() => Order, { description: 'Cancels an order that is not paid, and its open payment with it.' })
  async cancelOrder(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Order> {
    const { reference } = await findOrder(context, id);
    return cancelOrder(context.manager, acting(context), partyOf(context.caller), reference);
  }

  @FieldResolver(() => Order, { description: 'What is being paid.' })
  async order(@Root() intent: PaymentIntent, @Ctx() { manager }: Context): Promise<Order> {
    return manager.findOneByOrFail(Order, { id: intent.orderId });
  }

  @FieldResolver(() => [PaymentAttempt], { description: 'Every try so far, the first one first.' })
  async attempts(@Root() intent: PaymentIntent, @Ctx() { manager }: Context): Promise<PaymentAttempt[]> {
    return manager.find(PaymentAttempt, { where: { intentId: intent.id }, order: { number: 'ASC' } });
  }

  @FieldResolver(() => [Refund], { description: 'Every refund, the first one first.' })
  async refunds(@Root() intent: PaymentIntent, @Ctx() { manager }: Context): Promise<Refund[]> {
    return manager.find(Refund, { where: { intentId: intent.id }, order: { createdAt: 'ASC', id: 'ASC' } });
  }

  @FieldResolver(() => [Dispute], {
    description: 'Every dispute, the first one first. For backends and operators; empty for payers.',
  })
  async disputes(@Root() intent: PaymentIntent, @Ctx() { manager, caller }: Context): Promise<Dispute[]> {
    if (!isStaffOrBackend(caller)) return [];
    return manager.find(Dispute, { where: { intentId: intent.id }, order: { createdAt: 'ASC' } });
  }

  @FieldResolver(() => NextAction, {
    nullable: true,
    description:
      'What the payer does next; null when there is nothing left to do, and for operators and API keys that may not act as the payer.',
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

/** What actions need, in the caller's name: the audit log has it. */
function acting({ payments, caller }: Context): PaymentDependencies {
  const phonePromptsPerHour = isStaffOrBackend(caller) ? 0 : payments.phonePromptsPerHour;
  return { ...payments, phonePromptsPerHour, actor: actorName(caller) };
}

/** A payer who clicks twice is there to see it. A backend that repeats a charge isn't, and only its key says so. */
function refuseKeylessCharge(
  caller: Caller,
  { savedMethodId, idempotencyKey }: Pick<CreatePaymentIntentInput, 'savedMethodId' | 'idempotencyKey'>,
): void {
  if (!savedMethodId || idempotencyKey || !isStaffOrBackend(caller)) return;
  throw new PaymentError(
    'IDEMPOTENCY_KEY_MISSING',
    'Give an idempotencyKey: a random text of your own (a UUID) for each charge, and the same one when you repeat it.',
  );
}

function orderNotFound(): OrderError {
  return new OrderError('ORDER_NOT_FOUND', 'There is no such order, or it is not yours.', 'orderId');
}
