// A job that wants to take the machine down with it: contained, ended, and nothing of it is left.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { bytesIn } from '../disk-watch.ts';
import { liveProcesses, runsAs } from '../process-table.ts';
import { identityOf } from '../sandbox-host.fixture.ts';
import { atEveryLevel, openGround, runScript, type EscapeLevel, type Ground } from './levels.fixture.ts';

const MEGABYTE = 2 ** 20;

/** Processes of the job's host user: what a bomb left behind. */
function left({ host }: Ground): readonly number[] {
  const { uid } = identityOf(host);
  return liveProcesses().flatMap(({ pid }) => (runsAs(pid, uid, 1) ? [pid] : []));
}

async function open(t: TestContext, at: EscapeLevel): Promise<Ground | undefined> {
  const ground = await openGround(t, at);
  if (ground.host.capabilities.limits.memory === 'hard' && ground.host.capabilities.limits.pids) return ground;
  t.skip('needs root (run as root, for cgroups)');
  return undefined;
}

atEveryLevel('a fork bomb that detaches, pays no heed to SIGTERM, and goes on', async (t, at) => {
  const ground = await open(t, at);
  if (ground === undefined) return;
  const bomb = `/usr/bin/python3 -c "
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        if os.fork() == 0: os.setsid()
    except OSError: time.sleep(0.05)
"`;
  let most = 0;
  const looking = setInterval(() => (most = Math.max(most, left(ground).length)), 50);
  const { exit } = await runScript(ground, bomb, {
    limits: { pids: 40, memoryBytes: 512 * MEGABYTE },
    maxDurationMs: 3_000,
    stopGraceMs: 100,
  });
  clearInterval(looking);
  // What the level itself runs comes on top; without a limit it would be thousands.
  assert.ok(most >= 10 && most < 400, `${most} processes at once`);
  assert.notEqual(exit.code, 0);
  assert.deepEqual(left(ground), []);
});

atEveryLevel('a memory bomb: pages, files in /tmp and /dev/shm', async (t, at) => {
  const ground = await open(t, at);
  if (ground === undefined) return;
  const limits = { memoryBytes: 128 * MEGABYTE, hardMemory: true, pids: 200 };
  const bombs = {
    pages: `/usr/bin/python3 -c "held = []
while True: held.append(bytearray(1048576))"`,
    shm: 'head -c 3000000000 /dev/zero > /dev/shm/x; head -c 3000000000 /dev/zero > /tmp/x',
  };
  for (const [name, bomb] of Object.entries(bombs)) {
    const { exit } = await runScript(ground, bomb, {
      limits,
      tmpfsBytes: 2_000 * MEGABYTE,
      maxDurationMs: 60_000,
      stopGraceMs: 1,
    });
    assert.ok(exit.oom === true || exit.code !== 0, `${name}: ${JSON.stringify(exit)}`);
    // gVisor and the runtimes have an allowance of their own on top.
    assert.ok((exit.peakMemoryBytes ?? 0) < 400 * MEGABYTE, `${name} took ${exit.peakMemoryBytes}`);
    assert.deepEqual(left(ground), []);
  }
});

atEveryLevel('a disk bomb: one file, many files, and files without a byte in them', async (t, at) => {
  const ground = await open(t, at);
  if (ground === undefined) return;
  const limits = { diskBytes: 8 * MEGABYTE, memoryBytes: 256 * MEGABYTE, pids: 200 };
  const bombs = {
    'one file': 'head -c 3000000000 /dev/zero > /out/large',
    'many files': 'i=0; while :; do head -c 500000 /dev/zero > /out/$i || exit 1; i=$((i+1)); sleep 0.05; done',
    'empty files': `/usr/bin/python3 -c "
import time
for i in range(40000): open(f'/out/empty-{i}', 'w').close()
time.sleep(3600)"`,
  };
  for (const [name, bomb] of Object.entries(bombs)) {
    const { exit } = await runScript(ground, bomb, { limits, maxDurationMs: 60_000, stopGraceMs: 1 });
    assert.ok(
      exit.ended === 'disk-full' || (name === 'one file' && exit.code !== 0),
      `${name}: ${JSON.stringify(exit)}`,
    );
    // Many files are found by looking every two seconds; without it they would be there by the gigabyte.
    assert.ok((await bytesIn([ground.out], 1e12)) < 200 * MEGABYTE, name);
    const { exit: cleared } = await runScript(ground, 'find /out -mindepth 1 -delete');
    assert.equal(cleared.code, 0);
  }
});

atEveryLevel('open files and a full /dev', async (t, at) => {
  const ground = await open(t, at);
  if (ground === undefined) return;
  const { stdout, stderr, exit } = await runScript(
    ground,
    `/usr/bin/python3 -c "
import os
held = []
try:
    while len(held) < 100000: held.append(os.open('/dev/null', os.O_RDONLY))
except OSError as error: print('files', len(held) < 300)
"
    (head -c 100000000 /dev/zero > /dev/filler) 2>/dev/null || true; [ "$(stat -c %s /dev/filler 2>/dev/null || echo 0)" -lt 10000000 ] && echo 'dev bounded'`,
    { limits: { ...(at.sharesKernel ? { openFiles: 256 } : {}), memoryBytes: 256 * MEGABYTE, pids: 200 } },
  );
  // Files of a kernel of its own are memory of the job, which is bounded.
  if (at.sharesKernel) assert.match(stdout, /files True/);
  assert.match(stdout, /dev bounded/, `${JSON.stringify(exit)} ${stdout} ${stderr}`);
  assert.ok(!existsSync('/dev/filler'));
});
