import { paymentBy } from './final-state.js';
import { killAtEveryPoint } from './kill-at-every-point.js';
import { BANK } from './story.js';

killAtEveryPoint(paymentBy(BANK));
