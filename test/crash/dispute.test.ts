import { DISPUTE } from './dispute-tale.js';
import { killAtEveryPoint } from './kill-at-every-point.js';

killAtEveryPoint(DISPUTE);
