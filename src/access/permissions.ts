import type { Permission } from './permission.js';

const EVERYBODY: Permission = {
  anonymous: true,
  payer: true,
  customer: true,
  backend: 'ANY_SCOPE',
  operator: 'viewer',
};
const PAYER_OR_STAFF: Permission = { hidden: true, payer: true, backend: 'read', operator: 'viewer' };
const CUSTOMER_OR_STAFF: Permission = { customer: true, backend: 'read', operator: 'viewer' };
const STAFF: Permission = { backend: 'read', operator: 'viewer' };
const OPERATORS: Permission = { operator: 'viewer' };
const ENDPOINTS: Permission = { backend: 'webhooks', operator: 'operator' };

/**
 * Who may begin which operation: each root field of the schema, and no other. It is asked before the field's resolver, over
 * HTTP and WebSocket alike; a field that isn't here keeps the server from starting. Decision 16 has the reasons.
 */
export const OPERATIONS: Readonly<Record<string, Permission>> = {
  'Query.customer': CUSTOMER_OR_STAFF,
  'Query.emailMessages': STAFF,
  'Query.freePlaces': EVERYBODY,
  'Query.jobs': OPERATORS,
  'Query.order': PAYER_OR_STAFF,
  'Query.paymentIntent': PAYER_OR_STAFF,
  'Query.paymentOptions': PAYER_OR_STAFF,
  'Query.paymentTimeline': STAFF,
  'Query.products': EVERYBODY,
  'Query.providerCalls': OPERATORS,
  'Query.providerHealth': OPERATORS,
  'Query.recurringSubscription': CUSTOMER_OR_STAFF,
  'Query.recurringSubscriptions': CUSTOMER_OR_STAFF,
  'Query.refundRequests': OPERATORS,
  'Query.savedPaymentMethods': CUSTOMER_OR_STAFF,
  'Query.webhookDeliveries': STAFF,
  'Query.webhookDelivery': STAFF,
  'Query.webhookEndpoints': STAFF,
  'Query.webhookEvents': STAFF,

  'Mutation.approveRefund': { operator: 'operator' },
  'Mutation.cancelOrder': { hidden: true, payer: true, backend: 'orders', operator: 'support' },
  'Mutation.cancelPaymentIntent': { hidden: true, payer: true, backend: 'payments', operator: 'support' },
  'Mutation.cancelRecurringSubscription': { customer: true, backend: 'customers', operator: 'operator' },
  'Mutation.capturePaymentIntent': { backend: 'payments', operator: 'operator' },
  'Mutation.createCustomer': { backend: 'customers' },
  // Not for operators: with it they could act as the customer.
  'Mutation.createCustomerToken': { backend: 'customers' },
  'Mutation.createOrder': { ...EVERYBODY, backend: 'orders', operator: 'operator' },
  // Not for operators: with it they could act as the payer.
  'Mutation.createOrderToken': { backend: 'orders' },
  'Mutation.createPaymentIntent': { payer: true, backend: 'payments', operator: 'operator' },
  'Mutation.createRecurringSubscription': { backend: 'customers' },
  'Mutation.createWebhookEndpoint': ENDPOINTS,
  'Mutation.declineRefund': { operator: 'operator' },
  'Mutation.deleteWebhookEndpoint': ENDPOINTS,
  'Mutation.detachPaymentMethod': { customer: true, backend: 'customers' },
  'Mutation.refundPayment': { backend: 'refunds', operator: 'support' },
  'Mutation.replayWebhookDeliveries': { backend: 'webhooks', operator: 'support' },
  'Mutation.replayWebhookDelivery': { backend: 'webhooks', operator: 'support' },
  'Mutation.replayWebhookEvent': { backend: 'payments', operator: 'operator' },
  'Mutation.requestRefund': { operator: 'support' },
  'Mutation.resendEmail': { backend: 'orders', operator: 'support' },
  'Mutation.retryJob': { operator: 'operator' },
  'Mutation.rotateWebhookEndpointSecret': ENDPOINTS,
  'Mutation.sendTestWebhook': ENDPOINTS,
  // What it answers lets its reader act as the customer.
  'Mutation.setUpPaymentMethod': { customer: true, backend: 'customers' },
  'Mutation.settlePaymentReview': { operator: 'operator' },
  'Mutation.updateOrder': { hidden: true, payer: true, backend: 'orders', operator: 'operator' },
  'Mutation.updatePaymentIntent': { hidden: true, payer: true, backend: 'payments', operator: 'operator' },
  'Mutation.updateWebhookEndpoint': ENDPOINTS,
  'Mutation.verifyPaymentIntent': { hidden: true, payer: true, backend: 'payments', operator: 'support' },

  'Subscription.paymentIntentsChanged': STAFF,
  'Subscription.paymentStatusChanged': PAYER_OR_STAFF,
  'Subscription.providerHealthChanged': OPERATORS,
};

export interface InputPermission extends Permission {
  /** The one value that is restricted; left out: every one but null and false. */
  readonly value?: string;
}

/**
 * Who may give which argument, or field of an input, beside what their operation needs. Those that aren't here are for all
 * who may begin the operation.
 */
export const INPUTS: Readonly<Record<string, InputPermission>> = {
  'Query.customer.externalId': { backend: 'read' },
  'Query.paymentOptions.includeUnavailable': { operator: 'viewer' },
  // It asks the provider, and writes down what it says.
  'Query.savedPaymentMethods.refresh': { customer: true, backend: 'customers', operator: 'support' },

  // Its order token charges what the customer has saved.
  'CreateOrderInput.customerId': { backend: 'customers' },
  'CreateOrderInput.metadata': { backend: 'orders' },
  'CreateOrderInput.number': { backend: 'orders' },
  'CreateOrderInput.ownLines': { backend: 'orders' },
  'UpdateOrderInput.ownLines': { backend: 'orders' },

  // Who pays does not decide that the shop gets its money later.
  'CreatePaymentIntentInput.captureMethod': { backend: 'payments', operator: 'operator', value: 'MANUAL' },
  // Without the payer, it is the merchant who says that they agreed to it.
  'CreatePaymentIntentInput.offSession': { backend: 'customers' },
  'CreatePaymentIntentInput.savedMethodId': { payer: true, backend: 'customers' },
  'CreatePaymentIntentInput.saveMethod': { payer: true, backend: 'customers' },
};
