import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Signed statements of how the audit log stood, which the database can't make itself. */
export class AuditCheckpoints1798680400000 implements MigrationInterface {
  readonly name = 'AuditCheckpoints1798680400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_checkpoint (
        number integer NOT NULL,
        key_id text NOT NULL,
        last_entry_id bigint NOT NULL,
        entries bigint NOT NULL,
        digest text NOT NULL,
        head text NOT NULL,
        mac text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (number)
      )`);
    await runner.query(`
      CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE audit_checkpoint');
  }
}
