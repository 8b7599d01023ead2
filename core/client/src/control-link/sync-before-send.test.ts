import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import test, { type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { readJournal } from '@ringfence/ledger';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';

/** A disk that answers no fdatasync until it is told to. */
function slowDisk(t: TestContext) {
  const original = fs.fdatasync;
  const held: (() => void)[] = [];
  let holding = false;
  const replaced = (fd: number, done: fs.NoParamCallback): void => {
    if (holding) held.push(() => original(fd, done));
    else original(fd, done);
  };
  fs.fdatasync = Object.assign(replaced, { __promisify__: original.__promisify__ });
  syncBuiltinESMExports();
  const release = (): void => {
    holding = false;
    for (const sync of held.splice(0)) sync();
  };
  t.after(() => {
    release();
    fs.fdatasync = original;
    syncBuiltinESMExports();
  });
  return { hold: () => (holding = true), release, held };
}

test('a signed frame, and a promise that something is stored, wait for the disk', async (t) => {
  const clock = fastClock(2);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const folder = temporaryFolder(t);
  const disk = slowDisk(t);
  disk.hold();
  const { link, journal } = dial(t, controlPlane, { identity, folder, clock });
  const helloSealed = (): boolean =>
    readJournal(fs.readFileSync(`${folder}/journal.jsonl`)).records.some(({ kind }) => kind === 'frame');
  await until(helloSealed, 'the hello to be journaled');
  await until(() => disk.held.length > 0, 'the journal to ask for a sync');
  const before = row.connection;
  disk.release();
  await until(() => link.state === 'up', 'the link');
  assert.equal(before, 0, 'the hello had not left');

  disk.hold();
  const status = {
    name: 'attempt-status',
    body: { job: newId('job', systemRng), attempt: 1, state: 'running' },
  } as const;
  let stored = false;
  const storing = link.send(status).then(() => (stored = true));
  controlPlane.enqueue(row, { name: 'stop', body: { job: status.body.job, attempt: 1, graceMs: 0, reason: 'drain' } });
  await until(() => journal.state.received === 1, 'the acknowledgement to be journaled');
  assert.deepEqual([stored, row.received, row.acknowledged], [false, 0, 0]);
  disk.release();
  await storing;
  await until(() => row.received === 1 && row.acknowledged === 1, 'both to leave');
});
