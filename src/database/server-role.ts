import type { DataSource, EntityManager } from 'typeorm';

/** What is only ever added to: not even the server may change or remove a row of it. */
const APPEND_ONLY = ['audit_log', 'audit_checkpoint', 'movement'];

/** The job runner's own schema, whose tables let nobody but their owner see a row without a policy. */
const JOBS_SCHEMA = 'graphile_worker';
const POLICY = 'quittance_server';

/**
 * Lets the server's role read and write rows, and nothing else: it owns no table, and what is only ever added to it can't
 * change. The role is made where it is missing. Repeating it does nothing.
 * @param owner connected as the owner, with its migrations applied.
 */
export async function grantServerRole(
  { manager }: DataSource,
  role: string,
  password: string,
): Promise<void> {
  await manager.transaction(async (transaction) => {
    const quote = await quoter(transaction, role, password);
    if (!quote.exists) await transaction.query(`CREATE ROLE ${quote.role} LOGIN PASSWORD ${quote.password}`);
    for (const sql of grantsTo(quote.role)) await transaction.query(sql);
    await letSeeJobs(transaction, quote.role);
  });
}

/** Whether the role of this connection could change what it must not: it owns the audit log, or is a superuser. */
export async function ownsTables(manager: EntityManager): Promise<boolean> {
  const [found] = await manager.query<{ owns: boolean }[]>(
    `SELECT pg_has_role(current_user, relowner, 'USAGE') AS owns FROM pg_class WHERE oid = 'audit_log'::regclass`,
  );
  return found?.owns === true;
}

async function quoter(manager: EntityManager, role: string, password: string) {
  const [quoted] = await manager.query<{ role: string; password: string; exists: boolean }[]>(
    `SELECT quote_ident($1::text) AS role, quote_literal($2::text) AS password,
       EXISTS (SELECT FROM pg_roles WHERE rolname = $1::text) AS exists`,
    [role, password],
  );
  return quoted!;
}

function grantsTo(role: string): string[] {
  const kept = APPEND_ONLY.join(', ');
  return [
    `REVOKE CREATE ON SCHEMA public FROM PUBLIC, ${role}`,
    `REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role}`,
    `GRANT USAGE ON SCHEMA public, ${JOBS_SCHEMA} TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, ${JOBS_SCHEMA} TO ${role}`,
    `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public, ${JOBS_SCHEMA} TO ${role}`,
    `REVOKE UPDATE, DELETE, TRUNCATE ON ${kept} FROM ${role}`,
    `REVOKE INSERT, UPDATE, DELETE ON migration, ${JOBS_SCHEMA}.migrations FROM ${role}`,
  ];
}

async function letSeeJobs(manager: EntityManager, role: string): Promise<void> {
  const tables = await manager.query<{ name: string }[]>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relrowsecurity`,
    [JOBS_SCHEMA],
  );
  for (const { name } of tables) {
    await manager.query(`DROP POLICY IF EXISTS ${POLICY} ON ${name}`);
    await manager.query(`CREATE POLICY ${POLICY} ON ${name} TO ${role} USING (true) WITH CHECK (true)`);
  }
}
