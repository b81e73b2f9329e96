import { createHmac } from 'node:crypto';
import { fromDecimal, toDecimal, type Currency } from '../../src/money.js';
import { type AskedOfBank, type BankDialect, CONTRACT_DIALECT } from '../../src/sandbox/bank/dialect.js';

/** A bank that does everything otherwise than the default contract: what it is configured with, behind BANK_ODD_. */
export const ODD_BANK_VARIABLES = {
  DISPLAY_NAME: 'La Banque Étrange',
  API_KEY_HEADER: 'X-Cle',
  AMOUNT_FORMAT: 'MINOR_UNITS',
  CREATE_ADDRESS: 'v2/encaissements',
  READ_ADDRESS: 'v2/encaissements/{id}/etat',
  CANCEL_ADDRESS: 'v2/encaissements/{id}/annulation',
  REFUND_ADDRESS: 'v2/retours',
  LIST_ADDRESS: 'v2/releve',
  PAYMENT_FIELDS: [
    'no=id',
    'commande.numero=reference',
    'etat=status',
    'commande.total=amount',
    'commande.devise=currency',
    'argent.no=transfer_id',
    'liens.page=payment_url',
    'retours=refunds',
    'argent.entre=paid_amount',
    'argent.rendu=refunded_amount',
    'ouvert=created_at',
    'texte=description',
    'liens.retour=return_url',
    'liens.annonce=notification_url',
    'jusque=expires_at',
  ].join(),
  REFUND_FIELDS: [
    'no=id',
    'encaissement=payment_id',
    'numero=reference',
    'etat=status',
    'total=amount',
    'devise=currency',
    'argent=transfer_id',
  ].join(),
  LIST_FIELDS: 'lignes=payments,suite=next_cursor,de=since,a=until,page=cursor',
  STATUS_WORDS: 'OUVERT=pending,EN_COURS=processing,PAYE=paid,REFUSE=failed,ANNULE=cancelled,PERDU=cancelled',
  REFUND_STATUS_WORDS: 'ATTENTE=pending,RENDU=succeeded,REVENU=failed',

  SIGNATURE_HEADER: 'X-Sceau',
  SIGNATURE_ALGORITHM: 'sha512',
  SIGNATURE_ENCODING: 'base64',
  SIGNATURE_PREFIX: 'sceau ',
  SIGNED_MESSAGE: 'ts+body',
  TIMESTAMP: 'X-Heure',
  TIMESTAMP_TOLERANCE_SECONDS: '60',
  EVENT_ID: 'header:X-Annonce',
  TYPE_PATH: 'quoi',
  PAYMENT_TYPES: 'argent.recu,encaissement.change',
  REFUND_TYPES: 'argent.rendu',
  REFERENCE_PATH: 'commande',
  STATUS_PATH: 'etat',
  AMOUNT_PATH: 'centimes',
  CURRENCY_PATH: 'devise',
  TRANSFER_ID_PATH: 'argent',
  PAYMENT_ID_PATH: 'encaissement',
  REFUND_ID_PATH: 'retour.no',
  REFUND_REFERENCE_PATH: 'retour.numero',
  REFUND_STATUS_PATH: 'etat',
  REFUND_AMOUNT_PATH: 'centimes',
};

type Json = Record<string, any>;

const PAYMENT_WORDS: Record<string, string> = {
  CREATED: 'OUVERT',
  AUTHORISING: 'EN_COURS',
  BOOKED: 'PAYE',
  REJECTED: 'REFUSE',
  CANCELLED: 'ANNULE',
  EXPIRED: 'PERDU',
};

const REFUND_WORDS: Record<string, string> = { PENDING: 'ATTENTE', BOOKED: 'RENDU', REJECTED: 'REVENU' };

/** The same bank, as its double speaks: written by itself, so that a wrong variable is found out. */
export const ODD_DIALECT: BankDialect = {
  keyOf: (headers) => {
    const key = headers['x-cle'];
    return typeof key === 'string' ? key : undefined;
  },
  understand,
  answer: (answer) => {
    const { payments, next_cursor, payment_id } = answer as Json;
    if (payments) return { lignes: payments.map(oddPayment), suite: next_cursor };
    return payment_id ? oddRefund(answer as Json) : oddPayment(answer as Json);
  },
  notification: (notification) => {
    const { type, data } = notification as Json;
    const tellsOfRefund = type.startsWith('refund.');
    return {
      quoi: tellsOfRefund ? 'argent.rendu' : data.transfer_id ? 'argent.recu' : 'encaissement.change',
      encaissement: data.payment_id,
      commande: data.reference,
      argent: data.transfer_id,
      centimes: centsOf(data.amount, data.currency),
      devise: data.currency,
      etat: (tellsOfRefund ? REFUND_WORDS : PAYMENT_WORDS)[data.status],
      ...(tellsOfRefund && { retour: { no: data.refund_id, numero: data.refund_reference } }),
    };
  },
  encode: CONTRACT_DIALECT.encode,
  sign: ({ id, body }, secret, timestamp) => ({
    'x-sceau': `sceau ${createHmac('sha512', secret).update(`${timestamp}${body}`).digest('base64')}`,
    'x-heure': String(timestamp),
    'x-annonce': id,
  }),
};

function understand(method: string, { path, body }: AskedOfBank): AskedOfBank {
  const json = body === '' ? {} : (JSON.parse(body) as Json);
  const [, id, what] = /^\/v2\/encaissements\/(\w+)\/(etat|annulation)$/.exec(path) ?? [];
  if (id !== undefined) return { path: `/payments/${id}${what === 'etat' ? '' : '/cancel'}`, body };
  if (path === '/v2/encaissements' && method === 'POST')
    return { path: '/payments', body: paymentOrder(json) };
  if (path === '/v2/retours' && method === 'POST') {
    return { path: `/payments/${json.encaissement}/refunds`, body: refundOrder(json) };
  }
  if (!path.startsWith('/v2/releve?')) return { path, body };
  const { de, a, page } = Object.fromEntries(new URLSearchParams(path.split('?')[1]));
  const query = new URLSearchParams({ since: de!, until: a!, ...(page !== undefined && { cursor: page }) });
  return { path: `/payments?${query.toString()}`, body };
}

function paymentOrder({ commande, texte, liens, jusque, locale, customer_email }: Json): string {
  return JSON.stringify({
    reference: commande.numero,
    amount: toDecimal(commande.total, commande.devise),
    currency: commande.devise,
    description: texte,
    return_url: liens.retour,
    notification_url: liens.annonce,
    expires_at: jusque,
    locale,
    customer_email,
  });
}

function refundOrder({ numero, total, devise, argent }: Json): string {
  const amount = toDecimal(total, devise);
  return JSON.stringify({ reference: numero, amount, currency: devise, transfer_id: argent });
}

function oddPayment(payment: Json): Json {
  const { id, reference, amount, currency, transfer_id, payment_url, created_at, refunds } = payment;
  return {
    no: id,
    etat: PAYMENT_WORDS[payment.status],
    commande: { numero: reference, total: centsOf(amount, currency), devise: currency },
    argent: {
      no: transfer_id,
      entre: centsOf(payment.paid_amount, currency),
      rendu: centsOf(payment.refunded_amount, currency),
    },
    liens: { page: payment_url },
    ouvert: created_at,
    retours: refunds.map(oddRefund),
  };
}

function oddRefund({ id, payment_id, reference, status, amount, currency }: Json): Json {
  const total = centsOf(amount, currency);
  const etat = REFUND_WORDS[status];
  return { no: id, encaissement: payment_id, numero: reference, etat, total, devise: currency };
}

function centsOf(decimal: string, currency: Currency): number {
  return fromDecimal(decimal, currency);
}
