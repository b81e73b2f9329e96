import { OrderError } from '../../src/orders/order-error.js';
import { expectErrors, failingLog } from '../support/unexpected-errors.js';

const log = failingLog();
const fail = () => log.error({ err: new Error('a planted fault') }, 'could not do it');

test('an error that nobody expected', fail);

test('an error that is provoked on purpose', () => {
  expectErrors(/a planted fault/);
  fail();
});

test('an error of the domain', () => {
  log.warn({ err: new OrderError('ORDER_NOT_FOUND', 'There is no such order.') }, 'not there');
});

test('the same error in the next test', fail);
