import { createClient } from 'graphql-ws';

/** Your page. */
export interface Page {
  /** The order's token. Once it has expired, a new one: your backend gets it with createOrderToken. */
  orderToken(isExpired: boolean): Promise<string>;
  /** The payer stays: loadStripe(publishableKey), elements({ clientSecret }), confirmPayment(…) */
  showCardForm(clientSecret: string, publishableKey: string): void;
  /** The payer enters a PIN on their phone, while this page shows how, and waits. */
  showSteps(instructions: readonly string[]): void;
  /** PENDING, then PAID the moment it is. */
  showStatus(status: string): void;
}

interface PaymentInput {
  orderId: string;
  method: 'CARD' | 'BANK' | 'WALLET' | 'MOBILE_MONEY';
  returnUrl: string;
  phoneNumber?: string;
  /** A random text of your own, made once for each press of the button: a double click is one payment. */
  idempotencyKey: string;
}

type NextAction =
  | { __typename: 'ConfirmWithStripe'; clientSecret: string; publishableKey: string }
  | { __typename: 'RedirectToUrl'; url: string }
  | { __typename: 'ApproveOnPhone'; instructions: string[] };

const PAY = `mutation Pay($input: CreatePaymentIntentInput!) {
  createPaymentIntent(input: $input) {
    paymentIntent { id }
    nextAction {
      __typename
      ... on ConfirmWithStripe { clientSecret publishableKey }
      ... on RedirectToUrl { url }
      ... on ApproveOnPhone { instructions }
    }
  }
}`;

const WATCH = `subscription Watch($id: ID!, $sinceVersion: Int) {
  paymentStatusChanged(paymentIntentId: $id, sinceVersion: $sinceVersion) { status version }
}`;

/** Opens the payment, and says what the payer does next. @param server http://localhost:4000 */
export async function pay(
  server: string,
  page: Page,
  input: PaymentInput,
  isExpired = false,
): Promise<string> {
  const response = await fetch(`${server}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await page.orderToken(isExpired)}`,
    },
    body: JSON.stringify({ query: PAY, variables: { input } }),
  });
  const { data, errors } = (await response.json()) as {
    data?: { createPaymentIntent: { paymentIntent: { id: string }; nextAction: NextAction | null } | null };
    errors?: { message: string; extensions: { code: string } }[];
  };
  const error = errors?.[0];
  if (error?.extensions.code === 'UNAUTHENTICATED' && !isExpired) return pay(server, page, input, true);
  if (!data?.createPaymentIntent) throw new Error(error?.message ?? 'The server gave no payment.');
  const { paymentIntent, nextAction } = data.createPaymentIntent;
  switch (nextAction?.__typename) {
    case 'ConfirmWithStripe':
      page.showCardForm(nextAction.clientSecret, nextAction.publishableKey);
      break;
    case 'RedirectToUrl': // they pay on that page, and come back to returnUrl
      location.assign(nextAction.url);
      break;
    case 'ApproveOnPhone':
      page.showSteps(nextAction.instructions);
      break;
    case undefined: // there was nothing to pay, or the provider has not answered yet: the status says which
      break;
  }
  return paymentIntent.id;
}

/** Shows each status, until `done` says that it was the last; whatever becomes of the connection, none is missed. */
export async function watch(
  server: string,
  page: Page,
  id: string,
  done: (status: string) => boolean,
): Promise<void> {
  let isExpired = false;
  const client = createClient({
    url: `${server.replace(/^http/, 'ws')}/graphql`,
    connectionParams: async () => ({ authorization: `Bearer ${await page.orderToken(isExpired)}` }),
    on: {
      connected: () => (isExpired = false),
      closed: (event) => (isExpired = (event as CloseEvent).code === 4403),
    },
    // Also while a server restarts.
    shouldRetry: () => true,
    retryAttempts: Infinity,
  });
  // They are sent anew with each connection, which then goes on after the last version that was seen.
  const variables: { id: string; sinceVersion?: number } = { id };
  const changes = client.iterate<{ paymentStatusChanged: { status: string; version: number } | null }>({
    query: WATCH,
    variables,
  });
  for await (const { data, errors } of changes) {
    if (!data?.paymentStatusChanged) throw new Error(errors?.[0]?.message ?? 'The server gave no status.');
    const { status, version } = data.paymentStatusChanged;
    variables.sinceVersion = version;
    page.showStatus(status);
    if (done(status)) return;
  }
}
