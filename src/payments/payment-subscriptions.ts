import { Arg, Ctx, Field, ID, InputType, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import { filter, pipe } from '@graphql-yoga/subscription';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { requireStillValid } from '../access/authenticate.js';
import type { PaymentContext as Context } from './payment-context.js';
import { PaymentError } from './payment-error.js';
import { PaymentIntent } from './payment-intent.js';
import { findPaymentIntent } from './payment-resolver.js';
import type { StatusChangedPayload } from './status-changed.js';
import { PaymentStatus } from './transitions.js';
import { watchAllPayments } from './watch-all-payments.js';
import { watchPayment } from './watch-payment.js';

@ObjectType({ description: 'A payment’s change of status, or, first of all, its present one.' })
class PaymentStatusChange {
  @Field(() => PaymentIntent, { description: 'As it was right after the change.' })
  paymentIntent: PaymentIntent;

  @Field(() => PaymentStatus, {
    nullable: true,
    description: 'Null for the first one of a payment, and for its present state.',
  })
  previousStatus: PaymentStatus | null;

  @Field(() => PaymentStatus, { description: 'The status from then on.' })
  status: PaymentStatus;

  @Field(() => Int, {
    description: '1, 2, 3 … without holes. After a reconnect, say the last one to sinceVersion.',
  })
  version: number;

  @Field(() => GraphQLDateTimeISO, { description: 'When it changed, by the database’s clock.' })
  occurredAt: Date;
}

@InputType({ description: 'Which payments to hear of; without it, all.' })
class PaymentIntentFilter {
  @Field(() => [PaymentStatus], { nullable: true, description: 'Changes to one of these.' })
  status?: PaymentStatus[];

  @Field(() => ID, { nullable: true, description: 'Only the payments of this order.' })
  orderId?: string;
}

@Resolver()
export class PaymentSubscriptions {
  @Subscription(() => PaymentStatusChange, {
    description:
      'One payment, live: its present state first, then each change in order, none lost and none twice.',
    subscribe: ({
      args,
      context,
    }: {
      args: { paymentIntentId: string; sinceVersion?: number | null };
      context: Context;
    }) => watchOne(context, args.paymentIntentId, args.sinceVersion ?? null),
  })
  paymentStatusChanged(
    @Root() payload: StatusChangedPayload,
    @Arg('paymentIntentId', () => ID, { description: 'The payment’s public id.' }) _paymentIntentId: string,
    @Arg('sinceVersion', () => Int, {
      nullable: true,
      description:
        'The last version you saw: you get exactly what you missed since. One that the payment has not reached is answered with its present state.',
    })
    _sinceVersion?: number,
  ): PaymentStatusChange {
    return toChange(payload);
  }

  @Subscription(() => PaymentStatusChange, {
    description: 'For backends and operators: every payment’s changes from now on.',
    subscribe: ({ args, context }: { args: { filter?: PaymentIntentFilter | null }; context: Context }) =>
      watchAll(context, args.filter ?? {}),
  })
  paymentIntentsChanged(
    @Root() payload: StatusChangedPayload,
    @Arg('filter', () => PaymentIntentFilter, { nullable: true, description: 'Without it, all.' })
    _filter?: PaymentIntentFilter,
    @Ctx() _context?: Context,
  ): PaymentStatusChange {
    return toChange(payload);
  }
}

async function watchOne(context: Context, reference: string, sinceVersion: number | null) {
  if (sinceVersion !== null && sinceVersion < 0) {
    throw new PaymentError('INVALID_VERSION', 'sinceVersion is the last version you saw: 0 or more.', {
      field: 'sinceVersion',
    });
  }
  const load = () => findPaymentIntent(context, reference, 'paymentIntentId');
  const { intent } = await load();
  const { authentication, caller, manager, pubSub } = context;
  return watchPayment(
    { manager, pubSub, checkAccess: async () => void (await requireStillValid(authentication, caller)) },
    intent.id,
    load,
    sinceVersion,
  );
}

function watchAll({ authentication, caller, pubSub }: Context, { status, orderId }: PaymentIntentFilter) {
  const isWanted = (payload: StatusChangedPayload) =>
    (!status || status.includes(payload.status)) && (!orderId || payload.orderReference === orderId);
  return pipe(
    watchAllPayments(pubSub, isWanted),
    filter(async () => {
      await requireStillValid(authentication, caller);
      return true;
    }),
  );
}

function toChange(payload: StatusChangedPayload): PaymentStatusChange {
  return { ...payload, occurredAt: new Date(payload.occurredAt) };
}
