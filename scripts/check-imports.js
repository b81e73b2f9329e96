/**
 * The arrows of the house go one way: this is the rule, and `npm run check` runs it. Each folder lists what it may know.
 * A new folder must be entered here, with the fewest arrows that it can live with.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import process from 'node:process';

/** Leaves that everybody may know. */
const LEAVES = ['doubling-pause.ts', 'money.ts', 'phone-numbers.ts', 'references.ts', 'seal.ts'];

const MAY_KNOW = {
  database: [],
  idempotency: ['database'],
  paging: ['database'],
  outbox: ['database'],
  jobs: ['access', 'audit', 'database'],
  limits: [],
  observability: [],
  access: ['audit', 'database'],
  providers: [],
  customers: [
    'access',
    'audit',
    'database',
    'payments',
    'providers/concern.ts',
    'providers/provider.ts',
    'providers/saved-methods.ts',
  ],
  subscriptions: [
    'access',
    'audit',
    'customers',
    'database',
    'idempotency',
    'orders',
    'payments',
    'providers/amount-limits.ts',
    'providers/concern.ts',
    'providers/provider.ts',
    'providers/recurring.ts',
  ],
  orders: [
    'access',
    'audit',
    'customers/create-customer.ts',
    'customers/customer.ts',
    'database',
    'idempotency',
    'limits/limit-error.ts',
    'limits/limits.ts',
  ],
  audit: ['database'],
  payments: [
    'access',
    'audit',
    'customers/change-saved-methods.ts',
    'customers/customer-error.ts',
    'customers/customer.ts',
    'customers/provider-account.ts',
    'database',
    'idempotency',
    'orders',
    'outbox',
    'health/mobile-operator.ts',
    'jobs/side-by-side.ts',
    'limits/limit-error.ts',
    'limits/limits.ts',
    'providers/amount-limits.ts',
    'providers/provider.ts',
    'providers/routing.ts',
    'providers/saved-methods.ts',
    // A notification is stored in the very statement that applies it.
    'webhooks/webhook-event.ts',
  ],
  webhooks: [
    'access',
    'audit',
    'customers',
    'database',
    'jobs/side-by-side.ts',
    'limits',
    'outbox/topics.ts',
    'paging',
    'payments',
    'providers/concern.ts',
    'providers/provider.ts',
    'subscriptions',
  ],
  retention: ['database'],
  health: ['access', 'providers/health.ts'],
  notifications: ['access', 'audit', 'database', 'jobs', 'orders', 'outbox', 'paging', 'payments'],
  'provider-log': [
    'access',
    'database',
    'paging',
    'payments',
    'providers/current-call.ts',
    'providers/provider-call.ts',
  ],
  graphql: [
    'audit/refused-log-ins.ts',
    'access',
    'customers',
    'database',
    'health',
    'idempotency',
    'jobs',
    'limits',
    'notifications',
    'orders',
    'paging',
    'payments',
    'provider-log',
    'subscriptions',
    'webhooks',
  ],
  reconcile: ['command-line.ts', 'database', 'payments', 'providers/provider.ts', 'webhooks'],
  sandbox: ['config.ts'],
};

/** Files that put the others together. */
const COMPOSITION = [
  'database/data-source.ts',
  'access/create-api-key.ts',
  'audit/verify-audit-log.ts',
  'reconcile/main.ts',
];

const root = join(import.meta.dirname, '..', 'src');

const faults = filesIn(root).flatMap((file) =>
  importsOf(file)
    .filter((imported) => !isAllowed(file, imported))
    .map((imported) => `src/${file} imports ${imported}, which src/${folderOf(file)}/ may not know`),
);
for (const fault of faults) console.error(fault);
if (faults.length > 0) {
  console.error('\nThe rule and its reasons stand in scripts/check-imports.js.');
  process.exit(1);
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => slashes(relative(root, join(entry.parentPath, entry.name))));
}

/** What a file imports of ours, as paths within `src`. */
function importsOf(file) {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/(?:from|import\(|import)\s*'(\.{1,2}\/[^']+)'/g);
  return [...found].map(([, path]) => slashes(normalize(join(dirname(file), path))).replace(/\.js$/, '.ts'));
}

function isAllowed(file, imported) {
  const folder = folderOf(file);
  // Composition, at the top of the house or by name, may know everything.
  if (folder === null || COMPOSITION.includes(file)) return true;
  if (folder === 'demo') return true;
  // Two providers know nothing of each other.
  if (folder === 'providers') return isWithinOneProvider(file, imported) || LEAVES.includes(imported);
  if (folderOf(imported) === folder || LEAVES.includes(imported)) return true;
  if (!(folder in MAY_KNOW)) return false;
  return MAY_KNOW[folder].some((known) => imported === known || imported.startsWith(`${known}/`));
}

function isWithinOneProvider(file, imported) {
  return dirname(imported) === 'providers' || dirname(imported) === dirname(file);
}

function folderOf(file) {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : null;
}

function slashes(path) {
  return path.split(sep).join('/');
}
