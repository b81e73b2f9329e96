import { killAtEveryPoint } from './kill-at-every-point.js';
import { CARD } from './story.js';

killAtEveryPoint(CARD);
