import { paymentBy } from './final-state.js';
import { killAtEveryPoint } from './kill-at-every-point.js';
import { PAWAPAY } from './story.js';

killAtEveryPoint(paymentBy(PAWAPAY));
