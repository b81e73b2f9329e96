import { createRequire } from 'node:module';
import { type PayDunyaDouble, startPayDunyaDouble } from '../src/sandbox/paydunya/paydunya-double.js';
import { eventually } from './support/eventually.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

/** The parts of PayDunya's own untyped client 1.0.12 that are used here. */
interface OfficialClient {
  readonly Setup: new (options: object) => { baseURL: string };
  readonly Store: new (options: object) => object;
  readonly CheckoutInvoice: new (setup: object, store: object) => CheckoutInvoice;
  readonly OnsiteInvoice: new (setup: object, store: object) => OnsiteInvoice;
  readonly DirectPay: new (setup: object) => DirectPay;
}

interface Invoice {
  totalAmount: number;
  description: string;
  readonly token?: string;
  readonly status?: string;
  readonly responseText?: string;
  readonly customer?: object;
  readonly receiptURL?: string;
  addItem(name: string, quantity: number, unitPrice: number, totalPrice: number, description?: string): void;
  addTax(name: string, amount: number): void;
  addChannels(channels: string[]): void;
  addCustomData(title: string, value: unknown): void;
}

interface CheckoutInvoice extends Invoice {
  readonly url?: string;
  readonly customData: object;
  create(): Promise<void>;
  confirm(token?: string): Promise<void>;
}

interface OnsiteInvoice extends Invoice {
  readonly oprToken?: string;
  create(accountAlias: string): Promise<void>;
  charge(oprToken: string | undefined, confirmToken: string | undefined): Promise<void>;
}

interface DirectPay {
  readonly transactionID?: string;
  readonly description?: string;
  creditAccount(accountAlias: string, amount: number): Promise<void>;
}

const paydunya = createRequire(import.meta.url)('paydunya') as OfficialClient;

const KEYS = { masterKey: 'test-master-key', privateKey: 'test_private_1', token: 'token_1' };

describe('the official client of PayDunya, unchanged, talks to the double and', () => {
  let receiver: WebhookReceiver;
  let double: PayDunyaDouble;

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    double = await startPayDunyaDouble(KEYS);
  });

  afterEach(async () => {
    await double.stop();
    await receiver.stop();
  });

  /** The client has no option for its address: it is a property of the instance, which invoices copy when they are made. */
  const setUp = (keys: object = {}) => {
    const setup = new paydunya.Setup({ ...KEYS, mode: 'test', ...keys });
    setup.baseURL = double.url.href;
    return setup;
  };

  const store = () =>
    new paydunya.Store({
      name: 'Ma Boutique',
      tagline: 'Tout',
      phoneNumber: '771234567',
      websiteURL: 'https://shop.example',
      returnURL: 'https://shop.example/done',
      cancelURL: 'https://shop.example/left',
      callbackURL: receiver.url.href,
    });

  const order = <Kind extends Invoice>(invoice: Kind): Kind => {
    invoice.totalAmount = 15_000;
    invoice.description = 'Commande 1042';
    invoice.addItem('Abonnement', 1, 15_000, 15_000, 'Un an');
    invoice.addTax('TVA', 0);
    invoice.addCustomData('attempt', 'TXN-1-1');
    return invoice;
  };

  it('makes an invoice and finds it pending', async () => {
    const invoice = order(new paydunya.CheckoutInvoice(setUp(), store()));
    invoice.addChannels(['card', 'wave-senegal']);
    await invoice.create();
    expect(invoice).toMatchObject({
      token: expect.stringMatching(/^test_/),
      url: `${double.pageUrl.href}sandbox-checkout/invoice/${invoice.token}`,
      status: 'pending',
      responseText: 'Transaction Found',
      totalAmount: 15_000,
    });
    expect(double.invoice('TXN-1-1')).toMatchObject({
      invoice: { items: { item_1: { name: 'Abonnement', unit_price: 15_000, description: 'Un an' } } },
      actions: { return_url: 'https://shop.example/done', callback_url: receiver.url.href },
    });
  });

  it('finds it completed once it is paid on its page, with its customer and a receipt, and is notified', async () => {
    const invoice = order(new paydunya.CheckoutInvoice(setUp(), store()));
    await invoice.create();
    const body = new URLSearchParams({ action: 'pay', channel: 'card' });
    await fetch(invoice.url!, { method: 'POST', body, redirect: 'manual' });
    await double.settled();
    const other = new paydunya.CheckoutInvoice(setUp(), store());
    await other.confirm(invoice.token);
    expect(other).toMatchObject({
      status: 'completed',
      customer: { name: 'Awa Diop' },
      customData: { attempt: 'TXN-1-1' },
      totalAmount: 15_000,
    });
    expect((await fetch(other.receiptURL!)).headers.get('content-type')).toBe('application/pdf');
    expect(receiver.received).toHaveLength(1);
  });

  it.each([
    ['cancel', 'cancelled'],
    ['fail', 'failed'],
  ] as const)('sees that after %s it is %s', async (end, status) => {
    const invoice = order(new paydunya.CheckoutInvoice(setUp(), store()));
    await invoice.create();
    double[end](invoice.token!);
    await invoice.confirm();
    expect(invoice.status).toBe(status);
  });

  it('is refused with wrong keys, and what it does not know', async () => {
    const invoice = order(new paydunya.CheckoutInvoice(setUp({ masterKey: 'wrong' }), store()));
    await expect(invoice.create()).rejects.toMatchObject({
      message: 'Failed to create invoice.',
      data: { response_code: '1001' },
    });
    await expect(new paydunya.CheckoutInvoice(setUp(), store()).confirm('test_none')).rejects.toMatchObject({
      message: 'Could not confirm invoice status.',
    });
  });

  it('charges a customer onsite, with the code on their phone', async () => {
    const invoice = order(new paydunya.OnsiteInvoice(setUp(), store()));
    await invoice.create('771111111');
    const [prompt] = double.prompts();
    expect(invoice).toMatchObject({ token: prompt?.token, oprToken: prompt?.id });
    await expect(invoice.charge(invoice.oprToken, '1')).rejects.toThrow('Failed to charge invoice');
    await invoice.charge(invoice.oprToken, prompt?.code);
    expect(invoice).toMatchObject({ status: 'completed', customer: { name: 'Awa Diop' } });
    expect(double.counts()).toMatchObject({ completed: 1, taken: 15_000 });
    await expect(invoice.charge(invoice.oprToken, prompt?.code)).rejects.toThrow('Failed to charge invoice');
    await expect(order(new paydunya.OnsiteInvoice(setUp(), store())).create('nobody')).rejects.toThrow(
      'Failed to create invoice',
    );
    await eventually(() => expect(receiver.received).toHaveLength(1));
  });

  it('credits an account, which can then pay', async () => {
    const directPay = new paydunya.DirectPay(setUp());
    await expect(directPay.creditAccount('nobody', 20_000)).rejects.toThrow('Failed to credit account');
    await directPay.creditAccount('koffi.poor@example.test', 20_000);
    expect(directPay.transactionID).toEqual(expect.any(String));
    const invoice = order(new paydunya.OnsiteInvoice(setUp(), store()));
    await invoice.create('koffi.poor@example.test');
    await invoice.charge(invoice.oprToken, double.prompts()[0]?.code);
    expect(invoice.status).toBe('completed');
  });
});
