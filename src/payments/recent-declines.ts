/** In SQL, of an address and of a customer; null is nobody. Those of the last hour. */
export function recentDeclines(clientDigest: string, customerId: string): string {
  return `(SELECT coalesce(sum(d.declines), 0)::integer FROM payment_intent d JOIN orders od ON od.id = d.order_id
    WHERE d.declined_at > now() - interval '1 hour'
      AND (d.client_digest = ${clientDigest} OR od.customer_id = ${customerId}))`;
}
