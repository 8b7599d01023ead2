import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { epochMs, newId, seededRng, type OrgId } from '@ringfence/base';
import type { Contract } from '@ringfence/protocol/statements';
import { HOUR_MS } from '../sample-organisation.fixture.ts';
import { signStatement } from '../statement.ts';
import { countGroups, countsSites } from './counted-groups.ts';
import { SampleContract, type SampleParty } from './sample-contract.fixture.ts';
import { checkWithdrawal, endsWithout, type WithdrawalReason } from './withdrawal.ts';

const sample = new SampleContract('groups', { clients: 4 });
const { terms } = sample;
const rng = seededRng('groups');
/** Clients of these organisations and sites, by their numbers; `host` is where the aggregator is. */
const orgs = Array.from({ length: 5 }, () => newId('org', rng));
const sites = Array.from({ length: 5 }, () => newId('site', rng));
function placed(clients: readonly (readonly [org: number, site: number])[], host: readonly [number, number]): Contract {
  const [first] = terms.clients;
  assert.ok(first !== undefined);
  const at = ([org, site]: readonly [number, number]) => ({
    org: orgs[org] ?? assert.fail(),
    site: sites[site] ?? assert.fail(),
    agent: newId('agent', rng),
  });
  return {
    ...terms,
    clients: clients.map((place) => ({ ...first, ...at(place) })),
    aggregator: { ...terms.aggregator, ...at(host) },
  };
}

describe('who counts towards the least number of organisations', () => {
  it('is each organisation once, without that of the aggregator', () => {
    assert.equal(countGroups(terms), 4);
    const cases: readonly (readonly [clients: [number, number][], host: [number, number], count: number])[] = [
      [
        [
          [0, 0],
          [1, 1],
          [2, 2],
        ],
        [3, 3],
        3,
      ],
      [
        [
          [0, 0],
          [0, 1],
          [1, 2],
          [2, 3],
        ],
        [3, 3],
        3,
      ],
      [
        [
          [0, 0],
          [1, 1],
          [2, 2],
        ],
        [0, 4],
        2,
      ],
      [
        [
          [0, 0],
          [0, 1],
          [0, 2],
        ],
        [0, 3],
        3,
      ],
      [
        [
          [0, 0],
          [0, 1],
          [0, 2],
        ],
        [0, 2],
        2,
      ],
      [
        [
          [0, 0],
          [0, 0],
          [0, 1],
        ],
        [0, 3],
        2,
      ],
      [
        [
          [0, 0],
          [0, 1],
          [0, 2],
        ],
        [1, 0],
        2,
      ],
    ];
    for (const [clients, host, count] of cases)
      assert.equal(countGroups(placed(clients, host)), count, JSON.stringify(clients));
  });

  it('never more than there are, and never fewer when somebody joins', () => {
    const place = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 }));
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 8 }), place, (clients, host) => {
        const contract = placed(clients, host);
        const agents = contract.clients.map(({ agent }) => agent);
        const counts = agents.map((_, upTo) => countGroups(contract, agents.slice(0, upTo + 1)));
        assert.ok(counts.every((count, at) => count <= at + 1 && count >= (counts[at - 1] ?? 0)));
        const all = new Set(contract.clients.map(({ org, site }) => (countsSites(contract) ? site : org)));
        assert.ok(all.size - (counts.at(-1) ?? 0) <= 1, 'at most the aggregator’s is not counted');
        assert.equal(countGroups(contract, []), 0);
      }),
    );
  });
});

describe('a withdrawal', () => {
  const [one, two] = sample.clients as [SampleParty, SampleParty];
  const keyrings = new Map(sample.parties.map(({ organisation }) => [organisation.org, organisation.keyring]));
  const contract = sample.digest();
  const now = one.organisation.now;
  const word = (change: object = {}, by = one.device.sign) =>
    signStatement(
      'contract-withdrawal',
      { v: 1, org: one.organisation.org, device: one.device.id, contract, at: now, ...change },
      [by],
    );
  const reasons = (envelope: ReturnType<typeof word>, dataOwners: readonly SampleParty['device']['id'][] = []) => {
    const decision = checkWithdrawal(envelope, contract, { keyrings, dataOwners, now });
    return decision.allow ? [] : decision.reasons;
  };

  it('is the word of a device of the party that may sign for it, about this contract', () => {
    assert.deepEqual(reasons(word()), []);
    const cases: readonly (readonly [object, WithdrawalReason[]])[] = [
      [{ org: newId('org', rng) }, ['not-a-party']],
      [{ org: two.organisation.org }, ['signature']],
      [{ device: two.device.id }, ['signature']],
      [{ contract: 'ab'.repeat(32) }, ['contract']],
      [{ at: epochMs(now + HOUR_MS) }, ['not-yet']],
    ];
    for (const [change, expected] of cases) assert.deepEqual(reasons(word(change)), expected, JSON.stringify(change));
    assert.deepEqual(reasons(word({}, two.device.sign)), ['signature']);
    assert.deepEqual(reasons(one.organisation.statements[0] ?? assert.fail()), ['malformed']);
  });

  it('is an owner’s of data too, and nobody else’s', () => {
    const { id, sign } = one.organisation.addDevice();
    keyrings.set(one.organisation.org, one.organisation.keyring);
    assert.deepEqual(reasons(word({ device: id }, sign)), ['not-authorised']);
    assert.deepEqual(reasons(word({ device: id }, sign), [id]), []);
  });

  it('ends the contract for whom it says', () => {
    const [a, b] = sample.clients.map(({ organisation: { org } }) => org) as [OrgId, OrgId];
    const host = sample.host.organisation.org;
    const goOn: Contract = { ...terms, withdrawal: 'go-on' };
    const ends = (of: Contract, left: readonly OrgId[], own: OrgId) => endsWithout(of, new Set(left), own);
    assert.equal(ends(terms, [], a), false);
    assert.equal(ends(terms, [b], a), true, 'stop');
    assert.equal(ends(goOn, [b], a), false, 'three are left');
    assert.equal(ends(goOn, [b], b), true, 'for itself');
    assert.equal(ends(goOn, [host], a), true, 'nobody adds up');
    const [, , c] = sample.clients.map(({ organisation: { org } }) => org) as [OrgId, OrgId, OrgId];
    assert.equal(ends(goOn, [b, c], a), true, 'two are too few');
  });
});
