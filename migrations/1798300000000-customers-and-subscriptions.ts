import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Customers, what they have saved, and what they pay again and again. */
export class CustomersAndSubscriptions1798300000000 implements MigrationInterface {
  readonly name = 'CustomersAndSubscriptions1798300000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const EMAIL_TEMPLATES = `'ORDER_CONFIRMED', 'PAYMENT_FAILED', 'REFUND_MADE', 'PAID_LATE', 'PAYMENT_GIVEN_BACK',
  'PAYMENT_UNDER_REVIEW', 'PAYMENT_REMINDER', 'DISPUTE_OPENED', 'REVIEW_NEEDED', 'UNEXPECTED_MONEY'`;

const emailTemplates = (templates: string) => `
  ALTER TABLE email_message DROP CONSTRAINT email_message_template_known,
    ADD CONSTRAINT email_message_template_known CHECK (template IN (${templates}))`;

const UP = [
  `CREATE TABLE customer (
    id uuid CONSTRAINT customer_pkey PRIMARY KEY,
    reference text NOT NULL CONSTRAINT customer_reference_once UNIQUE,
    external_id text NOT NULL CONSTRAINT customer_external_id_once UNIQUE,
    email text,
    name text,
    locale text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE TABLE customer_provider_account (
    customer_id uuid NOT NULL CONSTRAINT customer_provider_account_customer_fkey REFERENCES customer,
    provider text NOT NULL,
    idempotency_key text NOT NULL,
    provider_reference text,
    list_version integer NOT NULL DEFAULT 0,
    CONSTRAINT customer_provider_account_pkey PRIMARY KEY (customer_id, provider),
    CONSTRAINT customer_provider_account_reference_once UNIQUE (provider, provider_reference)
  )`,
  `CREATE TABLE saved_payment_method (
    id uuid CONSTRAINT saved_payment_method_pkey PRIMARY KEY,
    reference text NOT NULL CONSTRAINT saved_payment_method_reference_once UNIQUE,
    customer_id uuid NOT NULL CONSTRAINT saved_payment_method_customer_fkey REFERENCES customer,
    provider text NOT NULL,
    provider_reference text NOT NULL,
    brand text NOT NULL,
    last4 text NOT NULL,
    expiry_month integer NOT NULL
      CONSTRAINT saved_payment_method_expiry_month_known CHECK (expiry_month BETWEEN 1 AND 12),
    expiry_year integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    detached_at timestamptz,
    CONSTRAINT saved_payment_method_provider_reference_once UNIQUE (provider, provider_reference)
  )`,
  'CREATE INDEX saved_payment_method_customer ON saved_payment_method (customer_id)',
  'ALTER TABLE orders ADD customer_id uuid CONSTRAINT orders_customer_fkey REFERENCES customer',
  `ALTER TABLE payment_attempt
    ADD customer_reference text,
    ADD method_reference text,
    ADD off_session boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT payment_attempt_method_of_customer
      CHECK (method_reference IS NULL OR customer_reference IS NOT NULL),
    ADD CONSTRAINT payment_attempt_off_session_with_method CHECK (NOT off_session OR method_reference IS NOT NULL)`,
  `ALTER TABLE product
    ADD recurring_interval text,
    ADD recurring_interval_count integer,
    ADD CONSTRAINT product_recurring_whole CHECK (
      recurring_interval IN ('DAY', 'WEEK', 'MONTH', 'YEAR') AND recurring_interval_count > 0
      AND stock IS NULL AND daily_capacity IS NULL
      OR num_nonnulls(recurring_interval, recurring_interval_count) = 0)`,
  `CREATE TABLE recurring_subscription (
    id uuid CONSTRAINT recurring_subscription_pkey PRIMARY KEY,
    reference text NOT NULL CONSTRAINT recurring_subscription_reference_once UNIQUE,
    customer_id uuid NOT NULL CONSTRAINT recurring_subscription_customer_fkey REFERENCES customer,
    provider text NOT NULL,
    idempotency_key text NOT NULL,
    provider_reference text,
    method_reference text,
    lines jsonb NOT NULL,
    amount bigint NOT NULL
      CONSTRAINT recurring_subscription_amount_positive CHECK (amount > 0 AND amount <= 9007199254740991),
    currency char(3) NOT NULL,
    "interval" text NOT NULL,
    interval_count integer NOT NULL,
    status text NOT NULL
      CONSTRAINT recurring_subscription_status_known
      CHECK (status IN ('INCOMPLETE', 'ACTIVE', 'PAST_DUE', 'UNPAID', 'PAUSED', 'CANCELLED', 'EXPIRED')),
    cancel_at_period_end boolean NOT NULL DEFAULT false,
    current_period_ends_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CONSTRAINT recurring_subscription_provider_reference_once UNIQUE (provider, provider_reference)
  )`,
  'CREATE INDEX recurring_subscription_customer ON recurring_subscription (customer_id)',
  'ALTER TABLE orders ADD recurring_subscription_id uuid',
  `CREATE INDEX orders_recurring_subscription ON orders (recurring_subscription_id)
    WHERE recurring_subscription_id IS NOT NULL`,
  `CREATE TABLE subscription_invoice (
    id uuid CONSTRAINT subscription_invoice_pkey PRIMARY KEY,
    subscription_id uuid NOT NULL
      CONSTRAINT subscription_invoice_subscription_fkey REFERENCES recurring_subscription,
    provider text NOT NULL,
    provider_reference text NOT NULL,
    order_id uuid NOT NULL
      CONSTRAINT subscription_invoice_order_once UNIQUE
      CONSTRAINT subscription_invoice_order_fkey REFERENCES orders,
    intent_reference text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT subscription_invoice_once UNIQUE (provider, provider_reference)
  )`,
  'CREATE INDEX subscription_invoice_subscription ON subscription_invoice (subscription_id)',
  emailTemplates(`${EMAIL_TEMPLATES}, 'PAYER_NEEDED'`),
];

const DOWN = [
  `DELETE FROM email_message WHERE template = 'PAYER_NEEDED'`,
  emailTemplates(EMAIL_TEMPLATES),
  `ALTER TABLE payment_attempt DROP COLUMN customer_reference, DROP COLUMN method_reference, DROP COLUMN off_session`,
  'DROP TABLE subscription_invoice',
  'ALTER TABLE orders DROP COLUMN recurring_subscription_id',
  'DROP TABLE recurring_subscription',
  'ALTER TABLE product DROP COLUMN recurring_interval, DROP COLUMN recurring_interval_count',
  'ALTER TABLE orders DROP COLUMN customer_id',
  'DROP TABLE saved_payment_method',
  'DROP TABLE customer_provider_account',
  'DROP TABLE customer',
];
