import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** When a number was last made to ring, within the hour that its budget counts. */
@Entity('phone_prompt')
@Check('phone_prompt_some', `cardinality(prompted_at) > 0`)
export class PhonePrompt {
  /** A digest of the number, which only our secret makes. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'phone_prompt_pkey' })
  numberDigest: string;

  @Column('timestamptz', { array: true })
  promptedAt: Date[];
}
