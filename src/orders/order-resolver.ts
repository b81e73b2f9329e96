import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { GraphQLJSONObject, GraphQLLocalDate, GraphQLSafeInt } from 'graphql-scalars';
import { actorName, callerName, isStaffOrBackend, maySeeOrder } from '../access/caller.js';
import { requirePermission } from '../access/permission.js';
import type { OrderContext as Context } from './order-context.js';
import { strangersKey } from '../idempotency/strangers-key.js';
import { formatMoney } from '../money.js';
import type { Day } from './booking-days.js';
import type { BookingInput } from './booking-input.js';
import { bookingOfOrder, OrderBooking } from './booking-of-order.js';
import type { BookingRequest } from './booking-request.js';
import { createOrder } from './create-order.js';
import { freePlaces, FreePlaces } from './free-places.js';
import { recordNewOrderToken } from './record-new-order-token.js';
import { Order } from './order.js';
import { OrderError } from './order-error.js';
import { CreateOrderInput, type OrderLineInput, type OwnOrderLineInput } from './order-inputs.js';
import type { LineInput } from './price-lines.js';
import { OrderLine } from './order-line.js';
import { Product } from './product.js';

const MAX_METADATA_CHARACTERS = 8_192;
const MAX_PRODUCTS = 200;

@ObjectType({ description: 'A new order, and what opens it.' })
class CreateOrderPayload {
  @Field(() => Order, { description: 'The order, with the server’s own prices.' })
  order: Order;

  @Field(() => String, {
    description: 'Opens this order and its payments, and nothing else: send it as "Authorization: Bearer …".',
  })
  orderToken: string;
}

@Resolver(() => Order)
export class OrderResolver {
  @Query(() => [Product], { description: 'The catalogue.' })
  async products(@Ctx() { manager }: Context): Promise<Product[]> {
    return manager.find(Product, { where: { active: true }, order: { sku: 'ASC' }, take: MAX_PRODUCTS });
  }

  @Query(() => [FreePlaces], {
    description:
      'How many places of a product can still be booked, day by day. Anybody may ask, and nothing is held by it: that begins with a payment.',
  })
  async freePlaces(
    @Arg('sku', () => String, { description: 'Of a product with a dailyCapacity.' }) sku: string,
    @Arg('from', () => GraphQLLocalDate, { description: 'The first day, in the shop’s time zone.' })
    from: Day,
    @Arg('to', () => GraphQLLocalDate, { description: 'The last day: of 366 at most.' }) to: Day,
    @Ctx() { manager, shopTimeZone }: Context,
  ): Promise<FreePlaces[]> {
    return freePlaces(manager, { sku, from, to }, shopTimeZone);
  }

  @Query(() => Order, { description: 'An order that the caller may see.' })
  async order(
    @Arg('id', () => ID, { description: 'Its public id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Order> {
    return findOrder(context, id);
  }

  @Mutation(() => CreateOrderPayload, {
    description:
      'Writes an order down. Stock is held once its payment begins. Anybody may: it costs nothing yet.',
  })
  async createOrder(
    @Arg('input', () => CreateOrderInput, { description: 'What is asked for.' }) input: CreateOrderInput,
    @Ctx() context: Context,
  ): Promise<CreateOrderPayload> {
    const { caller, manager, authentication } = context;
    const { lines: _lines, ownLines: _ownLines, ...rest } = input;
    checkMetadata(input.metadata);
    const isMerchant = isStaffOrBackend(caller);
    const request = {
      ...rest,
      lines: linesOf(input),
      booking: bookingOf(input.booking),
      writtenBy: isMerchant ? ('MERCHANT' as const) : ('PAYER' as const),
      caller: callerName(caller),
      idempotencyKey: keyOf(context, input.idempotencyKey),
    };
    const order = await createOrder(manager, request, context);
    return { order, orderToken: await authentication.orderTokens.sign(order.reference) };
  }

  @Mutation(() => String, {
    description: 'For backends: a new order token, for a payer whose own has expired.',
  })
  async createOrderToken(
    @Arg('orderId', () => ID, { description: 'The order’s public id.' }) orderId: string,
    @Ctx() context: Context,
  ): Promise<string> {
    const { caller, manager } = context;
    const { reference, customerId } = await findOrder(context, orderId, 'orderId');
    // With it, what the customer has saved can be charged.
    if (customerId !== null)
      requirePermission(caller, { backend: 'customers' }, 'A token of a customer’s order');
    await recordNewOrderToken(manager, reference, actorName(caller));
    return context.authentication.orderTokens.sign(reference);
  }

  @FieldResolver(() => [OrderLine], { description: 'In the order in which they were given.' })
  async lines(@Root() order: Order, @Ctx() { manager }: Context): Promise<OrderLine[]> {
    return manager.find(OrderLine, { where: { orderId: order.id }, order: { position: 'ASC' } });
  }

  @FieldResolver(() => OrderBooking, {
    nullable: true,
    description: 'What it books, or will book once it is paid.',
  })
  async booking(@Root() order: Order, @Ctx() { manager }: Context): Promise<OrderBooking | null> {
    return bookingOfOrder(manager, order);
  }

  @FieldResolver(() => GraphQLJSONObject, {
    nullable: true,
    description: 'The merchant’s own notes. For backends and operators; null for others.',
  })
  metadata(@Root() order: Order, @Ctx() { caller }: Context): Record<string, unknown> | null {
    return isStaffOrBackend(caller) ? order.metadata : null;
  }

  @FieldResolver(() => String, { description: 'The total, for people.' })
  formatted(
    @Root() { amount, currency, locale }: Order,
    @Arg('locale', () => String, { nullable: true, description: 'BCP 47, such as fr.' }) wanted?: string,
  ): string {
    return formatMoney(amount, currency, wanted ?? locale);
  }
}

@Resolver(() => Product)
export class ProductResolver {
  @FieldResolver(() => GraphQLSafeInt, {
    nullable: true,
    description: 'How many can be ordered now; null where nobody counts.',
  })
  available(@Root() { stock, reserved }: Product): number | null {
    return stock === null ? null : stock - reserved;
  }

  @FieldResolver(() => String, { description: 'The price of one, for people.' })
  formatted(
    @Root() { unitAmount, currency }: Product,
    @Arg('locale', () => String, { nullable: true, description: 'BCP 47, such as fr.' }) locale?: string,
  ): string {
    return formatMoney(unitAmount, currency, locale ?? 'en');
  }
}

/** @throws {OrderError} ORDER_NOT_FOUND, also for an order that is there and not the caller's to see. */
export async function findOrder(
  { caller, manager }: Context,
  reference: string,
  field = 'id',
): Promise<Order> {
  const order = maySeeOrder(caller, reference) ? await manager.findOneBy(Order, { reference }) : null;
  if (!order) throw new OrderError('ORDER_NOT_FOUND', 'There is no such order, or it is not yours.', field);
  return order;
}

export function linesOf({
  lines,
  ownLines,
}: {
  lines?: OrderLineInput[] | null;
  ownLines?: OwnOrderLineInput[] | null;
}) {
  const all: LineInput[] = [
    ...(lines ?? []).map(({ sku, quantity }) => ({ sku, quantity })),
    ...(ownLines ?? []).map(({ name, quantity, unitAmount }) => ({ name, quantity, unitAmount })),
  ];
  if (all.length > 0) return all;
  throw new OrderError('INVALID_ORDER', 'An order needs at least one line.', 'lines');
}

export function bookingOf(input: BookingInput | null | undefined): BookingRequest | null {
  return input ? { startsAt: input.startsAt, endsAt: input.endsAt, details: input.details ?? {} } : null;
}

/** @throws {OrderError} where a caller without a token gives one that strangers could choose, too. */
function keyOf({ caller, clientAddress }: Context, given: string | null | undefined): string | null {
  if (caller.kind !== 'anonymous' || !given) return given ?? null;
  const key = strangersKey(given, clientAddress);
  if (key !== null) return key;
  throw new OrderError(
    'INVALID_ORDER',
    'Without a token, idempotencyKey must be a random UUID, such as crypto.randomUUID() makes: whoever repeats it is given this order.',
    'idempotencyKey',
  );
}

function checkMetadata(metadata: Record<string, unknown> | undefined): void {
  if (metadata === undefined || JSON.stringify(metadata).length <= MAX_METADATA_CHARACTERS) return;
  throw new OrderError(
    'INVALID_ORDER',
    `metadata may have ${MAX_METADATA_CHARACTERS} characters as JSON.`,
    'metadata',
  );
}
