import { killAtEveryPoint } from './kill-at-every-point.js';
import { PAWAPAY } from './story.js';

killAtEveryPoint(PAWAPAY);
