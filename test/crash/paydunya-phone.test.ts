import { paymentBy } from './final-state.js';
import { killAtEveryPoint } from './kill-at-every-point.js';
import { PAYDUNYA_PHONE } from './story.js';

killAtEveryPoint(paymentBy(PAYDUNYA_PHONE));
