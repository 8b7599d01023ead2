import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import { HOUR_MS, SampleOrganisation } from '../sample-organisation.fixture.ts';
import { SampleProvider } from '../sample-provider.fixture.ts';
import { extendKeyring, foldKeyring } from './fold.ts';

type Papers = Extract<KeyringChange, { kind: 'renew-admission' }>['admitted'];

const sample = new SampleOrganisation('renewal');
const custodian = sample.addCustodian();
const [provider, other] = [new SampleProvider(sample), new SampleProvider(sample)];
const machine = provider.join();
const { agent } = machine;
const until = epochMs(sample.now + 1_500 * HOUR_MS);
const longer: Papers = { admission: provider.admission(), machine: provider.machine(machine, { until }) };

function outcome(papers: Partial<Papers>, of = agent, signer = custodian.enrolment): string {
  try {
    const change = { kind: 'renew-admission', agent: of, admitted: { ...longer, ...papers } } as const;
    extendKeyring(sample.keyring, sample.sign(change, signer));
    return 'taken';
  } catch (error) {
    assert.ok(error instanceof KeyringError, String(error));
    return error.code;
  }
}

describe('a renewal of an admission', () => {
  it('lengthens what there is and changes nothing else of the machine', () => {
    const change = { kind: 'renew-admission', agent, admitted: longer } as const;
    const renewed = extendKeyring(sample.keyring, sample.sign(change, custodian.enrolment));
    const before = sample.keyring.agent(agent) ?? assert.fail();
    assert.deepEqual(renewed.agent(agent), { ...before, admitted: { ...before.admitted, until } });
  });

  it('is signed by whoever may add a machine', () => {
    assert.equal(outcome({}, agent, sample.root), 'taken');
    assert.equal(outcome({}, agent, sample.addDevice('officer').sign), 'not-authorised');
    assert.equal(outcome({}, agent, machine.signer), 'not-authorised');
  });

  it('is about the machine that there is: its keys, site, tier, provider and places', () => {
    const stranger = provider.machineKeys();
    const papers: Record<string, Partial<Papers>> = {
      'another machine': { machine: provider.machine(stranger, { until }) },
      'another site': { machine: provider.machine({ ...machine, site: other.site }, { until }) },
      'other keys': { machine: provider.machine({ ...machine, keys: stranger.keys }, { until }) },
      'other places': { machine: provider.machine(machine, { until, jurisdictions: ['FR'] }) },
      'another operator’s law': { admission: provider.admission({ jurisdictions: ['FR'] }) },
      'another tier': { admission: provider.admission({ tier: 'community-cloud' }) },
      'another provider': { admission: other.admission(), machine: other.machine(machine, { until }) },
      'an admission by nobody who may': { admission: provider.admission({}, provider.authority) },
      'a machine statement by another': { machine: provider.machine(machine, { until }, other.authority) },
    };
    for (const [name, change] of Object.entries(papers)) assert.equal(outcome(change), 'not-admitted', name);
    assert.equal(outcome({}, stranger.agent), 'unknown-subject');
    assert.equal(outcome({}, sample.addAgent().id), 'not-admitted');
  });

  it('ends an hour later at the least, and holds now', () => {
    const ending = (end: number) => ({ machine: provider.machine(machine, { until: epochMs(end) }) });
    const old = sample.keyring.agent(agent)?.admitted?.until ?? assert.fail();
    assert.equal(outcome(ending(old)), 'not-admitted');
    assert.equal(outcome(ending(old + HOUR_MS - 1)), 'not-admitted');
    assert.equal(outcome(ending(old + HOUR_MS)), 'taken');
    const later = { from: epochMs(sample.now + HOUR_MS), until };
    assert.equal(outcome({ machine: provider.machine(machine, later) }), 'not-admitted');
  });

  it('can come from another admitter when the first was removed, and by another authority of the provider', () => {
    const grown = new SampleOrganisation('renewed by another');
    const first = new SampleProvider(grown);
    const rented = first.join();
    grown.now = epochMs(grown.now + HOUR_MS);
    grown.add({ kind: 'remove-admitter', key: first.admitter.publicKey });
    const [admitter, authority] = [grown.key(), grown.key()];
    const admitted = {
      admission: first.admission({ authority: authority.publicKey }, admitter),
      machine: first.machine(rented, {}, authority),
    };
    const change = { kind: 'renew-admission', agent: rented.agent, admitted } as const;
    assert.throws(() => grown.add(change), { code: 'not-admitted' });
    grown.add({ kind: 'add-admitter', key: admitter.publicKey, tier: first.tier });
    grown.add(change);
    const { agent: id } = rented;
    assert.equal(grown.keyring.agent(id)?.admitted?.admitter, admitter.publicKey);
    assert.deepEqual(foldKeyring(grown.statements).agent(id), grown.keyring.agent(id));
    const stolen = { kind: 'add-device', device: newId('device', grown.rng), tls: grown.tls() } as const;
    assert.throws(() => grown.add({ ...stolen, sign: authority.publicKey }), { code: 'duplicate' });
  });
});
