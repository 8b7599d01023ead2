// kill -9 of the agent at each of its steps.
import { killEverywhere } from './kill-everywhere.ts';

killEverywhere('agent-1');
