import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ManualClock, newId, silentLog, systemRng } from '@ringfence/base';
import { ReplicaReporter, type TellCustodian } from './replica-reporter.ts';

const job = newId('job', systemRng);
const gateway = newId('agent', systemRng);
const id = { job, attempt: 3 };

function reporterOf(t: TestContext, tell: TellCustodian, folder = mkdtempSync(join(tmpdir(), 'rf-reporter-'))) {
  const clock = new ManualClock();
  const reporter = new ReplicaReporter({ folder, tell, clock, log: silentLog });
  t.after(() => {
    reporter.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { reporter, folder, clock };
}

/** A custodian that can be away. */
function custodian() {
  const heard: string[] = [];
  const at = { away: false };
  const tell: TellCustodian = async ({ state }, signal) => {
    while (at.away) {
      if (signal.aborted) throw new Error('aborted');
      await new Promise((resolve) => setImmediate(resolve));
    }
    heard.push(state);
    return { gateways: [gateway] };
  };
  return { heard, at, tell };
}

describe('reports of a replica', () => {
  it('say each state in turn, and whom the custodian lets in', async (t) => {
    const { heard, tell } = custodian();
    const { reporter, folder } = reporterOf(t, tell);
    await reporter.report(id, 'ready');
    assert.deepEqual([...(reporter.gatewaysOf(id)?.agents ?? [])], [gateway]);
    await reporter.report(id, 'draining');
    await reporter.report(id, 'gone');
    assert.deepEqual(heard, ['ready', 'draining', 'gone']);
    assert.deepEqual(readdirSync(folder), []);
    assert.equal(reporter.gatewaysOf(id), undefined);
  });

  it('skip what a newer state has overtaken while the custodian was away', async (t) => {
    const { heard, at, tell } = custodian();
    const { reporter } = reporterOf(t, tell);
    at.away = true;
    const ready = reporter.report(id, 'ready');
    const gone = reporter.report(id, 'gone');
    await new Promise((resolve) => setImmediate(resolve));
    at.away = false;
    await Promise.all([ready, gone]);
    assert.deepEqual(heard, ['gone']);
  });

  it('are made up for by the next process, and asked for again while ready', async (t) => {
    const first = custodian();
    const { reporter, folder, clock } = reporterOf(t, first.tell);
    await reporter.report(id, 'ready');
    clock.advance(20_000);
    await reporter.refresh(id);
    assert.deepEqual([...new Set(first.heard)], ['ready']);
    assert.ok(first.heard.length >= 2);
    reporter.close();
    const second = custodian();
    const { reporter: next } = reporterOf(t, second.tell, folder);
    next.recover();
    await next.report(id, 'gone');
    assert.deepEqual(second.heard, ['gone']);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('let nobody in when the custodian says no, and say nothing of what never was ready', async (t) => {
    const { reporter, folder } = reporterOf(t, () => Promise.reject(new Error('no')));
    await reporter.report(id, 'gone');
    assert.deepEqual(readdirSync(folder), []);
    await reporter.report(id, 'ready');
    assert.equal(reporter.gatewaysOf(id), undefined);
  });
});
