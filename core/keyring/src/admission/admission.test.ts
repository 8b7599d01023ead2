import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import { CHECKS, grantRefusalOf, refusalOf, type Check } from './checks.ts';
import { checkGrant, checkPayload } from './grant.ts';
import { checkLease, type AdmissionContext } from './lease.ts';
import { machinePlaces } from './machine-places.ts';
import { headMark, signHead } from '../head.ts';
import { extendKeyring } from '../chain/fold.ts';
import { HOUR_MS } from '../sample-organisation.fixture.ts';
import { SampleProvider } from '../sample-provider.fixture.ts';
import { PLACEMENT, SampleHouse, SampleStart, type Edit } from './sample-start.fixture.ts';
import { REFUSALS } from '@ringfence/protocol/messages';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { GRANT_REFUSALS } from '@ringfence/protocol/payload';

const PARTS = ['job', 'label', 'placement', 'receipt', 'lease'] as const;

it('a sample start is admitted as it is', () => {
  const house = new SampleHouse('self');
  const decision = checkLease(new SampleStart(house).start(), house.context());
  assert.ok(decision.allow, JSON.stringify(decision));
});

describe('parts of two starts that are both good', () => {
  const house = new SampleHouse('swaps');
  const elsewhere = new SampleHouse('swaps elsewhere');
  const one = new SampleStart(house);
  const context = house.context();
  const others: Record<string, SampleStart> = {
    'another job': new SampleStart(house, { placement: { ...PLACEMENT, priority: 1 } }),
    'another attempt': new SampleStart(house, { job: one.job, attempt: 3 }),
    'another organisation': new SampleStart(elsewhere),
  };

  for (const [name, two] of Object.entries(others)) {
    it(`are refused in every mixture (${name})`, () => {
      const [a, b] = [one.start(), two.start()];
      let mixtures = 0;
      for (let mask = 1; mask < 2 ** PARTS.length - 1; mask += 1) {
        const mixed = { ...a };
        for (const [at, part] of PARTS.entries()) if ((mask >> at) & 1) Object.assign(mixed, { [part]: b[part] });
        const same = (whole: typeof a): boolean =>
          PARTS.every((part) => JSON.stringify(mixed[part]) === JSON.stringify(whole[part]));
        if (same(a) || same(b)) continue;
        mixtures += 1;
        assert.equal(checkLease(mixed, context).allow, false, `mixture ${mask}`);
      }
      assert.ok(mixtures >= 2);
    });

    it(`have no use for each other's grants (${name})`, () => {
      const admitted = checkLease(one.start(), context);
      assert.ok(admitted.allow);
      const foreign = checkGrant(two.start().grant, admitted.admission, context);
      assert.equal(foreign.allow, false);
      assert.equal(checkGrant(one.start().grant, admitted.admission, context).allow, true);
    });
  }
});

describe('an admission depends on', () => {
  const house = new SampleHouse('context');
  const sampleStart = new SampleStart(house);
  const { sample, custodian, agent, device } = house;
  const ask = (change: Partial<AdmissionContext> = {}, edit: Edit = {}): readonly Check[] => {
    const decision = checkLease(sampleStart.start(edit), house.context(change));
    return decision.allow ? [] : decision.reasons;
  };
  const headAt = (ms: number, epoch = 3) =>
    signHead(sample.keyring, { custodian: custodian.id, epoch, at: epochMs(sample.now + ms) }, custodian.enrolment);

  it('where the machine stands, when it says so: nowhere in particular is not inside a residency', () => {
    for (const [jurisdictions, reasons] of [
      [['DE'], []],
      [[], ['agent-residency']],
      [['FR'], ['agent-residency']],
      [['DE', 'US'], ['agent-residency']],
      [['EU'], ['agent-residency']],
    ] as const)
      assert.deepEqual(ask({ jurisdictions }), reasons);
  });

  it('no machine where a denied law applies, or an unknown one', () => {
    const deny = (residencyDeny: string[]) => new SampleStart(house, { placement: { ...PLACEMENT, residencyDeny } });
    const judge = (start: SampleStart, change: Partial<AdmissionContext> = {}): readonly Check[] => {
      const decision = checkLease(start.start(), house.context(change));
      return decision.allow ? [] : decision.reasons;
    };
    assert.deepEqual(judge(deny(['US'])), []);
    for (const list of [['DE'], ['EU'], ['US', 'EEA']]) assert.deepEqual(judge(deny(list)), ['agent-residency']);
    assert.deepEqual(judge(deny(['US']), { jurisdictions: ['DE', 'US'] }), ['agent-residency']);
    assert.deepEqual(judge(deny(['FR']), { jurisdictions: [] }), ['agent-residency']);
  });

  it('where the keyring says that the machine stands, whoever judges', () => {
    for (const [jurisdictions, own, reasons] of [
      [['DE'], [], []],
      [[], [], ['agent-residency']],
      [['FR'], ['DE'], ['agent-residency']],
      [['EU'], ['DE'], ['agent-residency']],
    ] as const) {
      const fresh = new SampleHouse('places', jurisdictions);
      const decision = checkLease(
        new SampleStart(fresh).start(),
        fresh.context(own.length === 0 ? {} : { jurisdictions: own }),
      );
      assert.deepEqual(decision.allow ? [] : decision.reasons, reasons);
    }
    assert.equal(grantRefusalOf(['agent-residency']), 'placement');
  });

  it('one of the sites that the placement names, by the keyring', () => {
    const there = sample.keyring.agent(agent.id)?.site ?? assert.fail();
    const elsewhere = newId('site', sample.rng);
    const at = (...sites: (typeof there)[]): readonly Check[] => {
      const decision = checkLease(
        new SampleStart(house, { placement: { ...PLACEMENT, sites } }).start(),
        house.context(),
      );
      return decision.allow ? [] : decision.reasons;
    };
    assert.deepEqual(at(there), []);
    assert.deepEqual(at(elsewhere, there), []);
    assert.deepEqual(at(elsewhere), ['agent-site']);
    assert.equal(grantRefusalOf(at(elsewhere)), 'wrong-site');
  });

  it('places that the machine itself can only narrow, and away from home not even that', () => {
    const entry = sample.keyring.agent(agent.id);
    assert.ok(entry !== undefined);
    const places = (told: readonly string[], own: readonly string[]) =>
      machinePlaces({ ...entry, jurisdictions: told }, own);
    assert.deepEqual(places(['EU'], ['DE']), ['DE']);
    assert.deepEqual(places(['EU'], []), ['EU']);
    assert.deepEqual(places([], ['DE']), []);
    assert.deepEqual(places(['DE'], ['EU']), []);
    const provider = new SampleProvider(sample);
    const { agent: away } = provider.join();
    const rented = sample.keyring.agent(away) ?? assert.fail();
    assert.deepEqual(machinePlaces(rented, ['DE']), ['DE', 'US']);
    assert.deepEqual(machinePlaces(rented, ['FR']), []);
  });

  it('an attempt that was never taken before', () => {
    assert.deepEqual(ask({ highestAttempt: 0 }), []);
    assert.deepEqual(ask({ highestAttempt: 2 }), ['attempt-not-new']);
    assert.deepEqual(ask({ highestAttempt: 7 }), ['attempt-not-new']);
  });

  it('this agent, and no other', () => {
    const twin = sample.addAgent();
    assert.deepEqual(ask({ agent: twin.id }), ['lease-agent', 'receipt-agent']);
    assert.equal(refusalOf(ask({ agent: twin.id })), 'not-this-agent');
    assert.deepEqual(ask({ agent: newId('agent', sample.rng) }), ['agent-not-member', 'lease-agent', 'receipt-agent']);
  });

  it('the pinned control plane and keys that it speaks for now', () => {
    const { now, rng } = sample;
    const id = newId('controlPlane', rng);
    const stranger = sample.key();
    const both: Check[] = ['receipt-signature', 'lease-signature'];
    assert.deepEqual(ask({ controlPlane: { id, root: house.controlPlane.root.publicKey } }), ['control-plane-keys']);
    assert.deepEqual(ask({ controlPlane: { id: house.controlPlane.id, root: stranger.publicKey } }), [
      'control-plane-keys',
    ]);
    assert.deepEqual(ask({ controlPlaneKeys: house.controlPlaneKeys({}, stranger) }), ['control-plane-keys']);
    assert.deepEqual(ask({ controlPlaneKeys: house.controlPlaneKeys({ notAfter: now }) }), ['control-plane-keys']);
    assert.deepEqual(ask({ controlPlaneKeys: house.controlPlaneKeys({ at: epochMs(now + HOUR_MS) }) }), [
      'control-plane-keys',
    ]);
    assert.deepEqual(ask({ controlPlaneKeys: house.controlPlaneKeys({ controlPlane: id }) }), ['control-plane-keys']);
    assert.deepEqual(ask({ controlPlaneKeys: house.controlPlaneKeys({ root: stranger.publicKey }) }), [
      'control-plane-keys',
    ]);
    assert.deepEqual(ask({ controlPlaneKeys: house.controlPlaneKeys({ leases: stranger.publicKey }) }), both);
    assert.deepEqual(ask({ controlPlaneKeys: sample.statements[0] ?? assert.fail() }), ['control-plane-keys']);
  });

  it('a keyring head that is fresh enough for the label', () => {
    assert.deepEqual(ask({ head: headAt(-24 * HOUR_MS) }), []);
    assert.deepEqual(ask({ head: headAt(-24 * HOUR_MS - 1) }), ['head-stale']);
    assert.equal(refusalOf(['head-stale']), 'stale-keyring');
    const home = { ...PLACEMENT, tiers: ['private'] as ['private'], burst: 'never' as const };
    const strict = new SampleStart(house, { placement: home });
    const restricted: Edit = { label: (body) => ({ ...body, sensitivity: 'restricted' }) };
    const judged = (ms: number) => checkLease(strict.start(restricted), house.context({ head: headAt(ms) }));
    assert.equal(judged(-HOUR_MS).allow, true);
    assert.deepEqual(judged(-HOUR_MS - 1), { allow: false, reasons: ['head-stale'] });
    const decision = checkLease(sampleStart.start(), house.context({ head: headAt(0, 4) }));
    assert.ok(decision.allow);
    assert.deepEqual(ask({ seenHead: headMark(decision.admission.head) }), ['head-stale'], 'the epoch went back');
  });

  it('a grant of an epoch that no restore has voided', () => {
    const decision = checkLease(sampleStart.start(), house.context({ head: headAt(0, 4) }));
    assert.ok(decision.allow);
    const granted = checkGrant(sampleStart.start().grant, decision.admission, house.context());
    assert.deepEqual(granted, { allow: false, reasons: ['grant-epoch'] });
  });

  it('a delegation that still holds', () => {
    const early = house.context({ now: epochMs(sample.now + 1001 * HOUR_MS) });
    const decision = checkLease(sampleStart.start(), early);
    assert.ok(!decision.allow && decision.reasons.includes('label-signature'));
  });

  it('what the keyring says of the machine, whatever the receipt says', () => {
    const isolation: Edit = { receipt: (body) => ({ ...body, chosen: { ...body.chosen, isolation: 'process' } }) };
    const start = new SampleStart(house, { placement: { ...PLACEMENT, isolation: 'process' } });
    const refused = checkLease(start.start(isolation), house.context());
    assert.deepEqual(refused, { allow: false, reasons: ['receipt-process'] });
    const loose = sample.addAgent(undefined, true);
    const edit: Edit = {
      receipt: (body) => ({ ...body, chosen: { ...body.chosen, agent: loose.id, isolation: 'process' } }),
      lease: (body) => ({ ...body, agent: loose.id }),
    };
    assert.equal(checkLease(start.start(edit), house.context({ agent: loose.id })).allow, true);
  });

  it('members who are still members', () => {
    sample.add({ kind: 'remove', subject: device.id, reason: 'lost' });
    assert.deepEqual(ask(), ['job-device']);
    assert.equal(grantRefusalOf(ask()), 'device-removed');
    sample.add({ kind: 'remove', subject: agent.id, reason: 'cloned' });
    const fresh = new SampleHouse('gone agent');
    fresh.sample.add({ kind: 'remove', subject: fresh.agent.id, reason: 'cloned' });
    const decision = checkLease(new SampleStart(fresh).start(), fresh.context());
    assert.deepEqual(decision, { allow: false, reasons: ['agent-not-member'] });
    assert.equal(refusalOf(['agent-not-member']), 'locked');
  });
});

describe("a machine that is not the organisation's own", () => {
  const house = new SampleHouse('away');
  const { sample } = house;
  const provider = new SampleProvider(sample);
  const away = provider.join();
  const evidence = { documents: [provider.evidence()], revocations: [] };
  const placement = {
    ...PLACEMENT,
    residency: ['DE', 'US'],
    isolation: 'container' as const,
    evidence: { require: [], grade: 'third-party' as const, maxAgeDays: 90 },
  };
  const judge = (
    sensitivity: 'internal' | 'confidential',
    isolation: 'container' | 'tee',
    { price, ...change }: Partial<AdmissionContext> & { readonly price?: PlacementPart['maxPrice'] | null } = {},
  ) => {
    const agent = change.agent ?? away.agent;
    const said = price === null ? {} : { price: price ?? PLACEMENT.maxPrice };
    const edit: Edit = {
      label: (body) => ({ ...body, sensitivity, residency: ['DE', 'US'] }),
      receipt: (body) => ({ ...body, ...said, chosen: { ...body.chosen, agent, tier: 'secure-cloud', isolation } }),
      lease: (body) => ({ ...body, agent }),
    };
    const decision = checkLease(new SampleStart(house, { placement }).start(edit), house.context({ ...change, agent }));
    return decision.allow ? [] : decision.reasons;
  };

  it("starts nothing on the control plane's word about evidence", () => {
    assert.deepEqual(judge('internal', 'container'), ['evidence-not-verified']);
    assert.deepEqual(judge('internal', 'container', { evidence }), []);
  });

  it('starts nothing above its price limit, in another currency, or for a price that is not said', () => {
    for (const price of [null, { microUnits: 1, currency: 'EUR' }, { microUnits: 0, currency: 'USD' }])
      assert.deepEqual(judge('internal', 'container', { evidence, price }), ['receipt-price']);
  });

  it('starts nothing on evidence that ends with the longest run, without its grace', () => {
    const end = sample.now + PLACEMENT.maxDurationMs;
    const ends = (at: number) => [provider.evidence({ until: epochMs(at) })];
    const bare = { evidence: { documents: ends(end), revocations: [] } };
    assert.deepEqual(judge('internal', 'container', bare), ['evidence-not-verified']);
    assert.deepEqual(
      judge('internal', 'container', { evidence: { documents: ends(end + HOUR_MS), revocations: [] } }),
      [],
    );
  });

  it('starts nothing once its admission has ended, or its admitter was removed', () => {
    const brief = provider.machineKeys();
    const until = epochMs(sample.now + 1);
    sample.add(provider.adding(brief, { machine: provider.machine(brief, { until }) }));
    const removal = { kind: 'remove-admitter', key: provider.admitter.publicKey } as const;
    const keyring = extendKeyring(sample.keyring, sample.sign(removal, sample.root));
    assert.deepEqual(judge('internal', 'container', { evidence, agent: brief.agent }), []);
    assert.deepEqual(judge('internal', 'container', { evidence, agent: brief.agent, now: until }), [
      'agent-admission-ended',
    ]);
    const { custodian } = house;
    const head = signHead(keyring, { custodian: custodian.id, epoch: 3, at: sample.now }, custodian.enrolment);
    assert.deepEqual(judge('internal', 'container', { evidence, keyring, head }), ['agent-admission-ended']);
  });

  it('opens confidential data in an appraised TEE only', () => {
    assert.deepEqual(judge('confidential', 'container', { evidence }), ['receipt-isolation', 'tee-not-appraised']);
    assert.deepEqual(judge('confidential', 'tee', { evidence }), ['tee-not-appraised']);
    assert.deepEqual(judge('confidential', 'tee', { evidence, appraised: { tee: true } }), []);
  });
});

describe('an opened payload', () => {
  const house = new SampleHouse('payload');
  const sampleStart = new SampleStart(house);
  const decision = checkLease(sampleStart.start(), house.context());
  const admission = decision.allow ? decision.admission : assert.fail();
  const { workload } = sampleStart;

  it('is the one that the device signed', () => {
    assert.deepEqual(checkPayload(workload, admission), { allow: true });
    const other = checkPayload({ ...workload, run: 'sh' }, admission);
    assert.deepEqual(other, { allow: false, reasons: ['payload-digest'] });
    assert.equal(refusalOf(['payload-digest']), 'payload-mismatch');
  });

  it('asks for no more than the placement did', () => {
    const greedy = { ...workload, isolation: 'process' as const };
    const start = new SampleStart(house);
    Object.assign(start.workload, greedy);
    const admitted = checkLease(start.start(), house.context());
    assert.ok(admitted.allow);
    assert.deepEqual(checkPayload(start.workload, admitted.admission), {
      allow: false,
      reasons: ['payload-placement'],
    });
  });
});

describe('checks', () => {
  it('stand on the page of the protocol, each with its refusal', () => {
    const page = readFileSync(new URL('../../../../docs/protocol/keyring.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| ((?:`[a-z-]+` ?)+)\| [^|]+ \| `([a-z-]+)` \|$/gm)];
    const written = rows.flatMap(([, checks = '', refusal]) =>
      [...checks.matchAll(/`([a-z-]+)`/g)].map(([, check]) => `${check}: ${refusal}`),
    );
    assert.deepEqual(
      written.toSorted(),
      Object.entries(CHECKS)
        .map(([check, { agent }]) => `${check}: ${agent}`)
        .toSorted(),
    );
  });

  it('map to refusals that the protocol knows', () => {
    for (const { agent, custodian } of Object.values(CHECKS)) {
      assert.ok(REFUSALS.includes(agent) && GRANT_REFUSALS.includes(custodian));
    }
    assert.equal(refusalOf([]), undefined);
    assert.equal(grantRefusalOf([]), undefined);
  });
});
