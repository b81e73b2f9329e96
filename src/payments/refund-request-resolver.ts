import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { actorName, callerName } from '../access/caller.js';
import type { PaymentContext as Context } from './payment-context.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentIntent } from './payment-intent.js';
import { findPaymentIntent } from './payment-resolver.js';
import { RefundPaymentInput } from './payment-types.js';
import { Refund } from './refund.js';
import { authorityOf } from './refund-limits.js';
import { RefundRequest, RefundRequestStatus } from './refund-request.js';
import { approveRefund, declineRefund, requestRefund } from './request-refund.js';

const MOST = 200;

@Resolver(() => RefundRequest)
export class RefundRequestResolver {
  @Query(() => [RefundRequest], {
    nullable: true,
    description: 'For operators: refunds that another operator was asked to approve, the newest first.',
  })
  async refundRequests(
    @Arg('first', () => Int, { defaultValue: 50, description: `At most ${MOST}.` }) first: number,
    @Ctx() { manager }: Context,
  ): Promise<RefundRequest[]> {
    const take = Math.min(Math.max(first, 1), MOST);
    return manager.find(RefundRequest, { order: { createdAt: 'DESC', id: 'DESC' }, take });
  }

  @Mutation(() => RefundRequest, {
    nullable: true,
    description:
      'For operators: asks another operator to approve a refund that is larger than one alone may make. For a day.',
  })
  async requestRefund(
    @Arg('input', () => RefundPaymentInput, { description: 'What is to be given back.' })
    { paymentIntentId, ...input }: RefundPaymentInput,
    @Ctx() context: Context,
  ): Promise<RefundRequest> {
    const { intent } = await findPaymentIntent(context, paymentIntentId, 'paymentIntentId');
    return requestRefund(context.manager, acting(context), {
      ...input,
      intentReference: intent.reference,
      caller: callerName(context.caller),
      authority: authorityOf(context.caller),
    });
  }

  @Mutation(() => Refund, {
    nullable: true,
    description: 'For operators: makes a refund that another person asked for.',
  })
  async approveRefund(
    @Arg('id', () => ID, { description: 'Of the request, `RRQ-…`.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Refund> {
    return approveRefund(context.manager, acting(context), id, callerName(context.caller));
  }

  @Mutation(() => RefundRequest, {
    nullable: true,
    description: 'For operators: says no to a refund that was asked for, or takes one’s own request back.',
  })
  async declineRefund(
    @Arg('id', () => ID, { description: 'Of the request, `RRQ-…`.' }) id: string,
    @Ctx() context: Context,
  ): Promise<RefundRequest> {
    return declineRefund(context.manager, acting(context), id, callerName(context.caller));
  }

  @FieldResolver(() => RefundRequestStatus, { description: 'Where it stands.' })
  async status(
    @Root() { id, decision }: RefundRequest,
    @Ctx() { manager }: Context,
  ): Promise<RefundRequestStatus> {
    if (decision) return decision;
    const [row]: { isExpired: boolean }[] = await manager.query(
      'SELECT expires_at <= now() AS "isExpired" FROM refund_request WHERE id = $1',
      [id],
    );
    return row?.isExpired ? 'EXPIRED' : 'PENDING';
  }

  @FieldResolver(() => PaymentIntent, { description: 'The payment to give money back of.' })
  async paymentIntent(
    @Root() { intentId }: RefundRequest,
    @Ctx() { manager }: Context,
  ): Promise<PaymentIntent> {
    return manager.findOneByOrFail(PaymentIntent, { id: intentId });
  }
}

function acting({ payments, caller }: Context): PaymentDependencies {
  return { ...payments, actor: actorName(caller) };
}
