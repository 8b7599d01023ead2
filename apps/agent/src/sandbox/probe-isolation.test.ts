import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemRng } from '@ringfence/base';
import type { Clock } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { need } from '../../../../scripts/needs.ts';
import { probeIsolation } from './probe-isolation.ts';
import { openTestHost } from './sandbox-host.fixture.ts';

/** The machine's clock with timers that fall due early, so that giving up does not take its full time. */
const clock: Clock = { ...systemClock, after: (delay, run) => systemClock.after(delay / 20, run) };

/** What probing says about level sandbox when bubblewrap is the shell script `script`. */
async function probeWith(
  t: TestContext,
  script: string,
): Promise<{ available: boolean; code?: string; reason?: string }> {
  const host = await openTestHost(t);
  const path = join(host.folder, 'bwrap');
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && { echo bubblewrap 0.9.0; exit 0; }\n${script}\n`);
  chmodSync(path, 0o755);
  const { users } = host.capabilities;
  const probed = await probeIsolation({
    stateDir: host.stateDir,
    clock,
    rng: systemRng,
    users,
    bubblewrapPath: path,
  });
  assert.deepEqual(readdirSync(join(host.stateDir, 'sandboxes')), [], 'probing leaves nothing');
  return probed.sandbox;
}

test('this machine runs jobs, and says under which limits', async (t) => {
  const { capabilities } = await openTestHost(t);
  assert.deepEqual(capabilities.process, { available: true });
  const { driver, memory, remedy } = capabilities.limits;
  assert.equal(memory === 'hard', driver !== 'rlimits');
  assert.equal(remedy === null, memory === 'hard');
  t.diagnostic(`limits by ${driver}`);
  if (!need(t, 'bubblewrap')) return;
  assert.ok(capabilities.sandbox.available, JSON.stringify(capabilities.sandbox));
  assert.match(capabilities.sandbox.version, /^\d+\.\d+\.\d+$/);
});

test('a bubblewrap that confines nothing is not taken at its word', async (t) => {
  const found = await probeWith(
    t,
    'cat <&3 >/dev/null; echo \'{ "child-pid": 1 }{ "exit-code": 0 }\' >&4; exec sh -c "cat /proc/self/status /proc/self/net/dev"',
  );
  assert.equal(found.available, false);
  assert.equal(found.code, 'probe-failed');
  assert.match(found.reason ?? '', /does not confine/);
});

test('a bubblewrap that the kernel refuses is explained', async (t) => {
  const words = 'bwrap: No permissions to create new namespace';
  const found = await probeWith(t, `cat <&3 >/dev/null; echo '${words}' >&2; exit 1`);
  assert.equal(found.code, 'user-namespaces-refused');
});

test('a bubblewrap that hangs is given up', async (t) => {
  const found = await probeWith(t, 'cat <&3 >/dev/null; kill -STOP $$');
  assert.equal(found.code, 'probe-failed');
});

test('a missing or silent bubblewrap is no level', async (t) => {
  const host = await openTestHost(t);
  const { users } = host.capabilities;
  const base = { stateDir: host.stateDir, clock: systemClock, rng: systemRng, users };
  const absent = await probeIsolation({ ...base, bubblewrapPath: join(host.folder, 'absent') });
  assert.equal(absent.sandbox.available, false);
  assert.ok(absent.process.available, 'level process does not depend on it');
});
