// A job with a marker in everything that is payload.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plant, type Marker } from './marker.ts';

/** Where the job and its data were written, and what was planted. */
export interface PlantedJob {
  readonly jobFile: string;
  readonly failingJobFile: string;
  readonly dataFolder: string;
  readonly dataset: string;
  readonly markers: readonly Marker[];
}

/** Places of payload; each gets a marker of its own, so that a finding says what leaked. */
const PLACES = [
  'data content',
  'data path',
  'dataset name',
  'code content',
  'code path',
  'job name',
  'environment value',
  'environment name',
  'log line',
  'error text',
  'setup script',
  'result content',
  'result path',
  'artifact name',
  'agent name',
  'metric name',
  'metric label',
] as const;

/** Writes a job that trains on planted data and one that fails with a planted message. */
export function writePlantedJob(folder: string): PlantedJob {
  const planted = new Map(PLACES.map((place) => [place, plant(place)]));
  const of = (place: (typeof PLACES)[number]): string => planted.get(place)?.text ?? '';
  const workdir = join(folder, 'work');
  const dataFolder = join(folder, 'data');
  mkdirSync(workdir, { recursive: true });
  mkdirSync(dataFolder, { recursive: true });
  writeFileSync(join(dataFolder, `${of('data path')}.csv`), `${of('data content')}\n`.repeat(50));
  writeFileSync(join(workdir, `${of('code path')}.sh`), `# ${of('code content')}\n`);
  const run = [
    `cat /data/${of('data path')}.csv > /out/${of('result path')}`,
    `echo ${of('result content')} >> /out/${of('result path')}`,
    `echo ${of('log line')} $${of('environment name')}`,
    `test -f ${of('code path')}.sh`,
    `echo '${of('metric name')}{place="${of('metric label')}"} 1' > $RINGFENCE_METRICS`,
  ].join(' && ');
  const shared = {
    workdir,
    dataset: of('dataset name'),
    name: of('job name'),
    environment: [of('environment name'), of('environment value')] as const,
  };
  const jobFile = join(folder, 'job.yaml');
  writeFileSync(
    jobFile,
    jobText({ ...shared, run, setup: `echo ${of('setup script')}`, artifact: of('artifact name') }),
  );
  const failingJobFile = join(folder, 'failing.yaml');
  writeFileSync(
    failingJobFile,
    jobText({
      ...shared,
      run: `echo ${of('error text')} >&2; exit 3`,
      setup: `echo ${of('setup script')}`,
      artifact: of('artifact name'),
    }),
  );
  return { jobFile, failingJobFile, dataFolder, dataset: of('dataset name'), markers: [...planted.values()] };
}

function jobText(job: {
  workdir: string;
  dataset: string;
  name: string;
  environment: readonly [string, string];
  run: string;
  setup: string;
  artifact: string;
}): string {
  return `name: ${job.name}
workdir: work
run: |
  ${job.run}
setup: ${job.setup}
mounts: {/data: {dataset: ${job.dataset}}}
outputs: {/out: {artifact: ${job.artifact}}}
env: {${job.environment[0]}: ${job.environment[1]}}
`;
}
