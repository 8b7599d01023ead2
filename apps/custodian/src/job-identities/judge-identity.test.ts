import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, seededRng } from '@ringfence/base';
import { LONGEST_IDENTITY_MS, type IdentityRefusal } from '@ringfence/protocol/payload';
import fc from 'fast-check';
import { judgeIdentity, type AskedIdentity, type IdentityFacts } from './judge-identity.ts';

const rng = seededRng('identities');
const agent = newId('agent', rng);
const NOW = epochMs(1_800_000_000_400);
const asked: AskedIdentity = { agent, attempt: 2, audience: 'https://vault.example', leaseMs: 25_000 };
const FACTS: IdentityFacts = {
  current: { attempt: 2, agent },
  stopped: false,
  fenced: false,
  shredded: false,
  closed: false,
  committed: false,
  sameEpoch: true,
  locked: false,
  mayStart: true,
  grantHolds: true,
  longestLeaseMs: 600_000,
  audiences: ['https://other.example', 'https://vault.example'],
};

/** What makes each reason hold, alone. */
const AGAINST: Readonly<
  Record<Exclude<IdentityRefusal, 'too-often'>, [Partial<AskedIdentity>, Partial<IdentityFacts>]>
> = {
  'not-current': [{}, { current: { attempt: 3, agent } }],
  stopped: [{}, { stopped: true }],
  fenced: [{}, { fenced: true }],
  closed: [{}, { closed: true }],
  committed: [{}, { committed: true }],
  epoch: [{}, { sameEpoch: false }],
  shredded: [{}, { shredded: true }],
  locked: [{}, { locked: true }],
  'device-removed': [{}, { mayStart: false }],
  'bad-grant': [{}, { grantHolds: false }],
  audience: [{ audience: 'https://vault.example/' }, {}],
  'lease-over': [{ leaseMs: 999 }, {}],
};

describe('a token for a running attempt', () => {
  it('is given while nothing speaks against it, no longer than the lease', () => {
    const life = { from: 1_800_000_000, until: 1_800_000_025, lifetimeMs: 24_600 };
    assert.deepEqual(judgeIdentity(asked, FACTS, NOW), { allow: true, ...life });
  });

  for (const [reason, [ask, facts]] of Object.entries(AGAINST))
    it(`is refused as ${reason}, and for that alone`, () => {
      const decision = judgeIdentity({ ...asked, ...ask }, { ...FACTS, ...facts }, NOW);
      assert.deepEqual(decision, { allow: false, reasons: [reason] });
    });

  it('tells all reasons at once, but to another agent only that it does not run this attempt', () => {
    const facts = { ...FACTS, stopped: true, locked: true };
    assert.deepEqual(judgeIdentity(asked, facts, NOW), { allow: false, reasons: ['stopped', 'locked'] });
    const other = { ...asked, agent: newId('agent', rng) };
    assert.deepEqual(judgeIdentity(other, facts, NOW), { allow: false, reasons: ['not-current'] });
  });

  it('is for no longer than the lease that was granted, whatever the agent says of it', () => {
    const decision = judgeIdentity({ ...asked, leaseMs: 600_000 }, { ...FACTS, longestLeaseMs: 30_000 }, NOW);
    assert.deepEqual(decision, { allow: true, from: 1_800_000_000, until: 1_800_000_030, lifetimeMs: 29_600 });
  });

  it('never ends after the lease, nor later than 15 minutes from now', () => {
    const moments = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: 100_000_000 }), (now, leaseMs) => {
        const facts = { ...FACTS, longestLeaseMs: 100_000_000 };
        const decision = judgeIdentity({ ...asked, leaseMs }, facts, epochMs(now));
        if (!decision.allow) return assert.ok(leaseMs < 2_000);
        assert.ok(decision.until * 1_000 <= now + Math.min(leaseMs, LONGEST_IDENTITY_MS));
        assert.ok(decision.until - decision.from <= 900);
        assert.ok(decision.from * 1_000 <= now && decision.lifetimeMs === decision.until * 1_000 - now);
      }),
    );
  });
});
