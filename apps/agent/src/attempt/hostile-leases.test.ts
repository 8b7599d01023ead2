import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { newId, systemRng, toBase64Url } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { Envelope } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { leasedAs, type LeaseChange } from './lease-statements.fixture.ts';
import { IDS, KEYS } from './members.fixture.ts';
import { openOrganisation, type TestOrganisation } from './organisation.fixture.ts';

const HOUR = 3_600_000;

/** Nothing was started: no start in the journal, no program in the log, no process of a sandbox. */
function assertNothingRan(organisation: TestOrganisation): void {
  assert.ok(!organisation.facts().includes('starting'), 'a start was journaled');
  assert.ok(!organisation.log.some((line) => line.includes('"exec"')), 'a program was started');
}

function refusals(organisation: TestOrganisation): string {
  return organisation.log.filter((line) => line.includes('attempt.refused')).join('');
}

describe('a good lease', () => {
  it('with a good grant runs, commits and is reported', async (t) => {
    const organisation = await openOrganisation(t);
    await organisation.lease();
    await organisation.settled();
    assert.deepEqual(organisation.facts(), ['leased', 'granted', 'starting', 'committing', 'stopped', 'told']);
    assert.ok(organisation.log.some((line) => line.includes('"exec"')));
    assert.deepEqual(organisation.requests, ['/v1/grants', '/v1/commits', '/v1/stopped']);
    assert.match(organisation.log.join(''), /"attempt.ended".*"status":"succeeded"/);
  });
});

const HOSTILE: Readonly<Record<string, { change: LeaseChange; reason: RegExp }>> = {
  'a lease that another key signed': { change: { leaseKey: KEYS.stranger }, reason: /bad-receipt|bad-lease/ },
  'keys that another root vouches for': {
    change: { keysRoot: KEYS.stranger, leaseKey: KEYS.stranger },
    reason: /bad-lease.*control-plane-keys/,
  },
  'a job that no device of the organisation ordered': {
    change: { deviceKey: KEYS.stranger },
    reason: /bad-job-signature/,
  },
  'a label that the control plane made up': { change: { labelKey: KEYS.leases }, reason: /bad-label/ },
  'a lease for another agent': { change: { agent: newId('agent', systemRng) }, reason: /lease-agent/ },
  'constraints that were edited on the way': {
    change: { placementSent: (placement) => ({ ...placement, maxDurationMs: 31_536_000_000 }) },
    reason: /constraints-edited/,
  },
  'a tier that was added on the way': {
    change: { placementSent: (placement) => ({ ...placement, tiers: ['private', 'secure-cloud'] }) },
    reason: /constraints-edited/,
  },
  'a job that must stay in a country, to a machine that stands nowhere in particular': {
    change: { residency: ['DE'] },
    reason: /"residency.*agent-residency/,
  },
  'the order of another job in its place': {
    change: { leasedJob: leasedAs(newId('job', systemRng), {}).start.job },
    reason: /bad-receipt|bad-lease|bad-label/,
  },
};

describe('a control plane that lies starts nothing', () => {
  for (const [name, { change, reason }] of Object.entries(HOSTILE))
    it(name, async (t) => {
      const organisation = await openOrganisation(t);
      await organisation.lease(change);
      await organisation.settled();
      assertNothingRan(organisation);
      assert.ok(!organisation.requests.includes('/v1/grants'), 'the custodian was asked');
      assert.match(refusals(organisation), reason);
      assert.deepEqual(organisation.facts(), ['leased', 'refused']);
    });

  it('the same attempt again, or one that goes back', async (t) => {
    const organisation = await openOrganisation(t);
    const { job } = await organisation.lease({ attempt: 3 });
    await organisation.settled();
    const before = organisation.facts().length;
    for (const attempt of [1, 2, 3]) await organisation.lease({ job, attempt });
    await organisation.settled();
    assert.deepEqual(organisation.facts().slice(before), ['refused', 'refused', 'refused']);
    assert.equal(organisation.log.filter((line) => line.includes('"exec"')).length, 1);
  });
});

type Setup = (organisation: TestOrganisation) => void;
const GRANTS: Readonly<Record<string, { setup: Setup; reason: RegExp }>> = {
  none: { setup: ({ wishes }) => (wishes.refuse = true), reason: /grant-refused,locked/ },
  'signed by a stranger': {
    setup: ({ wishes }) => (wishes.signer = KEYS.stranger),
    reason: /bad-grant,grant-signature/,
  },
  'signed by the control plane': {
    setup: ({ wishes }) => (wishes.signer = KEYS.leases),
    reason: /bad-grant,grant-signature/,
  },
  'for another agent': {
    setup: ({ wishes }) => (wishes.grant = (body) => ({ ...body, agent: newId('agent', systemRng) })),
    reason: /grant-agent/,
  },
  'for another attempt': {
    setup: ({ wishes }) => (wishes.grant = (body) => ({ ...body, attempt: 2 })),
    reason: /grant-attempt/,
  },
  'that has run out': {
    setup: ({ wishes }) => (wishes.grant = (body) => ({ ...body, notAfter: (body.at - 1) as typeof body.at })),
    reason: /grant-expired/,
  },
  'with another workload than the device signed': {
    setup: ({ wishes }) => (wishes.workload = (workload) => ({ ...workload, run: 'cat /etc/passwd' })),
    reason: /payload-mismatch/,
  },
};

describe('nothing starts on a grant', () => {
  for (const [name, { setup, reason }] of Object.entries(GRANTS))
    it(name, async (t: TestContext) => {
      const organisation = await openOrganisation(t);
      setup(organisation);
      await organisation.lease();
      await organisation.settled();
      assertNothingRan(organisation);
      assert.match(refusals(organisation), reason);
      assert.ok(organisation.requests.includes('/v1/stopped'), 'the custodian is not told that nothing will run');
      assert.deepEqual(organisation.facts().slice(-2), ['stopped', 'told']);
    });
});

/** An officer's profile; the jobs of these tests ask for isolation `process`. */
function profile(isolation: 'process' | 'sandbox'): Envelope {
  const { org, device } = IDS;
  const at = systemClock.now();
  const salt = toBase64Url(systemRng.bytes(32));
  const body = { v: 1, org, salt, seq: 1, at, device, name: 'strict', requirements: { isolation } } as const;
  return signStatement('profile', body, [KEYS.device]);
}

describe('a job whose label names a profile', () => {
  const fits = profile('process');
  const tooStrict = profile('sandbox');
  const cases: readonly (readonly [
    string,
    named: Envelope,
    given: Envelope | undefined,
    reason: RegExp | undefined,
  ])[] = [
    ['starts with it', fits, fits, undefined],
    ['does not start without it', fits, undefined, /payload-mismatch.*profile-differs/],
    ['does not start with another', fits, profile('process'), /payload-mismatch.*profile-differs/],
    ['does not start when it is looser', tooStrict, tooStrict, /payload-mismatch.*profile-looser/],
  ];
  for (const [name, named, given, reason] of cases)
    it(name, async (t) => {
      const organisation = await openOrganisation(t);
      if (given !== undefined) organisation.wishes.profile = given;
      await organisation.lease({ profile: named });
      await organisation.settled();
      if (reason === undefined) return assert.ok(organisation.facts().includes('starting'));
      assertNothingRan(organisation);
      assert.match(refusals(organisation), reason);
    });
});

it('nothing starts on a keyring whose custodian has been silent for a day', async (t) => {
  const organisation = await openOrganisation(t, { headAge: 25 * HOUR });
  await organisation.lease();
  await organisation.settled();
  assertNothingRan(organisation);
  assert.match(refusals(organisation), /stale-keyring/);
});
