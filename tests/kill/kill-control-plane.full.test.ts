// kill -9 of the control-plane at each of its steps.
import { killEverywhere } from './kill-everywhere.ts';

killEverywhere('control-plane');
