import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ManualClock, newId, systemRng as rng, type JobId } from '@ringfence/base';
import fc from 'fast-check';
import { AttemptFolder } from '../attempt/attempt-folder.ts';
import { AttemptLog } from './attempt-log.ts';
import { LogQuota, type DroppedLog } from './log-quota.ts';
import { markToSeal, sealedMetricsPath } from './log-to-seal.ts';

const [org, project, device] = [newId('org', rng), newId('project', rng), newId('device', rng)];

function stateFolder(t: TestContext): string {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-quota-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  return state;
}

/** An attempt that is over, with a log of so many bytes. */
function ended(state: string, bytes: number, job: JobId = newId('job', rng)): AttemptFolder {
  const folder = new AttemptFolder(state, { job, attempt: 1 });
  const view = {
    job,
    attempt: 1,
    phase: 'ended',
    isolation: 'sandbox',
    limits: 'none',
    startedAt: null,
    endedAt: null,
    outcome: 'failed',
    failure: { class: 'user-code' },
    logBytes: bytes,
    peakMemoryBytes: null,
    cpuMs: null,
  } as const;
  folder.write({ v: 1, org, device, sensitivity: 'internal', view });
  writeFileSync(folder.logPath, Buffer.alloc(bytes, 'x'));
  return folder;
}

describe('the quota of logs', () => {
  it('drops the oldest log that is over, says so in its view, and keeps how the attempt ended', (t) => {
    const state = stateFolder(t);
    const dropped: DroppedLog[] = [];
    const quota = new LogQuota(state, 1_000, (one) => dropped.push(one));
    const [first, second, third] = [ended(state, 400), ended(state, 400), ended(state, 400)] as const;
    writeFileSync(first.metricsPath, Buffer.alloc(50));
    for (const folder of [first, second, third]) quota.over(folder);
    assert.deepEqual(
      dropped.map(({ folder, bytes }) => [folder.id.job, bytes]),
      [[first.id.job, 450]],
    );
    assert.ok(!existsSync(first.logPath) && !existsSync(first.metricsPath));
    assert.deepEqual(
      [first.about?.view.logDropped, first.about?.view.outcome, first.about?.view.failure?.class],
      [400, 'failed', 'user-code'],
    );
    assert.equal(second.about?.view.logDropped, undefined);
    assert.equal(quota.bytes, 800);
  });

  it('counts at the start what earlier processes left, by its age', (t) => {
    const state = stateFolder(t);
    const [newer, older] = [ended(state, 600), ended(state, 600)];
    utimesSync(older.logPath, 1_000, 1_000);
    const quota = new LogQuota(state, 1_000);
    assert.deepEqual([existsSync(newer.logPath), existsSync(older.logPath), quota.bytes], [true, false, 600]);
  });

  it('drops what the custodian has not got yet only when nothing else is left', (t) => {
    const state = stateFolder(t);
    const quota = new LogQuota(state, 1_000);
    const [waiting, local, newest] = [ended(state, 400), ended(state, 400), ended(state, 400)];
    markToSeal(waiting, { org, project });
    for (const folder of [waiting, local, newest]) quota.over(folder);
    assert.deepEqual([existsSync(waiting.logPath), existsSync(local.logPath)], [true, false]);
    markToSeal(newest, { org, project });
    const last = ended(state, 900);
    markToSeal(last, { org, project });
    quota.over(last);
    assert.deepEqual([quota.bytes, existsSync(waiting.logPath), existsSync(newest.logPath)], [900, false, false]);
  });

  it('counts the copy of metrics that is made for sealing, and drops it with the log', (t) => {
    const state = stateFolder(t);
    const quota = new LogQuota(state, 1_000);
    const folder = ended(state, 400);
    quota.over(folder);
    writeFileSync(sealedMetricsPath(folder), Buffer.alloc(300));
    quota.over(folder);
    assert.equal(quota.bytes, 700);
    quota.over(ended(state, 900));
    assert.deepEqual([quota.bytes, existsSync(sealedMetricsPath(folder))], [900, false]);
  });

  it('forgets what was removed with its job', (t) => {
    const state = stateFolder(t);
    const quota = new LogQuota(state, 1_000);
    const folder = ended(state, 900);
    quota.over(folder);
    rmSync(folder.path, { recursive: true });
    quota.forgetRemoved();
    assert.equal(quota.bytes, 0);
  });

  it('lets a running attempt write until running ones alone fill it, and then ends its log with a line that says so', (t) => {
    const state = stateFolder(t);
    const old = ended(state, 5_000);
    const quota = new LogQuota(state, 10_000);
    const folder = new AttemptFolder(state, { job: newId('job', rng), attempt: 1 });
    folder.make();
    const take = (bytes: number): boolean => quota.take(folder, bytes);
    const log = new AttemptLog(folder.logPath, { limit: 1e9, take, clock: new ManualClock() });
    for (let index = 0; index < 1_000; index += 1) log.write('out', Buffer.from(`${'x'.repeat(60)}\n`));
    log.close();
    assert.ok(!existsSync(old.logPath));
    const size = statSync(folder.logPath).size;
    assert.ok(size > 9_000 && size <= 10_000, `${size} bytes`);
  });

  it('never exceeds its limit and never takes from a running attempt, whatever the order', (t) => {
    const root = stateFolder(t);
    const step = fc.record({ who: fc.nat(5), bytes: fc.integer({ min: 1, max: 400 }), over: fc.boolean() });
    let run = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        run += 1;
        const state = join(root, String(run));
        const quota = new LogQuota(state, 1_000);
        const folders = Array.from({ length: 6 }, () => ended(state, 0));
        const running = new Map<number, number>();
        for (const { who, bytes, over } of steps) {
          const folder = folders[who];
          assert.ok(folder !== undefined);
          // An attempt that was over stays so: its number is never taken again.
          if (running.get(who) === -1) continue;
          if (over) {
            running.set(who, -1);
            quota.over(folder);
          } else if (quota.take(folder, bytes)) {
            appendFileSync(folder.logPath, Buffer.alloc(bytes));
            running.set(who, (running.get(who) ?? 0) + bytes);
          }
          const kept = folders.map((one) => statSync(one.logPath, { throwIfNoEntry: false })?.size ?? 0);
          const sum = kept.reduce((total, size) => total + size, 0);
          assert.equal(quota.bytes, sum);
          assert.ok(sum <= 1_000, `${sum} bytes are kept`);
          for (const [index, size] of running) if (size >= 0) assert.equal(kept[index], size);
        }
      }),
      { numRuns: 30 },
    );
  });
});
