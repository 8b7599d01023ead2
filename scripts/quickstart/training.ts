// The quickstart's job, through the CLI's own commands.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT, type House } from '../house/index.ts';
import { orThrow } from './or-throw.ts';
import type { Progress } from './progress.ts';

/** What came of the quickstart's job. */
export interface TrainingRun {
  readonly job: string;
  readonly isolation: string;
  readonly limits: string;
  readonly accuracy: number;
  /** Everything that was not right; empty when the quickstart succeeded. */
  readonly problems: readonly string[];
}

const EXAMPLE = join(CHECKOUT, 'examples/tabular');
const LOWEST_ACCURACY = 0.95;

/** Registers the dataset (first time), trains, and fetches the model. */
export async function trainOnce(house: House, progress: Progress): Promise<TrainingRun> {
  await registerDataset(house, progress);
  const result = await launch(house, progress);
  const accuracy = await fetchModel(house);
  progress.step(`model fetched and opened: accuracy ${accuracy.toFixed(3)} on the held-out rows`);
  const problems = [
    ...(result['state'] === 'succeeded' ? [] : [`the job ended as ${String(result['state'])}`]),
    ...(accuracy >= LOWEST_ACCURACY ? [] : [`accuracy ${accuracy} is below ${LOWEST_ACCURACY}`]),
  ];
  return {
    job: String(result['job']),
    isolation: String(result['isolation']),
    limits: String(result['limits']),
    accuracy,
    problems,
  };
}

async function registerDataset(house: House, progress: Progress): Promise<void> {
  const known = orThrow(await house.cli(['dataset', 'ls', '--json']));
  if (known.stdout.includes('"breast-cancer"')) return;
  orThrow(await house.cli(['dataset', 'add', 'breast-cancer', join(EXAMPLE, 'data'), '--label', 'internal']));
  progress.step('dataset breast-cancer sealed and registered (569 rows, label internal)');
}

async function launch(house: House, progress: Progress): Promise<Record<string, unknown>> {
  let pending = '';
  const call = await house.cli(['launch', '-y', '--json', join(EXAMPLE, 'job.yaml')], {
    onOutput(text) {
      const lines = (pending + text).split('\n');
      pending = lines.pop() ?? '';
      for (const event of lines.map(readEvent)) show(event, progress);
    },
  });
  const result = orThrow(call)
    .stdout.trim()
    .split('\n')
    .map(readEvent)
    .find((event) => event['event'] === 'result');
  if (result === undefined) throw new Error('launch ended without a result');
  progress.step(`job ${String(result['job'])} ${String(result['state'])}, attempt ${String(result['attempt'])}`);
  return result;
}

function show(event: Record<string, unknown>, progress: Progress): void {
  if (event['event'] === 'submitted') progress.step('job placed: label, job statement, receipt and lease signed');
  if (event['event'] === 'log') progress.quote(`${String(event['text'])}\n`);
}

function readEvent(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

async function fetchModel(house: House): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-model-'));
  try {
    orThrow(await house.cli(['artifact', 'get', 'tabular-model', '--out', folder]));
    const model: { testAccuracy?: number } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
    return model.testAccuracy ?? 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
