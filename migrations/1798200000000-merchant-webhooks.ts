import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Webhooks to the merchant: where they go, each message to each endpoint, and each try. */
export class MerchantWebhooks1798200000000 implements MigrationInterface {
  readonly name = 'MerchantWebhooks1798200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE webhook_endpoint (
        id uuid CONSTRAINT webhook_endpoint_pkey PRIMARY KEY,
        reference text NOT NULL CONSTRAINT webhook_endpoint_reference_once UNIQUE,
        url text NOT NULL,
        message_types text[],
        status text NOT NULL
          CONSTRAINT webhook_endpoint_status_known CHECK (status IN ('ENABLED', 'DISABLED')),
        disabled_reason text
          CONSTRAINT webhook_endpoint_reason_known CHECK (disabled_reason IN ('BY_HAND', 'GONE', 'FAILING')),
        sealed_secret text NOT NULL,
        sealed_previous_secret text,
        previous_secret_until timestamptz,
        first_failed_at timestamptz,
        rest_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT webhook_endpoint_disabled_for_a_reason
          CHECK ((status = 'DISABLED') = (disabled_reason IS NOT NULL)),
        CONSTRAINT webhook_endpoint_previous_secret_ends
          CHECK ((sealed_previous_secret IS NULL) = (previous_secret_until IS NULL))
      )`);
    await runner.query(`
      CREATE TABLE webhook_delivery (
        id uuid CONSTRAINT webhook_delivery_pkey PRIMARY KEY,
        message_id text NOT NULL CONSTRAINT webhook_delivery_message_once UNIQUE,
        endpoint_id uuid NOT NULL
          CONSTRAINT webhook_delivery_endpoint_fkey REFERENCES webhook_endpoint ON DELETE CASCADE,
        outbox_event_id bigint CONSTRAINT webhook_delivery_event_fkey REFERENCES outbox_event,
        type text NOT NULL,
        payload text NOT NULL,
        status text NOT NULL
          CONSTRAINT webhook_delivery_status_known CHECK (status IN ('PENDING', 'SUCCEEDED', 'FAILED')),
        tries integer NOT NULL DEFAULT 0,
        next_try_at timestamptz,
        claim uuid,
        claimed_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT webhook_delivery_once UNIQUE (endpoint_id, outbox_event_id),
        CONSTRAINT webhook_delivery_pending_is_tried CHECK ((status = 'PENDING') = (next_try_at IS NOT NULL))
      )`);
    await runner.query(
      `CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, next_try_at) WHERE status = 'PENDING'`,
    );
    await runner.query('CREATE INDEX webhook_delivery_created ON webhook_delivery (created_at, id)');
    await runner.query(
      'CREATE INDEX webhook_delivery_of_endpoint ON webhook_delivery (endpoint_id, created_at, id)',
    );
    await runner.query(`
      CREATE TABLE webhook_delivery_try (
        id uuid CONSTRAINT webhook_delivery_try_pkey PRIMARY KEY,
        delivery_id uuid NOT NULL
          CONSTRAINT webhook_delivery_try_delivery_fkey REFERENCES webhook_delivery ON DELETE CASCADE,
        url text NOT NULL,
        request_headers jsonb NOT NULL,
        answer_status integer,
        answer_body text,
        error text,
        milliseconds integer NOT NULL,
        started_at timestamptz NOT NULL
      )`);
    await runner.query(
      'CREATE INDEX webhook_delivery_try_delivery ON webhook_delivery_try (delivery_id, started_at)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE webhook_delivery_try, webhook_delivery, webhook_endpoint');
  }
}
