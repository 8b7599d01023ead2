import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import type { StatementBody } from '@ringfence/protocol/statements';
import { HOUR_MS } from '../sample-organisation.fixture.ts';
import { readStatement, signStatement } from '../statement.ts';
import { checkCommit, checkStopped } from './outcome.ts';
import { SampleHouse, SampleStart, withField, type Edit } from './sample-start.fixture.ts';

const house = new SampleHouse('outcome');
const { sample, agent, custodian } = house;
const second = sample.addAgent();
const sampleStart = new SampleStart(house);
const attempt = { job: sampleStart.job, attempt: sampleStart.attempt, agent: agent.id };
const context = { keyring: sample.keyring };
const late = epochMs(sample.now + HOUR_MS);
const edit = (name: 'stopped' | 'commit', field: string, value: unknown): Edit => ({
  [name]: (body: StatementBody<'stopped' | 'commit'>) => withField(body, [field], value),
});

describe('checkStopped', () => {
  const judge = (field: string, value: unknown) => {
    const decision = checkStopped(sampleStart.start(edit('stopped', field, value)).stopped, attempt, context);
    return decision.allow ? [] : decision.reasons;
  };

  it("takes the agent's own word about this attempt", () => {
    const decision = checkStopped(sampleStart.start().stopped, attempt, context);
    assert.ok(decision.allow && decision.stopped.body.outcome === 'failed');
  });

  it('takes no other: every field', () => {
    assert.deepEqual(judge('org', new SampleHouse('x').sample.org), ['org']);
    assert.deepEqual(judge('job', newId('job', sample.rng)), ['job']);
    assert.deepEqual(judge('attempt', 1), ['attempt']);
    assert.deepEqual(judge('agent', second.id), ['signature']);
    assert.deepEqual(judge('agent', newId('agent', sample.rng)), ['signature']);
    assert.deepEqual(judge('at', late), [], 'its clock was ahead');
    assert.deepEqual(judge('outcome', 'succeeded'), []);
  });

  it('takes no word of another agent, of the control plane or of an agent that was removed', () => {
    const body = readStatement('stopped', sampleStart.start().stopped).claimed;
    for (const key of [second.sign, house.controlPlane.leases, custodian.enrolment]) {
      const forged = signStatement('stopped', body, [key]);
      assert.deepEqual(checkStopped(forged, attempt, context), { allow: false, reasons: ['signature'] });
    }
    const other = { ...attempt, agent: second.id };
    const its = signStatement('stopped', { ...body, agent: second.id }, [second.sign]);
    assert.deepEqual(checkStopped(its, attempt, context), { allow: false, reasons: ['agent'] });
    assert.equal(checkStopped(its, other, context).allow, true);
    const gone = new SampleHouse('gone');
    const stopped = new SampleStart(gone);
    gone.sample.add({ kind: 'remove', subject: gone.agent.id, reason: 'compromised' });
    const about = { job: stopped.job, attempt: stopped.attempt, agent: gone.agent.id };
    assert.equal(checkStopped(stopped.start().stopped, about, { keyring: gone.sample.keyring }).allow, false);
    assert.deepEqual(checkStopped(sampleStart.start().commit, attempt, context), {
      allow: false,
      reasons: ['malformed'],
    });
  });
});

describe('checkCommit', () => {
  const judge = (field: string, value: unknown) => {
    const { commit } = sampleStart.start(edit('commit', field, value));
    const decision = checkCommit(commit, attempt, context);
    return decision.allow ? [] : decision.reasons;
  };

  it('takes a record of this attempt that was made under its delegation, whenever it is read', () => {
    assert.deepEqual(judge('epoch', 3), []);
    assert.deepEqual(judge('at', epochMs(sample.now + 1001 * HOUR_MS)), ['signature'], 'it was made after the end');
  });

  it('takes no other: every field', () => {
    assert.deepEqual(judge('org', new SampleHouse('x').sample.org), ['org']);
    assert.deepEqual(judge('job', newId('job', sample.rng)), ['job']);
    assert.deepEqual(judge('attempt', 1), ['attempt']);
    assert.deepEqual(judge('agent', second.id), ['agent']);
    assert.deepEqual(judge('custodian', newId('custodian', sample.rng)), ['signature']);
    assert.deepEqual(judge('at', late), [], 'its clock was ahead');
  });

  it('outlives a custodian that was replaced, not one that was compromised', () => {
    for (const [reason, allow] of [
      ['replaced', true],
      ['compromised', false],
    ] as const) {
      const moved = new SampleHouse(`moved ${reason}`);
      const its = new SampleStart(moved);
      const { commit } = its.start();
      moved.sample.now = late;
      moved.sample.add({ kind: 'remove', subject: moved.custodian.id, reason });
      const about = { job: its.job, attempt: its.attempt, agent: moved.agent.id };
      assert.equal(checkCommit(commit, about, { keyring: moved.sample.keyring }).allow, allow, reason);
    }
  });
});
