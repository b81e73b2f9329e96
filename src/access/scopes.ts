/** What an API key may do, coarsely: a key has what it needs, and no more. */
export const SCOPES = {
  read: 'see orders, payments, customers, e-mails and webhooks',
  orders: 'make, change and cancel orders, make order tokens, send e-mails again',
  payments: 'open, capture, cancel and verify payments, apply notifications again',
  refunds: 'give money back',
  customers: 'make customers and their tokens, save, charge and detach what they pay with, and subscriptions',
  webhooks: 'register, change and test endpoints of webhooks, and send webhooks again',
} as const;

export type Scope = keyof typeof SCOPES;

export const ALL_SCOPES = Object.keys(SCOPES) as readonly Scope[];

export function isScope(text: string): text is Scope {
  return Object.hasOwn(SCOPES, text);
}
