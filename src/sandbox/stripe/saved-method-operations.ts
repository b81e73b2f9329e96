import type { StripeAccount } from './account.js';
import {
  createCustomer,
  customerParameter,
  findCustomer,
  livingCustomer,
  updateCustomer,
} from './customers.js';
import type { FormValues } from './form-body.js';
import { listOf } from './list.js';
import { matching, objectsOf, operation, PAGE, type Operation } from './operation.js';
import { mergedMetadata, requiredText, text } from './parameters.js';
import { attachMethod, detachMethod, findMethod, methodsOf } from './payment-methods.js';
import { cancelSetup, confirmSetupByApi, createSetupIntent } from './setup-intents.js';
import { deleteCustomerAndSubscriptions } from './subscriptions.js';

const CUSTOMER = 'email name phone description metadata preferred_locales invoice_settings';

/** Customers, the payment methods that they saved, and the SetupIntents with which they save them. */
export const SAVED_METHOD_OPERATIONS: readonly Operation[] = [
  operation('customers.create', 'POST /v1/customers', `${CUSTOMER} payment_method`, createCustomer),
  operation('customers.list', 'GET /v1/customers', `${PAGE} email`, (account, form) => {
    const living = [...account.customers.values()].filter((customer) => !customer.deleted);
    return listOf('/v1/customers', matching(living, form, 'email'), form);
  }),
  operation('customers.retrieve', 'GET /v1/customers/:id', '', (account, _form, id) =>
    findCustomer(account, id),
  ),
  operation('customers.update', 'POST /v1/customers/:id', CUSTOMER, (account, form, id) =>
    updateCustomer(account, id, form),
  ),
  operation('customers.delete', 'DELETE /v1/customers/:id', '', (account, _form, id) =>
    deleteCustomerAndSubscriptions(account, id),
  ),
  operation(
    'customers.list_payment_methods',
    'GET /v1/customers/:id/payment_methods',
    `${PAGE} type allow_redisplay`,
    (account, form, id) => {
      livingCustomer(account, id);
      return listMethods(account, form, id, `/v1/customers/${id}/payment_methods`);
    },
  ),
  operation(
    'payment_methods.list',
    'GET /v1/payment_methods',
    `${PAGE} customer type allow_redisplay`,
    (account, form) => {
      const customer = customerParameter(account, form);
      return listMethods(account, form, customer?.id, '/v1/payment_methods');
    },
  ),
  operation(
    'payment_methods.retrieve',
    'GET /v1/payment_methods/:id',
    '',
    (account, _form, id) => account.method(id).object,
  ),
  operation(
    'payment_methods.attach',
    'POST /v1/payment_methods/:id/attach',
    'customer',
    (account, form, id) => {
      requiredText(form, 'customer');
      const customer = customerParameter(account, form);
      const method = findMethod(account, id);
      if (customer) attachMethod(account, method, customer.id);
      return method.object;
    },
  ),
  operation('payment_methods.detach', 'POST /v1/payment_methods/:id/detach', '', (account, _form, id) => {
    const method = account.method(id);
    detachMethod(account, method);
    return method.object;
  }),
  operation(
    'setup_intents.create',
    'POST /v1/setup_intents',
    'automatic_payment_methods allowed_payment_method_types confirm customer description metadata payment_method ' +
      'return_url usage use_stripe_sdk',
    (account, form) => {
      const setup = createSetupIntent(account, form);
      return text(form, 'confirm') === 'true' ? confirmSetupByApi(account, setup, form) : setup.object;
    },
  ),
  operation(
    'setup_intents.list',
    'GET /v1/setup_intents',
    `${PAGE} customer payment_method`,
    (account, form) =>
      listOf(
        '/v1/setup_intents',
        matching(objectsOf(account.setups), form, 'customer', 'payment_method'),
        form,
      ),
  ),
  operation(
    'setup_intents.retrieve',
    'GET /v1/setup_intents/:id',
    'client_secret',
    (account, _form, id) => account.setup(id).object,
  ),
  operation(
    'setup_intents.update',
    'POST /v1/setup_intents/:id',
    'description metadata',
    (account, form, id) => {
      const { object } = account.setup(id);
      object.description = text(form, 'description') ?? object.description;
      object.metadata = mergedMetadata(object.metadata ?? {}, form);
      return object;
    },
  ),
  operation(
    'setup_intents.confirm',
    'POST /v1/setup_intents/:id/confirm',
    'payment_method return_url use_stripe_sdk',
    (account, form, id) => confirmSetupByApi(account, account.setup(id), form),
  ),
  operation(
    'setup_intents.cancel',
    'POST /v1/setup_intents/:id/cancel',
    'cancellation_reason',
    (account, form, id) => {
      const setup = account.setup(id);
      cancelSetup(account, setup, form);
      return setup.object;
    },
  ),
];

/** Without a customer there is nothing to list: Stripe shows only what is saved. */
function listMethods(
  account: StripeAccount,
  form: FormValues,
  customerId: string | undefined,
  url: string,
): object {
  const saved = customerId === undefined ? [] : methodsOf(account, customerId);
  return listOf(url, matching(saved, form, 'type', 'allow_redisplay'), form);
}
