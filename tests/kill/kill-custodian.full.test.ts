// kill -9 of the custodian at each of its steps.
import { killEverywhere } from './kill-everywhere.ts';

killEverywhere('custodian');
