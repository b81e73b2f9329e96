import { killAtEveryPoint } from './kill-at-every-point.js';
import { SUBSCRIPTION } from './subscription-tale.js';

killAtEveryPoint(SUBSCRIPTION);
