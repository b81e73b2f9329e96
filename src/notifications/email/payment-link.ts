import type { OrderTokens } from '../../access/order-token.js';
import type { PaymentLink } from './email-variables.js';

/**
 * The page where the customer pays the same order, with a fresh token that opens it. It is as good as the token itself:
 * it goes into the e-mail, and never into a row or a log.
 */
export async function paymentLink(
  orderTokens: OrderTokens,
  checkoutUrl: string | undefined,
  orderReference: string,
  now = new Date(),
): Promise<PaymentLink | null> {
  if (checkoutUrl === undefined) return null;
  const token = await orderTokens.sign(orderReference, now);
  const url = checkoutUrl
    .replaceAll('{order}', encodeURIComponent(orderReference))
    .replaceAll('{token}', encodeURIComponent(token));
  const { expiresAt } = await orderTokens.verify(token);
  return { url, expiresAt };
}
