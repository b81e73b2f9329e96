import { paymentBy } from './final-state.js';
import { killAtEveryPoint } from './kill-at-every-point.js';
import { HELD_CARD } from './story.js';

killAtEveryPoint(paymentBy(HELD_CARD));
