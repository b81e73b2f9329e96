import type { StripeAccount } from './account.js';
import { found } from './account.js';
import { createPrice, createProduct, updatePrice, updateProduct } from './catalogue.js';
import type { FormValues } from './form-body.js';
import { attachPayment, changeBalance, createCreditNote } from './invoice-settlement.js';
import { markUncollectible, payInvoiceByApi, voidInvoice } from './invoices.js';
import { listOf } from './list.js';
import { matching, objectsOf, operation, PAGE, type Operation } from './operation.js';
import { group, requiredInteger, requiredText, text } from './parameters.js';
import { invalidRequest } from './stripe-error.js';
import { cancelSubscription, createSubscription, hasEnded, updateSubscription } from './subscriptions.js';

/** Products, prices, subscriptions, and their invoices. */
export const BILLING_OPERATIONS: readonly Operation[] = [
  operation('products.create', 'POST /v1/products', 'id name description active metadata', createProduct),
  operation('products.list', 'GET /v1/products', PAGE, (account, form) =>
    listOf('/v1/products', [...account.products.values()], form),
  ),
  operation('products.retrieve', 'GET /v1/products/:id', '', (account, _form, id) =>
    found(account.products, 'product', id),
  ),
  operation(
    'products.update',
    'POST /v1/products/:id',
    'name description active metadata',
    (account, form, id) => updateProduct(account, id, form),
  ),
  operation(
    'prices.create',
    'POST /v1/prices',
    'currency product product_data unit_amount recurring nickname lookup_key active metadata',
    createPrice,
  ),
  operation('prices.list', 'GET /v1/prices', `${PAGE} product`, (account, form) =>
    listOf('/v1/prices', matching(account.prices.values(), form, 'product'), form),
  ),
  operation('prices.retrieve', 'GET /v1/prices/:id', '', (account, _form, id) =>
    found(account.prices, 'price', id),
  ),
  operation('prices.update', 'POST /v1/prices/:id', 'active nickname metadata', (account, form, id) =>
    updatePrice(account, id, form),
  ),
  operation(
    'subscriptions.create',
    'POST /v1/subscriptions',
    'customer items payment_behavior payment_settings default_payment_method description metadata off_session',
    createSubscription,
  ),
  operation('subscriptions.list', 'GET /v1/subscriptions', `${PAGE} customer status`, (account, form) =>
    listOf('/v1/subscriptions', subscriptionsAsked(account, form), form),
  ),
  operation(
    'subscriptions.retrieve',
    'GET /v1/subscriptions/:id',
    '',
    (account, _form, id) => account.subscription(id).object,
  ),
  operation(
    'subscriptions.update',
    'POST /v1/subscriptions/:id',
    'cancel_at_period_end cancellation_details default_payment_method description metadata',
    (account, form, id) => updateSubscription(account, id, form),
  ),
  operation(
    'subscriptions.cancel',
    'DELETE /v1/subscriptions/:id',
    'cancellation_details invoice_now prorate',
    (account, form, id) => {
      refuseProration(form);
      return cancelSubscription(account, id, form);
    },
  ),
  operation('invoices.list', 'GET /v1/invoices', `${PAGE} customer subscription status`, (account, form) => {
    const wanted = text(form, 'subscription');
    const invoices = [...account.invoices.values()]
      .filter(({ subscriptionId }) => wanted === undefined || subscriptionId === wanted)
      .map(({ object }) => object);
    return listOf('/v1/invoices', matching(invoices, form, 'customer', 'status'), form);
  }),
  operation(
    'invoices.retrieve',
    'GET /v1/invoices/:id',
    '',
    (account, _form, id) => account.invoice(id).object,
  ),
  operation(
    'invoices.pay',
    'POST /v1/invoices/:id/pay',
    'payment_method off_session paid_out_of_band',
    (account, form, id) => payInvoiceByApi(account, account.invoice(id), form),
  ),
  operation(
    'invoices.attach_payment',
    'POST /v1/invoices/:id/attach_payment',
    'payment_intent',
    (account, form, id) => attachPayment(account, account.invoice(id), requiredText(form, 'payment_intent')),
  ),
  operation(
    'credit_notes.create',
    'POST /v1/credit_notes',
    'invoice amount refund_amount credit_amount out_of_band_amount memo reason metadata',
    createCreditNote,
  ),
  operation(
    'customers.create_balance_transaction',
    'POST /v1/customers/:id/balance_transactions',
    'amount currency description metadata',
    (account, form, id) => changeBalance(account, id, requiredInteger(form, 'amount')),
  ),
  operation('invoices.void', 'POST /v1/invoices/:id/void', '', (account, _form, id) => {
    const invoice = account.invoice(id);
    voidInvoice(account, invoice);
    return invoice.object;
  }),
  operation(
    'invoices.mark_uncollectible',
    'POST /v1/invoices/:id/mark_uncollectible',
    '',
    (account, _form, id) => {
      const invoice = account.invoice(id);
      markUncollectible(account, invoice);
      return invoice.object;
    },
  ),
  operation(
    'invoice_payments.list',
    'GET /v1/invoice_payments',
    `${PAGE} invoice payment status`,
    (account, form) => {
      const wanted = text(group(form, 'payment') ?? {}, 'payment_intent');
      const payments = [...account.invoicePayments.values()].filter(
        ({ payment }) => wanted === undefined || payment.payment_intent === wanted,
      );
      return listOf('/v1/invoice_payments', matching(payments, form, 'invoice', 'status'), form);
    },
  ),
  operation('invoice_payments.retrieve', 'GET /v1/invoice_payments/:id', '', (account, _form, id) =>
    found(account.invoicePayments, 'invoice_payment', id),
  ),
];

/** Those that are not canceled, unless told: a status, `all`, or `ended`. */
function subscriptionsAsked(account: StripeAccount, form: FormValues) {
  const status = text(form, 'status');
  return matching(objectsOf(account.subscriptions), form, 'customer').filter((subscription) => {
    if (status === 'all') return true;
    if (status === 'ended') return hasEnded(subscription);
    return status === undefined ? subscription.status !== 'canceled' : subscription.status === status;
  });
}

function refuseProration(form: FormValues): void {
  const param = ['invoice_now', 'prorate'].find((name) => text(form, name) === 'true');
  if (param !== undefined) throw invalidRequest('This double knows no proration.', { param });
}
