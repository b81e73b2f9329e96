import type { EntityManager } from 'typeorm';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO, GraphQLJSONObject } from 'graphql-scalars';
import { Booking } from './booking.js';
import type { Order } from './order.js';

export const BookingStatus = {
  REQUESTED: 'REQUESTED',
  CONFIRMED: 'CONFIRMED',
  CANCELLED: 'CANCELLED',
} as const;
export type BookingStatus = (typeof BookingStatus)[keyof typeof BookingStatus];

registerEnumType(BookingStatus, {
  name: 'BookingStatus',
  description: 'Where a booking stands.',
  valuesConfig: {
    REQUESTED: { description: 'Asked for with the order: it is made when the order is paid.' },
    CONFIRMED: { description: 'Made: its order is paid.' },
    CANCELLED: { description: 'All of the money was given back, or the order was cancelled before.' },
  },
});

@ObjectType({ description: 'What an order books, or will book once it is paid.' })
export class OrderBooking {
  @Field(() => ID, { nullable: true, description: 'Opaque, `BKG-…`; null until it is made.' })
  id: string | null;

  @Field(() => BookingStatus, { description: 'Where it stands.' })
  status: BookingStatus;

  @Field(() => GraphQLDateTimeISO, { description: 'From when.' })
  startsAt: Date;

  @Field(() => GraphQLDateTimeISO, { description: 'Until when.' })
  endsAt: Date;

  @Field(() => GraphQLJSONObject, { description: 'As they were given: transport, flight number, services.' })
  details: Record<string, unknown>;
}

/** What was made counts; before that, what was asked for. */
export async function bookingOfOrder(manager: EntityManager, order: Order): Promise<OrderBooking | null> {
  const { bookingStartsAt: startsAt, bookingEndsAt: endsAt, bookingDetails: details } = order;
  if (!startsAt || !endsAt || !details) return null;
  const made = order.status === 'CONFIRMED' ? await manager.findOneBy(Booking, { orderId: order.id }) : null;
  if (made) return { ...made, id: made.reference };
  return {
    id: null,
    status: order.status === 'CANCELLED' ? 'CANCELLED' : 'REQUESTED',
    startsAt,
    endsAt,
    details,
  };
}
