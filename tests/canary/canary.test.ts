// Invariant 2: payload is at the parties that may see it and nowhere else, in no form.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { need } from '../../scripts/needs.ts';
import { startHouse, text, type House, type StartedProcess } from '../../scripts/house/index.ts';
import { findMarkers, needlesOf, type Needles } from './marker.ts';
import { writePlantedJob, type PlantedJob } from './planted-job.ts';
import { filesBelow, workingFolder, writableMemory } from './process-memory.ts';
import { recordTls, type TlsRecorder } from './tls-recorder.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-canary-'));
const recorders = new Map<string, TlsRecorder>();
let house: House;
let planted: PlantedJob;
let needles: Needles;

async function inspect(server: StartedProcess, front: number): Promise<void> {
  // Its own port: its URL is the front's already.
  const ports: Record<string, number> = JSON.parse(readFileSync(join(root, 'house', 'ports.json'), 'utf8'));
  const recorder = await recordTls({ port: front, to: ports[server.name] ?? 0, caFile: text(server, 'ca_file') });
  recorders.set(server.name, recorder);
}

before(async () => {
  planted = writePlantedJob(root);
  needles = needlesOf(planted.markers);
  house = await startHouse({
    root: join(root, 'house'),
    agents: 1,
    onServer: inspect,
  });
  const added = await house.cli(['dataset', 'add', planted.dataset, planted.dataFolder, '--label', 'internal']);
  assert.equal(added.code, 0, added.stderr);
  const run = await house.cli(['launch', '-y', '--json', planted.jobFile]);
  assert.equal(run.code, 0, run.stderr);
  const failed = await house.cli(['launch', '-y', '--json', planted.failingJobFile]);
  assert.equal(failed.code, 1, failed.stderr);
  // The search itself must be able to find: the client saw the log line and the error text.
  const log = planted.markers.find(({ where }) => where === 'log line');
  assert.ok(log !== undefined && run.stdout.includes(log.text));
  // Metrics crossed the relay on their way here.
  const shown = await house.cli(['metrics', jobOf(run.stdout), '--json']);
  for (const { text: marker } of planted.markers.filter(({ where }) => where.startsWith('metric ')))
    assert.ok(shown.stdout.includes(marker), shown.stderr);
});

after(async () => {
  await house?.stop();
  for (const recorder of recorders.values()) await recorder.close();
  rmSync(root, { recursive: true, force: true });
});

function jobOf(events: string): string {
  return /"event":"submitted","job":"([^"]+)"/.exec(events)?.[1] ?? '';
}

function assertClean(name: string, bytes: Buffer): void {
  assert.ok(bytes.length > 0, `${name} is empty: nothing was looked at`);
  assert.deepEqual(findMarkers(bytes, needles), [], name);
}

/** The records of frames in all journals below a state folder. */
function framesBelow(state: string): string[] {
  return [...filesBelow(state)]
    .filter(({ path }) => basename(path) === 'journal.jsonl')
    .flatMap(({ bytes }) => bytes.toString().split('\n'))
    .filter((line) => line.includes('"kind":"frame"'));
}

describe('after a job ran, no marker is', () => {
  for (const name of ['control-plane', 'relay'])
    test(`in what crossed the ${name}, opened with its own TLS key`, () => {
      assertClean(name, recorders.get(name)?.seen() ?? Buffer.alloc(0));
    });

  // Sealed on the wire: what the frames said stands in the sender's and reader's journals, which `wire verify` holds against the wire.
  for (const name of ['agent-1', 'custodian'])
    test(`in the control frames of the ${name}, opened`, async () => {
      const state = join(house.root, name);
      const verified = await house.cli(['wire', 'verify', '--state', state, '--json']);
      assert.equal(verified.code, 0, verified.stderr);
      const frames = framesBelow(state);
      assert.ok(frames.some((frame) => /"dir":"out"/.test(frame)) && frames.some((frame) => /"dir":"in"/.test(frame)));
      assertClean('frames', Buffer.from(frames.join('\n')));
    });

  for (const name of ['control-plane', 'relay'])
    test(`in the files and logs of the ${name}`, () => {
      for (const { path, bytes } of filesBelow(join(house.root, name))) assertClean(path, bytes);
      assertClean('log', readFileSync(house.process(name).logFile));
    });

  test('in the control plane’s database files', (t) => {
    if (!need(t, 'root')) return;
    const logOf = readFileSync(house.process('control-plane').logFile, 'utf8');
    const pid = Number(/"event":"database.started".*?"pid":(\d+)/.exec(logOf)?.[1]);
    assert.ok(pid > 0, 'the log names the database server');
    for (const { path, bytes } of filesBelow(workingFolder(pid))) assertClean(path, bytes);
  });

  for (const name of ['control-plane', 'relay'])
    test(`in the memory of the ${name}`, (t) => {
      if (!need(t, 'root')) return;
      let regions = 0;
      for (const region of writableMemory(house.process(name).pid)) {
        regions += 1;
        assert.deepEqual(findMarkers(region, needles), [], `memory of ${name}`);
      }
      assert.ok(regions > 10);
    });

  test('missing where it belongs: the agent holds the log line and the metric', () => {
    const belonging = planted.markers.filter(({ where }) => where === 'log line' || where.startsWith('metric '));
    const ofThese = needlesOf(belonging);
    const found = [...filesBelow(join(house.root, 'agent-1'))].flatMap(({ bytes }) =>
      findMarkers(bytes, ofThese).map(({ where }) => where),
    );
    assert.deepEqual([...new Set(found)].toSorted(), ['log line', 'metric label', 'metric name']);
  });
});
