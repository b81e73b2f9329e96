import { paymentBy } from './final-state.js';
import { killAtEveryPoint } from './kill-at-every-point.js';
import { PAYDUNYA_PAGE } from './story.js';

killAtEveryPoint(paymentBy(PAYDUNYA_PAGE));
