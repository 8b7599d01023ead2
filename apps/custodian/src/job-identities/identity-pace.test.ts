import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock, newId, seededRng } from '@ringfence/base';
import { IdentityPace } from './identity-pace.ts';

const rng = seededRng('pace');
const [job, agent] = [newId('job', rng), newId('agent', rng)];
const of = { job, attempt: 1, agent };

describe('the pace of tokens', () => {
  it('is one a second for each attempt and audience', () => {
    const clock = new ManualClock();
    const pace = new IdentityPace(clock);
    assert.ok(pace.takesTurn(of, 'vault'));
    assert.ok(pace.takesTurn(of, 'db'));
    assert.ok(pace.takesTurn({ ...of, attempt: 2 }, 'vault'));
    clock.advance(999);
    assert.equal(pace.takesTurn(of, 'vault'), false);
    clock.advance(1);
    assert.ok(pace.takesTurn(of, 'vault'), 'what was not given does not count');
    assert.equal(pace.takesTurn(of, 'vault'), false);
  });

  it('tells of the first refusal for the same reasons, and of each doubling', () => {
    const pace = new IdentityPace(new ManualClock());
    const told = (audience: string | undefined, count: number) =>
      Array.from({ length: count }, () => pace.tells(of, audience, ['audience'])).filter(Boolean).length;
    assert.equal(told(undefined, 1_000), 10);
    assert.equal(told('vault', 2), 2);
    assert.ok(pace.tells(of, undefined, ['locked', 'audience']));
    assert.ok(pace.tells({ ...of, attempt: 2 }, undefined, ['audience']));
    assert.equal(told(undefined, 23), 0);
    assert.equal(told(undefined, 1), 1);
  });
});
