import { paymentBy } from './final-state.js';
import { killAtEveryPoint } from './kill-at-every-point.js';
import { CARD } from './story.js';

killAtEveryPoint(paymentBy(CARD, { withTelling: true }));
