import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchema } from 'type-graphql';
import { CustomerResolver, SavedMethodResolver } from '../customers/customer-resolver.js';
import { ProviderHealthResolver } from '../health/provider-health-resolver.js';
import { EmailResolver } from '../notifications/email/email-resolver.js';
import { JobResolver } from '../jobs/job-resolver.js';
import { MerchantWebhookResolver } from '../notifications/merchant-webhooks/merchant-webhook-resolver.js';
import { OrderResolver, ProductResolver } from '../orders/order-resolver.js';
import { OrderPaymentsResolver, PaymentResolver } from '../payments/payment-resolver.js';
import { RefundRequestResolver } from '../payments/refund-request-resolver.js';
import { PaymentSubscriptions } from '../payments/payment-subscriptions.js';
import { PaymentTimelineResolver } from '../payments/payment-timeline-resolver.js';
import { authorizeRootFields } from './authorize.js';
import { createPaymentPubSub, type PaymentPubSub } from '../payments/payment-pub-sub.js';
import { ProviderLogResolver } from '../provider-log/provider-log-resolver.js';
import { RecurringSubscriptionResolver } from '../subscriptions/subscription-resolver.js';
import { WebhookResolver } from '../webhooks/webhook-resolver.js';
import { makeRootFieldsNullable } from './nullable-root-fields.js';

export async function createSchema(pubSub: PaymentPubSub = createPaymentPubSub()): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    resolvers: [
      OrderResolver,
      ProductResolver,
      PaymentResolver,
      RefundRequestResolver,
      OrderPaymentsResolver,
      CustomerResolver,
      SavedMethodResolver,
      RecurringSubscriptionResolver,
      PaymentSubscriptions,
      PaymentTimelineResolver,
      WebhookResolver,
      MerchantWebhookResolver,
      EmailResolver,
      ProviderLogResolver,
      ProviderHealthResolver,
      JobResolver,
    ],
    pubSub,
    validate: { forbidUnknownValues: false, whitelist: false },
    emitSchemaFile: false,
  });
  return authorizeRootFields(makeRootFieldsNullable(schema));
}
