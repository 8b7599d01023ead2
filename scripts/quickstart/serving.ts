// The quickstart's endpoint: the trained model served behind a gateway, called, and what it all used.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT, type House } from '../house/index.ts';
import { orThrow } from './or-throw.ts';
import type { Progress } from './progress.ts';

/** What came of serving. */
export interface ServingRun {
  /** Probabilities that the two first rows of the data are malignant, which both are. */
  readonly malignant: readonly number[];
  readonly problems: readonly string[];
}

const EXAMPLE = join(CHECKOUT, 'examples/tabular');
const ENDPOINT = 'tabular-endpoint';
const GATEWAY = 'agent-1';
const ROWS = 2;
const SURE = 0.5;

/** Serves the model that `training` committed, calls it, and shows the training's metrics. */
export async function serveOnce(house: House, training: string, progress: Progress): Promise<ServingRun> {
  orThrow(await house.cli(['endpoint', 'gateway', 'add', GATEWAY]));
  orThrow(await house.cli(['launch', '-y', join(EXAMPLE, 'serve.yaml')]));
  progress.step(`endpoint ${ENDPOINT} is ready behind the gateway of ${GATEWAY}`);
  const body = JSON.stringify({ rows: firstRows() });
  const called = orThrow(await house.cli(['endpoint', 'call', ENDPOINT, '/predict', '-d', body]));
  const { malignant = [] }: { malignant?: number[] } = JSON.parse(called.stdout);
  progress.step(`called it with ${ROWS} rows: probabilities of malignant ${malignant.join(', ')}`);
  progress.quote(orThrow(await house.cli(['metrics', training])).stdout);
  progress.step('metrics read from the agent that ran the training');
  const right = malignant.length === ROWS && malignant.every((probability) => probability > SURE);
  return { malignant, problems: right ? [] : ['the endpoint did not call both rows malignant'] };
}

function firstRows(): number[][] {
  const [, ...lines] = readFileSync(join(EXAMPLE, 'data/breast-cancer.csv'), 'utf8').split('\n');
  return lines.slice(0, ROWS).map((line) => line.split(',').slice(0, -1).map(Number));
}
