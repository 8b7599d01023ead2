// `npm run quickstart [-- --exit] [--federation] [--state DIR]`: the whole house, one real training job through it, and the proof; then a federation of three organisations.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKOUT, sandboxWorks, startHouse, type House } from './house/index.ts';
import { AGGREGATOR, federateOnce } from './quickstart/federation.ts';
import { aboutFederation } from './quickstart/federation-summary.ts';
import { serveOnce } from './quickstart/serving.ts';
import { createProgress } from './quickstart/progress.ts';
import { closing, summarise } from './quickstart/summary.ts';
import { trainOnce } from './quickstart/training.ts';
import { verifyWire } from './quickstart/wire.ts';

const { values } = parseArgs({
  options: {
    exit: { type: 'boolean', default: false },
    /** The federation alone. */
    federation: { type: 'boolean', default: false },
    state: { type: 'string', default: resolve(CHECKOUT, '.ringfence') },
  },
});
const INTERRUPTED = 130;
/** Callers on this machine reach endpoints at a port that the system chooses. */
const GATEWAY = { RINGFENCE_GATEWAY: '1', RINGFENCE_GATEWAY_LISTEN: '127.0.0.1:0' };
const progress = createProgress((text) => process.stdout.write(text));
let house: House | undefined;
/** Of other organisations. */
const sites: House[] = [];
let leaving: Promise<void> | undefined;
let up = false;

/** Stops the house once, however many signals arrive. */
function leave(code: number): Promise<void> {
  leaving ??= (async () => {
    progress.note('stopping');
    for (const site of sites.toReversed()) await site.stop();
    await house?.stop();
    process.exitCode = code;
  })();
  return leaving;
}

async function main(): Promise<void> {
  progress.title('Ringfence quickstart');
  if (!sandboxWorks())
    progress.note(
      'bubblewrap does not work here: jobs will run at isolation "process" (apt-get install bubblewrap for more)',
    );
  house = await startHouse({
    root: resolve(values.state),
    // Also in a test of it: what a clone runs.
    entries: { kind: 'source' },
    env: { 'agent-1': GATEWAY },
    ...(values.federation ? { agents: 0 } : {}),
    alone: [AGGREGATOR],
    onStep: progress.step,
    onHouse: (built) => (house = built),
  });
  const problems = [...(values.federation ? [] : await firstHalf(house)), ...(await secondHalf(house))];
  if (values.exit) return leave(problems.length === 0 ? 0 : 1);
  up = true;
  progress.note('all is up; Ctrl-C stops it');
}

/** One organisation: training, serving, and what crossed its links. Returns what was not right. */
async function firstHalf(built: House): Promise<readonly string[]> {
  const training = await trainOnce(built, progress);
  const serving = await serveOnce(built, training.job, progress);
  const wire = await verifyWire(built);
  progress.step('journals verified on custodian and agents');
  const problems = [
    ...training.problems,
    ...serving.problems,
    ...wire.filter(({ ok }) => !ok).map(({ party }) => `the journal of ${party} does not verify`),
  ];
  progress.text(summarise({ training, serving, wire, problems }));
  return problems;
}

/** Three more organisations, and one model that they train together. Returns what was not right. */
async function secondHalf(built: House): Promise<readonly string[]> {
  const run = await federateOnce(built, progress, (site) => sites.push(site));
  progress.text(aboutFederation(run));
  progress.text(closing(built, { stays: !values.exit, sites: run.sites }));
  return run.problems;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => void leave(up ? 0 : INTERRUPTED).then(() => process.exit()));
try {
  await main();
} catch (error) {
  // Who was interrupted knows why a step failed.
  if (leaving === undefined) {
    process.stderr.write(`\nquickstart failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.stderr.write(`logs: ${resolve(values.state, 'logs')}; to start afresh, delete ${resolve(values.state)}\n`);
  }
  await leave(1);
}
// Children hold this process open; after an orderly end nothing should.
if (leaving !== undefined) process.exit();
