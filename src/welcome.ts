import { join } from 'node:path';
import { signOperatorToken } from './access/operator-token.js';
import type { Config } from './config.js';
import { mailFolder } from './create-emails.js';
import { RETURN_PATH } from './return-page.js';
import type { RunningProduct } from './start.js';

const OPERATOR_TOKEN_MILLISECONDS = 12 * 60 * 60 * 1_000;

/** What a newcomer is shown when the server is ready: where things are, keys that work now, and what to paste. */
export async function welcome(product: RunningProduct, config: Config): Promise<string> {
  const { url, local } = product;
  const webSocket = url.replace(/^http/, 'ws');
  const operator =
    local && !config.operators
      ? await signOperatorToken(local.operatorJwtSecret, 'local-operator', OPERATOR_TOKEN_MILLISECONDS)
      : undefined;
  return `
Quittance is ready.

  GraphQL      ${url}/graphql
  live status  ${webSocket}/graphql   (graphql-ws)
  webhooks     ${url}/webhooks/:provider   (from the providers)
  health       ${url}/healthz  ${url}/readyz
  e-mails      ${wayOfEmails(config)}
${product.sandboxPages.flatMap(linesOf).join('\n')}

For this local run:
  backend key     ${local?.apiKey ?? '-'}
  operator token  ${operator ?? 'as OPERATOR_JWT_… says'}
  your webhooks   createWebhookEndpoint${config.webhooksAllowPrivate ? ' takes http://localhost:3000/ too' : ''}   (docs/webhooks.md)

A first payment, in three commands:

1. Order cloth. The answer's token opens this order and nothing else.

   eval $(curl -s ${url}/graphql -H 'content-type: application/json' \\
     -d '{"query":"mutation { createOrder(input: { lines: [{ sku: \\"WAX-PRINT\\", quantity: 1 }], customer: { email: \\"awa@example.com\\" } }) { order { id } orderToken } }"}' \\
     | node -pe 'const { order, orderToken } = JSON.parse(require("fs").readFileSync(0)).data.createOrder; \`ORDER=\${order.id} TOKEN=\${orderToken}\`'); echo $ORDER

2. Pay it at the bank: open the url of the answer in a browser, and press Pay.

   curl -s ${url}/graphql -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" \\
     -d '{"query":"mutation { createPaymentIntent(input: { orderId: \\"'$ORDER'\\", method: BANK, returnUrl: \\"${url}${RETURN_PATH}\\" }) { paymentIntent { id status } nextAction { ... on RedirectToUrl { url } } } }"}'
${byPhone(product)}
3. See that it is paid, and the order confirmed.

   curl -s ${url}/graphql -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" \\
     -d '{"query":"{ order(id: \\"'$ORDER'\\") { status formatted paymentIntents { id status paidAt } } }"}'

Or let it all be played for you, live:  npm run demo
`;
}

/** Without the mail server's password. */
function wayOfEmails(config: Config): string {
  const { smtpUrl } = config.emails;
  return smtpUrl === undefined
    ? `${join(mailFolder(config), '*.eml')}   (no mail server is set)`
    : `through ${new URL(smtpUrl).host}`;
}

function linesOf({ name, url, phoneUrl }: RunningProduct['sandboxPages'][number]): string[] {
  const page = `  sandbox      ${url}   (a double of ${name}: no real money)`;
  return phoneUrl ? [page, `  the phone    ${phoneUrl}   (where payers of ${name} approve)`] : [page];
}

/** Only at the double: PawaPay itself would ask whoever has this number. */
function byPhone({ url, sandboxPages }: RunningProduct): string {
  const phoneUrl = sandboxPages.find(({ name }) => name === 'PawaPay')?.phoneUrl;
  if (phoneUrl === undefined) return '';
  return `
2. Or pay it by mobile money: open the phone, ${phoneUrl}, and press Approve.

   curl -s ${url}/graphql -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" \\
     -d '{"query":"mutation { createPaymentIntent(input: { orderId: \\"'$ORDER'\\", method: MOBILE_MONEY, phoneNumber: \\"+229 01 51 34 57 55\\" }) { paymentIntent { id status } nextAction { ... on ApproveOnPhone { instructions } } } }"}'
`;
}
