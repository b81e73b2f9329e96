import { killAtEveryPoint } from './kill-at-every-point.js';
import { PAYDUNYA_PAGE } from './story.js';

killAtEveryPoint(PAYDUNYA_PAGE);
