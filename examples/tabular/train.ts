// node train.ts --data DIR --out DIR: trains on DIR/breast-cancer.csv, writes model.json and metrics.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FEATURES, readRows, stratifiedSplit, type Row } from './cell-nuclei.ts';
import {
  fitScaling,
  loss,
  probability,
  standardise,
  train,
  type Examples,
  type Scaling,
} from './logistic-regression.ts';

/** In a job of Ringfence its SDK is at hand; elsewhere there is nobody to report to. */
const sdk = process.env['RINGFENCE_SDK'];
const { metric }: { metric: (values: Record<string, number>, options: { step: number }) => void } =
  sdk === undefined ? { metric: () => {} } : await import(join(sdk, 'typescript/ringfence.ts'));

const SEED = 1995;
const DESCENT = { epochs: 400, rate: 0.5, penalty: 0.001 };
const REPORT_EVERY = 50;

const { values } = parseArgs({ options: { data: { type: 'string' }, out: { type: 'string' } } });
if (values.data === undefined || values.out === undefined) throw new Error('usage: node train.ts --data DIR --out DIR');

const rows = readRows(values.data);
const split = stratifiedSplit(rows, SEED);
console.log(`${rows.length} rows: ${split.train.length} to train on, ${split.test.length} held out`);

const scaling = fitScaling(split.train.map(({ features }) => features));
const trainSet = examplesOf(split.train, scaling);
const testSet = examplesOf(split.test, scaling);

const losses: { epoch: number; loss: number }[] = [];
const learnt = train(trainSet, DESCENT, (epoch, value) => {
  if (epoch % REPORT_EVERY === 0) report(epoch, value);
});
report(DESCENT.epochs, loss(trainSet, learnt, DESCENT.penalty));

const confusion = confusionOf(testSet);
const testAccuracy = accuracyOf(confusion);
const metrics = {
  rows: { train: split.train.length, test: split.test.length },
  losses,
  trainAccuracy: accuracyOf(confusionOf(trainSet)),
  testAccuracy,
  confusion,
};
const model = {
  kind: 'logistic-regression',
  target: 'malignant',
  features: FEATURES,
  ...scaling,
  ...learnt,
  threshold: 0.5,
  split: { seed: SEED, ...metrics.rows },
  testAccuracy,
  confusion,
};
mkdirSync(values.out, { recursive: true });
writeFileSync(join(values.out, 'model.json'), `${JSON.stringify(model, null, 2)}\n`);
writeFileSync(join(values.out, 'metrics.json'), `${JSON.stringify(metrics, null, 2)}\n`);
console.log(`accuracy ${testAccuracy.toFixed(4)} on the held-out rows`);

function examplesOf(part: readonly Row[], by: Scaling): Examples {
  return {
    rows: part.map(({ features }) => standardise(features, by)),
    targets: part.map(({ malignant }) => malignant),
  };
}

function report(epoch: number, value: number): void {
  losses.push({ epoch, loss: value });
  metric({ loss: value }, { step: epoch });
  console.log(`epoch ${String(epoch).padStart(3)}  loss ${value.toFixed(5)}`);
}

function confusionOf({
  rows: cells,
  targets,
}: Examples): Record<'truePositive' | 'falsePositive' | 'trueNegative' | 'falseNegative', number> {
  const counts = { truePositive: 0, falsePositive: 0, trueNegative: 0, falseNegative: 0 };
  cells.forEach((row, index) => {
    const malignant = targets[index] === 1;
    if (probability(row, learnt) >= 0.5) counts[malignant ? 'truePositive' : 'falsePositive'] += 1;
    else counts[malignant ? 'falseNegative' : 'trueNegative'] += 1;
  });
  return counts;
}

function accuracyOf(counts: ReturnType<typeof confusionOf>): number {
  const right = counts.truePositive + counts.trueNegative;
  return right / (right + counts.falsePositive + counts.falseNegative);
}
