import { killAtEveryPoint } from './kill-at-every-point.js';
import { PAYDUNYA_PHONE } from './story.js';

killAtEveryPoint(PAYDUNYA_PHONE);
