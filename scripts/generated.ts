/**
 * What is written from the code and committed, because people read it: the API's schema, the states of a payment, and who may what.
 * The check fails when the code says something else; `npm run generate` writes it anew.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import { lexicographicSortSchema, printSchema } from 'graphql';
import type { Permission } from '../src/access/permission.js';
import { INPUTS, OPERATIONS } from '../src/access/permissions.js';
import { SCOPES } from '../src/access/scopes.js';
import { createSchema } from '../src/graphql/schema.js';
import { PAYMENT_STATUSES, TRANSITIONS } from '../src/payments/transitions.js';

const GENERATED: Readonly<Record<string, () => Promise<string> | string>> = {
  'schema.graphql': schema,
  'docs/payment-states.md': paymentStates,
  'docs/access.md': access,
};

const root = join(import.meta.dirname, '..');
const isWriting = process.argv.includes('--write');

for (const [file, generate] of Object.entries(GENERATED)) {
  const path = join(root, file);
  const content = await generate();
  if (isWriting) await writeFile(path, content);
  else if ((await readFile(path, 'utf8')) !== content) {
    console.error(`${file} is not what the code says. Run \`npm run generate\`, and read the difference.`);
    process.exitCode = 1;
  }
}

async function schema(): Promise<string> {
  const text = printSchema(lexicographicSortSchema(await createSchema()));
  return `# Made from the code by \`npm run generate\`. Don’t edit.\n\n${text}\n`;
}

function access(): Promise<string> {
  const row = ([name, permission]: [string, Permission & { readonly value?: string }]) =>
    [
      `\`${name}\`${permission.value ? `: ${permission.value}` : ''}`,
      permission.anonymous ? 'yes' : '–',
      permission.payer ? 'yes' : '–',
      permission.customer ? 'yes' : '–',
      permission.backend === 'ANY_SCOPE' ? 'any' : (permission.backend ?? '–'),
      permission.operator ?? '–',
    ].join(' | ');
  const table = (what: string, permissions: Readonly<Record<string, Permission>>) =>
    [
      `${what} | no token | payer | customer | scope of an API key | least role of an operator`,
      `- | - | - | - | - | -`,
      ...Object.entries(permissions).map(row),
    ]
      .map((line) => `| ${line} |`)
      .join('\n');
  const scopes = Object.entries(SCOPES).map(([scope, may]) => `- \`${scope}\`: ${may}`);
  const text = `# Who may what

Made from \`src/access/permissions.ts\` by \`npm run generate\`. Don’t edit. [The reasons](decisions/0016-who-may-what.md).

The payer holds the token of one order, the customer that of their own account: of others’ things they are told \`NOT_FOUND\`. A
role may also do what the roles before it may: \`viewer\`, \`support\`, \`operator\`. The scopes of an API key stand side by side:

${scopes.join('\n')}

## Operations

${table('Operation', OPERATIONS)}

## Arguments and fields of inputs

What isn’t here may be given by all who may begin the operation.

${table('Argument or field', INPUTS)}
`;
  return format(text, { parser: 'markdown', printWidth: 130, proseWrap: 'preserve' });
}

function paymentStates(): string {
  const steps = PAYMENT_STATUSES.flatMap((from) => TRANSITIONS[from].map((to) => `  ${from} --> ${to}`));
  return `# The states of a payment intent

Made from \`src/payments/transitions.ts\` by \`npm run generate\`. Don’t edit.

\`\`\`mermaid
stateDiagram-v2
  [*] --> PENDING
${steps.join('\n')}
\`\`\`

What each status means stands in \`schema.graphql\`, at \`enum PaymentStatus\`. A step that isn't drawn is never taken: a
notification that asks for it is kept, and its \`outcome\` says \`stale\`.

- **FAILED, CANCELLED and EXPIRED to PAID** is late money: the provider took it after we had given up. If the stock can
  be taken again, the order is confirmed; if not, the payment goes to REVIEW, and the money back.
- **REVIEW** is left when the money went back, or by a person: \`settlePaymentReview\` accepts, refunds, or closes. What
  was closed with its money still here can be refunded, or decided about anew; what was refunded and never PAID comes back
  to REVIEW when its refund fails after all.
- **Back from REFUNDED or PARTIALLY_REFUNDED**: a refund that had succeeded failed after all, which banks do days later.
- **DISPUTED** lasts until a dispute is decided and its money is where it was decided to be. **CHARGED_BACK** is what the
  bank keeps, all or a part; an appeal or a later decision leads out of it.
`;
}
