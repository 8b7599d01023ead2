import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epochMs, newId, systemRng as rng } from '@ringfence/base';
import type { JobView } from '@ringfence/protocol/api';
import type { AttemptView, Readiness } from '@ringfence/protocol/payload';
import { explainReplica } from './explain-replica.ts';
import { toExplain } from './why-not-ready.ts';

const job = newId('job', rng);
const ORDERED = epochMs(1_800_000_000_000);
const LATER = epochMs(ORDERED + 60_000);

function viewOf(change: Partial<JobView> = {}, attempts: number[] = []): JobView {
  const rows = attempts.map((attempt) => ({ attempt, agent: newId('agent', rng), state: 'running', outcome: null }));
  return {
    job,
    type: 'serve',
    state: 'queued',
    sensitivity: 'internal',
    device: newId('device', rng),
    submittedAt: ORDERED,
    changedAt: LATER,
    waitingFor: [],
    retry: null,
    attempts: rows as unknown as JobView['attempts'],
    ...change,
  };
}

function attemptOf(attempt: number, change: Partial<AttemptView>): AttemptView {
  return {
    job,
    attempt,
    phase: 'running',
    isolation: 'sandbox',
    limits: 'cgroup-v2',
    startedAt: LATER,
    endedAt: null,
    outcome: null,
    failure: null,
    logBytes: 0,
    peakMemoryBytes: null,
    cpuMs: null,
    ...change,
  };
}

const asked = (readiness: Omit<Readiness, 'since' | 'port'>): AttemptView =>
  attemptOf(1, { readiness: { port: 8_000, since: LATER, ...readiness } });
const crashed = attemptOf(1, {
  phase: 'ended',
  outcome: 'failed',
  failure: { class: 'user-code', exception: 'ModuleNotFoundError', at: 'serve.py:3', exitCode: 1 },
});

describe('a replica that is not ready', () => {
  test('and runs says what its probe found, since when, and what to look at', () => {
    const cases: [Omit<Readiness, 'since' | 'port'>, RegExp, RegExp][] = [
      [{ last: 'no-connection', path: '/health' }, /nothing listens on port 8000/, /service\.port \(8000\)/],
      [
        { last: 'status', status: 500, path: '/health' },
        /GET \/health on port 8000 answers 500, not 200/,
        /service\.probe/,
      ],
      [{ last: 'no-answer', path: '/health' }, /GET \/health on port 8000 gives no answer/, /ringfence logs/],
    ];
    for (const [readiness, what, next] of cases) {
      const reason = explainReplica(viewOf({ state: 'running' }, [1]), [asked(readiness)]);
      assert.match(reason.what, what);
      assert.match(reason.next, next);
      assert.equal(reason.since, LATER);
    }
  });

  test('says how the attempt before ended, with its envelope', () => {
    const second = attemptOf(2, { readiness: { port: 8_000, since: LATER, last: 'no-connection' } });
    const reason = explainReplica(viewOf({ state: 'running' }, [1, 2]), [crashed, second]);
    assert.match(
      reason.what,
      /attempt 2 runs, but .*; before it, attempt 1 ended as failed: user-code, ModuleNotFoundError, at serve\.py:3/,
    );
    assert.equal(reason.failure, crashed.failure);
  });

  test('and ended says whether it is tried again', () => {
    const retry = { at: LATER, reason: 'error' } as const;
    const again = explainReplica(viewOf({ retry }, [1]), [crashed]);
    assert.match(again.what, /^attempt 1 ended as failed: .*; it is tried again \(error\)$/);
    const over = explainReplica(viewOf({ state: 'failed' }, [1]), [crashed]);
    assert.match(over.what, /exit code 1; it is not tried again$/);
    assert.match(over.next, /launch the file again/);
  });

  test('and waits for a place says who refuses it, and the fix', () => {
    const reason = explainReplica(viewOf({ waitingFor: [{ constraint: 'memory', count: 2 }] }), []);
    assert.match(reason.what, /2 refuse it for memory/);
    assert.match(reason.next, /less memory/);
    assert.equal(reason.since, ORDERED);
  });

  test('is one that is wanted, or the first of those that are all gone; none of an endpoint that rests', () => {
    const states = (...of: ('parked' | 'wanted' | 'ready' | 'draining' | 'gone')[]) =>
      toExplain(of.map((state, index) => ({ job: newId('job', rng), revision: index + 1, state }))).map(
        ({ revision }) => revision,
      );
    assert.deepEqual(states('ready', 'wanted', 'parked', 'wanted'), [2, 4]);
    assert.deepEqual(states('gone', 'gone'), [1]);
    assert.deepEqual(states('parked', 'gone'), []);
    assert.deepEqual(states('wanted', 'wanted', 'wanted', 'wanted'), [1, 2, 3]);
  });

  test('is explained without its agent too', () => {
    assert.match(explainReplica(viewOf({ state: 'running' }, [1]), []).what, /attempt 1 is running/);
  });
});
