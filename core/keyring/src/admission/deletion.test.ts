import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@ringfence/base';
import { signStatement } from '../statement.ts';
import { checkDeletion } from './deletion.ts';
import { SampleHouse, SampleStart } from './sample-start.fixture.ts';

const house = new SampleHouse('deletion');
const { sample, agent } = house;
const second = sample.addAgent();
const { job } = new SampleStart(house);
const request = newId('deletion', sample.rng);
const order = { request, agent: agent.id, attempts: [{ job, attempt: 1 }] };
const body = { v: 1, org: sample.org, agent: agent.id, request, attempts: order.attempts, at: sample.now } as const;
const context = { keyring: sample.keyring };

function judge(change: object, key = agent.sign): readonly string[] {
  const decision = checkDeletion(signStatement('deletion', { ...body, ...change }, [key]), order, context);
  return decision.allow ? [] : decision.reasons;
}

describe('checkDeletion', () => {
  it("takes the agent's own word about all attempts of the order, and about more", () => {
    assert.deepEqual(judge({}), []);
    assert.deepEqual(judge({ attempts: [{ job, attempt: 7 }, ...order.attempts] }), []);
  });

  it('takes no other', () => {
    assert.deepEqual(judge({ org: new SampleHouse('x').sample.org }), ['org']);
    assert.deepEqual(judge({ request: newId('deletion', sample.rng) }), ['request']);
    assert.deepEqual(judge({ attempts: [{ job, attempt: 2 }] }), ['attempts']);
    assert.deepEqual(judge({ attempts: [{ job: newId('job', sample.rng), attempt: 1 }] }), ['attempts']);
    assert.deepEqual(judge({ agent: second.id }), ['signature']);
    assert.deepEqual(judge({ agent: second.id }, second.sign), ['agent']);
    assert.deepEqual(judge({}, house.controlPlane.leases), ['signature']);
    assert.deepEqual(
      checkDeletion(new SampleStart(house).start().stopped, order, context),
      { allow: false, reasons: ['malformed'] },
      'another statement',
    );
  });

  it('takes no word of an agent that was removed', () => {
    const gone = new SampleHouse('gone');
    const word = { ...body, org: gone.sample.org, agent: gone.agent.id };
    const signed = signStatement('deletion', word, [gone.agent.sign]);
    const its = { ...order, agent: gone.agent.id };
    assert.equal(checkDeletion(signed, its, { keyring: gone.sample.keyring }).allow, true);
    gone.sample.add({ kind: 'remove', subject: gone.agent.id, reason: 'compromised' });
    assert.deepEqual(checkDeletion(signed, its, { keyring: gone.sample.keyring }), {
      allow: false,
      reasons: ['signature'],
    });
  });
});
