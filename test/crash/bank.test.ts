import { killAtEveryPoint } from './kill-at-every-point.js';
import { BANK } from './story.js';

killAtEveryPoint(BANK);
