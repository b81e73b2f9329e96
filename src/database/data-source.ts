import 'reflect-metadata';
import { DataSource, DefaultNamingStrategy } from 'typeorm';
import { snakeCase } from './rows.js';
import { CustomerProviderAccount } from '../customers/customer-provider-account.js';
import { Customer } from '../customers/customer.js';
import { SavedPaymentMethod } from '../customers/saved-payment-method.js';
import { Product } from '../orders/product.js';
import { Order } from '../orders/order.js';
import { OrderLine } from '../orders/order-line.js';
import { StockHold } from '../orders/stock-hold.js';
import { OrderStock } from '../orders/order-stock.js';
import { Booking } from '../orders/booking.js';
import { ProductDay } from '../orders/capacity-day.js';
import { OrderPlace } from '../orders/capacity-place.js';
import { PaymentIntent } from '../payments/payment-intent.js';
import { PaymentAttempt } from '../payments/payment-attempt.js';
import { PhonePrompt } from '../payments/phone-prompt.js';
import { Movement } from '../payments/movement.js';
import { Refund } from '../payments/refund.js';
import { RefundRequest } from '../payments/refund-request.js';
import { Dispute } from '../payments/dispute.js';
import { AuditCheckpoint } from '../audit/audit-checkpoint.js';
import { AuditEntry } from '../audit/audit-entry.js';
import { ProviderCursor } from '../reconcile/provider-cursor.js';
import { RetentionCursor } from '../retention/retention-cursor.js';
import { RecurringSubscription } from '../subscriptions/recurring-subscription.js';
import { SubscriptionInvoice } from '../subscriptions/subscription-invoice.js';
import { WebhookEvent } from '../webhooks/webhook-event.js';
import { WebhookDeliveryTry } from '../notifications/merchant-webhooks/webhook-delivery-try.js';
import { WebhookDelivery } from '../notifications/merchant-webhooks/webhook-delivery.js';
import { WebhookEndpoint } from '../notifications/merchant-webhooks/webhook-endpoint.js';
import { EmailMessage } from '../notifications/email/email-message.js';
import { OutboxEvent } from '../outbox/outbox-event.js';
import { ProviderCallEntry } from '../provider-log/provider-call-entry.js';
import { ApiKey } from '../access/api-key.js';
import { IdempotencyKey } from '../idempotency/idempotency-key.js';
import { MoneyIsNeverWrong1796000000000 } from '../../migrations/1796000000000-money-is-never-wrong.js';
import { InboxAndAudit1796100000000 } from '../../migrations/1796100000000-inbox-and-audit.js';
import { EveryProvider1797000000000 } from '../../migrations/1797000000000-every-provider.js';
import { Bookings1798000000000 } from '../../migrations/1798000000000-bookings.js';
import { Emails1798100000000 } from '../../migrations/1798100000000-emails.js';
import { MerchantWebhooks1798200000000 } from '../../migrations/1798200000000-merchant-webhooks.js';
import { CustomersAndSubscriptions1798300000000 } from '../../migrations/1798300000000-customers-and-subscriptions.js';
import { SubscriptionChecks1798400000000 } from '../../migrations/1798400000000-subscription-checks.js';
import { ProblemsToldOnce1798500000000 } from '../../migrations/1798500000000-problems-told-once.js';
import { EmailsWithoutOrder1798510000000 } from '../../migrations/1798510000000-emails-without-order.js';
import { WritersOfOrders1798600000000 } from '../../migrations/1798600000000-writers-of-orders.js';
import { TotalsOfNothing1798600100000 } from '../../migrations/1798600100000-totals-of-nothing.js';
import { DisputesAndFailedRefunds1798610000000 } from '../../migrations/1798610000000-disputes-and-failed-refunds.js';
import { PaymentsInReview1798640000000 } from '../../migrations/1798640000000-payments-in-review.js';
import { UnreadableNotifications1798650000000 } from '../../migrations/1798650000000-unreadable-notifications.js';
import { StockOfOrders1798670000000 } from '../../migrations/1798670000000-stock-of-orders.js';
import { EndedAttempts1798670100000 } from '../../migrations/1798670100000-ended-attempts.js';
import { ApiKeyScopes1798680000000 } from '../../migrations/1798680000000-api-key-scopes.js';
import { WordsForRefunds1798680010000 } from '../../migrations/1798680010000-words-for-refunds.js';
import { Declines1798680200000 } from '../../migrations/1798680200000-declines.js';
import { StockHolds1798680230000 } from '../../migrations/1798680230000-stock-holds.js';
import { PhonePrompts1798680220000 } from '../../migrations/1798680220000-phone-prompts.js';
import { WithheldEmails1798680210000 } from '../../migrations/1798680210000-withheld-emails.js';
import { Retention1798680300000 } from '../../migrations/1798680300000-retention.js';
import { EarlierEndpointSecrets1798680500000 } from '../../migrations/1798680500000-earlier-endpoint-secrets.js';
import { AuditCheckpoints1798680400000 } from '../../migrations/1798680400000-audit-checkpoints.js';
import { TheHeart1795000000000 } from '../../migrations/1795000000000-the-heart.js';

/** How long a statement may wait for another's lock before it gives up, so that a stuck session can't stop the shop. */
const LOCK_TIMEOUT_MILLISECONDS = 10_000;
const STATEMENT_TIMEOUT_MILLISECONDS = 30_000;
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;

class SnakeCaseNaming extends DefaultNamingStrategy {
  override columnName(propertyName: string, customName: string | undefined, prefixes: string[]): string {
    return customName ?? snakeCase([...prefixes, propertyName].join('_'));
  }

  override joinColumnName(relationName: string, referencedColumnName: string): string {
    return snakeCase(`${relationName}_${referencedColumnName}`);
  }
}

export interface DataSourceOptions {
  readonly url: string;
  readonly poolSize?: number;
  readonly applicationName?: string;
}

/** Not connected yet: call `initialize()`, and `destroy()` in the end. Migrations run only when asked to. */
export function createDataSource(options: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: options.applicationName ?? 'quittance',
    poolSize: options.poolSize ?? 16,
    connectTimeoutMS: CONNECT_TIMEOUT_MILLISECONDS,
    namingStrategy: new SnakeCaseNaming(),
    entities: [
      Customer,
      CustomerProviderAccount,
      SavedPaymentMethod,
      RecurringSubscription,
      SubscriptionInvoice,
      Product,
      Order,
      OrderLine,
      OrderStock,
      StockHold,
      Booking,
      ProductDay,
      OrderPlace,
      PaymentIntent,
      PaymentAttempt,
      PhonePrompt,
      Movement,
      Refund,
      RefundRequest,
      Dispute,
      AuditEntry,
      AuditCheckpoint,
      ProviderCursor,
      RetentionCursor,
      WebhookEvent,
      OutboxEvent,
      EmailMessage,
      ProviderCallEntry,
      WebhookEndpoint,
      WebhookDelivery,
      WebhookDeliveryTry,
      ApiKey,
      IdempotencyKey,
    ],
    migrations: [
      TheHeart1795000000000,
      MoneyIsNeverWrong1796000000000,
      InboxAndAudit1796100000000,
      EveryProvider1797000000000,
      Bookings1798000000000,
      Emails1798100000000,
      MerchantWebhooks1798200000000,
      CustomersAndSubscriptions1798300000000,
      SubscriptionChecks1798400000000,
      ProblemsToldOnce1798500000000,
      EmailsWithoutOrder1798510000000,
      WritersOfOrders1798600000000,
      TotalsOfNothing1798600100000,
      DisputesAndFailedRefunds1798610000000,
      PaymentsInReview1798640000000,
      UnreadableNotifications1798650000000,
      StockOfOrders1798670000000,
      EndedAttempts1798670100000,
      ApiKeyScopes1798680000000,
      WordsForRefunds1798680010000,
      Declines1798680200000,
      WithheldEmails1798680210000,
      PhonePrompts1798680220000,
      StockHolds1798680230000,
      Retention1798680300000,
      EarlierEndpointSecrets1798680500000,
      AuditCheckpoints1798680400000,
    ],
    migrationsTableName: 'migration',
    synchronize: false,
    // Amounts are bigint and never exceed what a JavaScript integer holds: a CHECK on each of them says so.
    parseInt8: true,
    // Ids are made in the application, so no extension is needed.
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    extra: {
      lock_timeout: LOCK_TIMEOUT_MILLISECONDS,
      statement_timeout: STATEMENT_TIMEOUT_MILLISECONDS,
      // Hot statements are planned once for each connection, perhaps while the tables are still small. A plan that reads
      // a whole table would then stay while it grows. Every statement of ours has an index to go by; where there is none
      // to take (a short list of everything), PostgreSQL reads the table all the same.
      options: '-c enable_seqscan=off',
    },
  });
}

/** For whoever needs connections of its own. */
export function databaseUrlOf({ options }: DataSource): string {
  if (options.type === 'postgres' && options.url) return options.url;
  throw new Error('the data source is not a PostgreSQL with a URL');
}
