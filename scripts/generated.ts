/**
 * What is written from the code and committed, because people read it: the API's schema, and the states of a payment.
 * The check fails when the code says something else; `npm run generate` writes it anew.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { createSchema } from '../src/graphql/schema.js';
import { PAYMENT_STATUSES, TRANSITIONS } from '../src/payments/transitions.js';

const GENERATED: Readonly<Record<string, () => Promise<string> | string>> = {
  'schema.graphql': schema,
  'docs/payment-states.md': paymentStates,
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
