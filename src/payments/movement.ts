import {
  Check,
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  Unique,
  type Relation,
} from 'typeorm';
import { inQuotes } from '../database/in-quotes.js';
import type { Currency } from '../money.js';
import { PaymentAttempt } from './payment-attempt.js';
import { PaymentIntent } from './payment-intent.js';

const MOVEMENT_KINDS = ['CAPTURE', 'REFUND', 'REFUND_REVERSAL', 'CHARGEBACK', 'CHARGEBACK_REVERSAL'] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

/**
 * Money that really moved. Append-only, by trigger; the same money can't be written twice, by the unique key over the
 * provider's own id of it. Every total of an intent is the sum of its movements.
 */
@Entity('movement')
@Unique('movement_once', ['provider', 'providerReference', 'kind'])
@Index('movement_intent', ['intentId'])
@Check('movement_amount_positive', `amount > 0 AND amount <= 9007199254740991`)
@Check('movement_kind_known', `kind IN (${inQuotes(MOVEMENT_KINDS)})`)
export class Movement {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'movement_pkey' })
  id: string;

  @ManyToOne(() => PaymentIntent)
  @JoinColumn({ name: 'intent_id', foreignKeyConstraintName: 'movement_intent_fkey' })
  intent?: Relation<PaymentIntent>;

  @Column('uuid')
  intentId: string;

  @ManyToOne(() => PaymentAttempt)
  @JoinColumn({ name: 'attempt_id', foreignKeyConstraintName: 'movement_attempt_fkey' })
  attempt?: Relation<PaymentAttempt>;

  @Column('uuid')
  attemptId: string;

  @Column('text')
  kind: MovementKind;

  /** Minor units, always positive: the kind says which way it went. */
  @Column('bigint')
  amount: number;

  @Column('char', { length: 3 })
  currency: Currency;

  @Column('text')
  provider: string;

  @Column('text')
  providerReference: string;

  /** The provider's id of the dispute that moved it. Null for other money, and where its own reference is the dispute's id. */
  @Column('text', { nullable: true })
  disputeReference: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
