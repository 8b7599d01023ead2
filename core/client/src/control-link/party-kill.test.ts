import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { newId, randomBelow, sleep, systemRng, toHex } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { readJournal, readSessionKeys, wireVerify } from '@ringfence/ledger';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { JOURNAL_NAME } from './journal-file.ts';
import { newParty, temporaryFolder } from './party.fixture.ts';
import type { PartyProcess } from './party-process.fixture.ts';
import { SESSIONS_NAME } from './session-keys.ts';

const PROGRAM = fileURLToPath(new URL('./party-process.fixture.ts', import.meta.url));
/** `npm test` makes a third of them. */
const KILLS = process.env['RINGFENCE_TEST_FULL'] === '1' ? 12 : 4;
const STOPS = 60;
const OWN = 200;

test(`a party that is killed ${KILLS} times takes and sends every message once, and its journal still proves it`, async (t) => {
  const clock = fastClock(40);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const folder = temporaryFolder(t);
  const job = newId('job', systemRng);
  const setup: PartyProcess = {
    url: `https://127.0.0.1:${controlPlane.port}`,
    ...controlPlane.trust,
    folder,
    party: identity.party,
    seed: toHex(identity.key.seed().expose()),
    controlPlane: controlPlane.id,
    root: controlPlane.root.publicKey,
    job,
    own: OWN,
  };
  for (let attempt = 1; attempt <= STOPS; attempt += 1)
    controlPlane.enqueue(row, { name: 'stop', body: { job, attempt, graceMs: 0, reason: 'requested' } });
  const run = () => {
    const party = spawn(process.execPath, [PROGRAM, JSON.stringify(setup)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    t.after(() => party.kill('SIGKILL'));
    return party;
  };
  const all = (): boolean => row.received === OWN + STOPS && row.outbox.length === 0;
  for (let kill = 0; kill < KILLS && !all(); kill += 1) {
    const before = row.received;
    const party = run();
    const ended = once(party, 'exit');
    await until(() => row.received > before || all(), 'something to arrive');
    await sleep(systemClock, randomBelow(systemRng, 40));
    party.kill('SIGKILL');
    await ended;
    await until(() => controlPlane.sockets.size === 0, 'its connection to break');
  }
  const last = run();
  await until(all, 'all messages');
  last.kill('SIGKILL');
  await once(last, 'exit');
  const attempts = row.messages.map(({ message }) => (message.name === 'attempt-status' ? message.body.attempt : 0));
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  assert.deepEqual(
    attempts.filter((attempt) => attempt < 1_000),
    numbers(OWN),
  );
  assert.deepEqual(
    attempts.filter((attempt) => attempt > 1_000),
    numbers(STOPS).map((attempt) => 1_000 + attempt),
  );
  assert.equal(row.locked, false, 'a crash is no fork');
  const { records } = readJournal(readFileSync(join(folder, JOURNAL_NAME)));
  const sessions = readSessionKeys(readFileSync(join(folder, SESSIONS_NAME), 'utf8'));
  const keys = { controlPlane: controlPlane.id, root: controlPlane.root.publicKey, party: identity.key.publicKey };
  const report = wireVerify({ records, sessions, keys });
  assert.deepEqual(report.problems, []);
  t.diagnostic(`${report.connections.length} connections, ${records.length} records`);
});
