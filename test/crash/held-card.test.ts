import { killAtEveryPoint } from './kill-at-every-point.js';
import { HELD_CARD } from './story.js';

killAtEveryPoint(HELD_CARD);
