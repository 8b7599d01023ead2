import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { ContractFile, Decimal } from '@ringfence/protocol/federation';
import { contractStatement, type Contract } from '@ringfence/protocol/statements';
import { HOUR_MS, SampleOrganisation } from '../sample-organisation.fixture.ts';
import { SampleProvider } from '../sample-provider.fixture.ts';
import { checkContract } from './check-contract.ts';
import { contractTermFaults } from './contract-terms.ts';
import { CONTRACT_FAULTS, type ContractFaultCode } from './contract-fault.ts';
import { signContract } from './contract-file.ts';
import { SampleContract, samplePart, type SampleParty } from './sample-contract.fixture.ts';

const sample = new SampleContract('check', { clients: 4 });
const [first, second] = sample.clients as [SampleParty, SampleParty];
const now = epochMs(sample.host.organisation.now + HOUR_MS);
/** Bytes between two that are changed. */
const STEP = process.env['RINGFENCE_TEST_FULL'] === '1' ? 7 : 211;
const decimal = (text: string): Decimal => text as Decimal;
/** Faults that were seen by any test below. */
const seen = new Set<string>();

/** Names of what keeps a file from holding for a reader, without repeats. */
function faultsOf(file: ContractFile, reader: SampleParty = first, at = now): ContractFaultCode[] {
  const decision = checkContract(file, { keyring: reader.organisation.keyring, now: at });
  const codes = decision.allow ? [] : [...new Set(decision.reasons.map(({ code }) => code))];
  for (const code of codes) seen.add(code);
  return codes;
}
/** The contract with other terms, signed by all of its parties again. */
const signedAnew = (terms: Partial<Contract>): ContractFile => sample.file(sample.parties, terms);
const { terms } = sample;
const clientsWith = (change: object, at = 0): Contract['clients'] =>
  terms.clients.map((client, index) => (index === at ? { ...client, ...change } : client));
const datasetWith = (change: object): Contract['clients'] =>
  clientsWith({ dataset: { ...terms.clients[0]?.dataset, ...change } });
const partiesWith = (change: object, at = 0): Contract['parties'] =>
  terms.parties.map((party, index) => (index === at ? { ...party, ...change } : party));
const embedded = (change: object): Contract['code'] => ({ ...terms.code, ...change }) as Contract['code'];
const privacyWith = (change: object): Contract['privacy'] => ({ ...terms.privacy, ...change });
const OWN: Contract['code'] = { kind: 'own', parameters: 6, digest: sha256Hex(Buffer.from('x')), run: 'python3 t.py' };

describe('a contract', () => {
  it('holds for every party that has all others as peers, and for nobody else', () => {
    const file = sample.file();
    for (const reader of sample.parties) assert.deepEqual(faultsOf(file, reader), []);
    const stranger = new SampleContract('strangers').host;
    assert.ok(faultsOf(file, stranger).includes('not-a-party'));
    assert.ok(faultsOf(file, stranger).includes('not-a-peer'));
  });

  it('hides an organisation by noise only where it has one client', () => {
    const clients = clientsWith({ org: second.organisation.org });
    const noise = { ...terms.privacy.noise, sampleRate: decimal('1') };
    const faults = (change: object) => faultsOf(signedAnew({ clients, privacy: privacyWith(change) }));
    const unit = { kind: 'organisation' };
    assert.ok(faults({ unit, noise }).includes('organisation-twice'));
    assert.ok(!faults({ noise }).includes('organisation-twice'), 'rows of two clients are others');
    assert.ok(!faults({ unit, noise: null, budget: null }).includes('organisation-twice'));
  });

  it('holds by the signatures of all, and of none that is missing', () => {
    for (const missing of sample.parties) {
      const file = sample.file(sample.parties.filter((party) => party !== missing));
      const decision = checkContract(file, { keyring: first.organisation.keyring, now });
      assert.ok(!decision.allow);
      const { org } = missing.organisation;
      assert.ok(
        decision.reasons.every((fault) => fault.org === org),
        JSON.stringify(decision.reasons),
      );
    }
    assert.deepEqual(faultsOf(sample.file([])), ['signature-missing', 'owner-signature-missing']);
  });

  it('is signed by an owner or officer, and by whoever owns the data: others’ signatures count for nothing', () => {
    const own = new SampleContract('rights');
    const [one] = own.clients as [SampleParty];
    const plain = one.organisation.addDevice();
    const file = signContract(own.file(own.parties.slice(1)), plain.sign);
    const faults = (of: ContractFile) => {
      const decision = checkContract(of, { keyring: one.organisation.keyring, now });
      return decision.allow ? [] : decision.reasons.map(({ code }) => code);
    };
    assert.deepEqual(faults(file), ['signature-missing', 'owner-signature-missing']);
    one.organisation.add({ kind: 'bind-role', device: plain.id, role: 'owner' });
    assert.deepEqual(faults(file), ['owner-signature-missing']);
    one.organisation.add({ kind: 'remove', subject: one.device.id, reason: 'lost' });
    assert.deepEqual(faults(file), [], 'the owner of the data has left, and an owner stands in');
    const full = signContract(file, one.device.sign);
    one.organisation.add({ kind: 'remove', subject: plain.id, reason: 'lost' });
    assert.deepEqual(
      faults(full),
      ['signature-missing', 'owner-signature-missing'],
      'those who left count for nothing',
    );
  });

  it('ends when it says, and does not begin before it is dated', () => {
    const file = sample.file();
    assert.deepEqual(faultsOf(file, first, terms.notAfter), ['expired']);
    assert.deepEqual(faultsOf(file, first, epochMs(terms.notAfter - 1)), []);
    assert.deepEqual(faultsOf(file, first, epochMs(terms.at - HOUR_MS)), ['post-dated']);
  });
});

describe('a reader trusts a party’s keyring', () => {
  const [, , third] = sample.clients as [SampleParty, SampleParty, SampleParty];
  const { org } = third.organisation;
  const withKeyring = (statements: ContractFile['keyrings'][number]['statements'] | undefined): ContractFile => {
    const file = sample.file();
    const others = file.keyrings.filter((keyring) => keyring.org !== org);
    return { ...file, keyrings: statements === undefined ? others : [...others, { org, statements }] };
  };

  it('by the root that was compared, and as long as when the contract was drafted', () => {
    assert.deepEqual(faultsOf(withKeyring(undefined)), ['keyring-missing']);
    assert.deepEqual(faultsOf(withKeyring(third.organisation.statements.slice(0, -1))), ['keyring-short']);
    assert.deepEqual(faultsOf(withKeyring(third.organisation.statements.slice(1))), ['keyring-broken']);
    const impostor = new SampleOrganisation('impostor');
    assert.deepEqual(faultsOf(withKeyring(impostor.statements)), ['root-differs']);
    const swapped = sample.file().keyrings.find((keyring) => keyring.org === second.organisation.org);
    assert.deepEqual(faultsOf(withKeyring(swapped?.statements)), ['root-differs']);
  });

  it('over a rotation of the root, and not once it is no peer', () => {
    const own = new SampleContract('rotation');
    const [one, two] = own.clients as [SampleParty, SampleParty];
    const root = two.organisation.key();
    const { recovery } = two.organisation.keyring;
    const rotation = {
      kind: 'rotate-root' as const,
      root: root.publicKey,
      recovery: { threshold: recovery.threshold, keys: [...recovery.keys] },
    };
    two.organisation.add(rotation, two.organisation.root, root);
    const file = own.file(own.parties, { parties: own.parties.map((party) => samplePart(party).party) });
    const check = () => checkContract(file, { keyring: one.organisation.keyring, now });
    assert.ok(check().allow, JSON.stringify(check()));
    one.organisation.add({ kind: 'remove', subject: two.organisation.org, reason: 'compromised' });
    const decision = check();
    assert.deepEqual(decision.allow ? [] : decision.reasons, [{ code: 'not-a-peer', org: two.organisation.org }]);
  });
});

/** Each field changed by somebody who has no keys; and what the same change comes to when all parties sign it. */
const EDITS: {
  readonly [Field in keyof Contract]-?: readonly (readonly [Contract[Field], readonly ContractFaultCode[]])[];
} = {
  v: [],
  name: [['others', []]],
  salt: [[sample.parties[0]?.device.sign.publicKey ?? '', []]],
  purpose: [['marketing', []]],
  parties: [
    [partiesWith({ root: sample.host.organisation.key().publicKey }), ['root-differs']],
    [partiesWith({ root: second.organisation.root.publicKey }), ['party-twice', 'root-differs']],
    [partiesWith({ root: sample.host.organisation.key().publicKey }, 1), ['root-differs']],
    [partiesWith({ name: 'Others' }), []],
    [partiesWith({ name: terms.parties[1]?.name.toUpperCase() }), ['party-twice']],
    [partiesWith({ keyring: { seq: 0, digest: sha256Hex(Buffer.from('x')) } }, 1), ['keyring-short']],
    [terms.parties.slice(1), ['party-unknown', 'recipient-unknown', 'not-a-party']],
    [
      [...terms.parties, samplePart(new SampleContract('more').host).party],
      ['party-unknown', 'not-a-peer'],
    ],
    [[...terms.parties, ...partiesWith({}).slice(0, 1)], ['party-twice']],
  ],
  clients: [
    [clientsWith({ agent: newId('agent', first.organisation.rng) }), ['agent-not-member']],
    [clientsWith({ sign: first.organisation.key().publicKey }), ['agent-keys']],
    [clientsWith({ tls: first.organisation.tls() }), ['agent-keys']],
    [clientsWith({ site: newId('site', first.organisation.rng) }), ['agent-site']],
    [clientsWith({ sign: terms.clients[1]?.sign }), ['agent-twice', 'agent-keys']],
    [clientsWith({ org: sample.host.organisation.org }), ['agent-not-member', 'owner-signature-missing', 'colluders']],
    [terms.clients.slice(1, 3), ['party-unknown', 'too-few-organisations']],
    [datasetWith({ artifact: terms.clients[1]?.dataset.artifact }), ['dataset-twice']],
    [datasetWith({ owner: second.device.id }), ['owner-signature-missing']],
    [datasetWith({ columns: ['radius'] }), ['columns-missing']],
    [datasetWith({ version: 2 }), []],
  ],
  aggregator: [
    [{ ...terms.aggregator, relay: null }, ['aggregator-route']],
    [{ ...terms.aggregator, tls: terms.clients[0]?.tls ?? terms.aggregator.tls }, ['agent-twice', 'agent-keys']],
    [{ ...terms.aggregator, org: first.organisation.org }, ['party-unknown', 'agent-not-member', 'colluders']],
    [{ ...terms.aggregator, ...custodianKeys() }, ['agent-keys', 'aggregator-not-an-agent']],
  ],
  code: [
    [embedded({ model: { kind: 'softmax', inputs: 3, classes: 2 } }), ['model-shape']],
    [embedded({ model: { kind: 'softmax', inputs: 2, classes: 3 } }), ['model-shape']],
    [OWN, ['grade-of-own-code']],
  ],
  strategy: [[{ kind: 'fedprox', rate: decimal('1'), mu: decimal('0.1') }, []]],
  rounds: [[{ count: 11, longestMs: 60_000 }, []]],
  evaluation: [
    [{ every: 2, heldOut: decimal('0.2') }, ['evaluation-with-noise']],
    [{ every: 2 }, ['evaluation-with-noise', 'held-out']],
  ],
  robustness: [[{ updateNorm: decimal('1') }, ['robustness-with-noise']]],
  minOrganisations: [
    [4, []],
    [5, ['too-few-organisations']],
  ],
  secureAggregation: [[{ corrupt: decimal('0'), dropout: decimal('0') }, []]],
  encoding: [[{ ringWidth: 8, scale: decimal('1') }, []]],
  privacy: [
    [privacyWith({ noise: null }), ['budget-without-noise']],
    [privacyWith({ budget: null }), ['noise-without-budget']],
    [privacyWith({ noise: { ...terms.privacy.noise, honestMin: 5 } }), ['honest-minimum']],
    [privacyWith({ unit: { kind: 'organisation' } }), ['sample-rate']],
    [privacyWith({ unit: { kind: 'person', column: 'patient', mostRows: 3 } }), ['columns-missing']],
    [privacyWith({ grade: 'declared' }), []],
  ],
  outputs: [
    [[{ what: 'model', artifact: 'm', recipients: [newId('org', first.organisation.rng)] }], ['recipient-unknown']],
  ],
  withdrawal: [['go-on', []]],
  at: [
    [epochMs(terms.at + 1), []],
    [epochMs(now + HOUR_MS), ['post-dated']],
  ],
  notAfter: [
    [now, ['expired']],
    [terms.at, ['expired']],
  ],
};

function custodianKeys(): Pick<Contract['aggregator'], 'sign' | 'tls'> {
  const { sign, tls } = first.organisation.keyring.custodian ?? assert.fail();
  return { sign, tls };
}

describe('one field edited', () => {
  const signed = sample.file();
  for (const [field, edits] of Object.entries(EDITS))
    it(`${field}: nobody has signed it, and signed by all it is as listed`, () => {
      for (const [value, expected] of edits) {
        const change = { [field]: value } as Partial<Contract>;
        if (!contractStatement.safeParse({ ...terms, ...change }).success) {
          assert.throws(() => signedAnew(change), { code: 'malformed' });
          continue;
        }
        const anew = signedAnew(change);
        const forged = { ...anew, contract: { ...anew.contract, signatures: signed.contract.signatures } };
        assert.ok(faultsOf(forged).includes('signature-missing'), `${field}: by the signatures that it had`);
        assert.deepEqual(faultsOf(anew).toSorted(), [...expected].toSorted(), `${field}: ${JSON.stringify(value)}`);
      }
    });

  it('assumes that all clients of the aggregator’s organisation collude with it', () => {
    const own = new SampleContract('hosted', { clients: 13 });
    const { aggregator } = own.terms;
    const faults = (count: number, corrupt: string) => {
      const clients = own.terms.clients.map((client, at) => (at < count ? { ...client, org: aggregator.org } : client));
      const changed = { ...own.terms, clients, secureAggregation: { ...own.terms.secureAggregation, corrupt } };
      return contractTermFaults(changed as Contract, now).map(({ code }) => code);
    };
    for (const [count, corrupt] of [
      [1, '0.07'],
      [2, '0.1'],
      [10, '0.1'],
    ] as const)
      assert.ok(faults(count, corrupt).includes('colluders'), `${count} with ${corrupt}`);
    for (const [count, corrupt] of [
      [0, '0'],
      [1, '0.1'],
      [4, '0.31'],
    ] as const)
      assert.ok(!faults(count, corrupt).includes('colluders'), `${count} with ${corrupt}`);
  });

  it('what a contract may say beside: nobody has signed another number of it, nor that it is gone', () => {
    const stop = { metric: 'loss', patience: 3, minDelta: decimal('0.01') } as const;
    const evaluation = { every: 2, heldOut: decimal('0.2'), stop };
    const robustness = { updateNorm: decimal('2') };
    const bare = { privacy: privacyWith({ noise: null, budget: null }) };
    const full = { ...bare, evaluation, robustness };
    const whole = signedAnew(full);
    assert.deepEqual(faultsOf(whole), []);
    const edits: readonly Partial<Contract>[] = [
      bare,
      { ...bare, evaluation },
      { ...full, evaluation: { ...evaluation, every: 3 } },
      { ...full, evaluation: { ...evaluation, heldOut: decimal('0.3') } },
      { ...full, evaluation: { every: 2, heldOut: decimal('0.2') } },
      { ...full, evaluation: { ...evaluation, stop: { ...stop, metric: 'accuracy' } } },
      { ...full, evaluation: { ...evaluation, stop: { ...stop, patience: 2 } } },
      { ...full, evaluation: { ...evaluation, stop: { ...stop, minDelta: decimal('0') } } },
      { ...full, robustness: { updateNorm: decimal('3') } },
    ];
    for (const edit of edits) {
      const anew = signedAnew(edit);
      const forged = { ...anew, contract: { ...anew.contract, signatures: whole.contract.signatures } };
      assert.ok(faultsOf(forged).includes('signature-missing'), JSON.stringify(edit));
      assert.deepEqual(faultsOf(anew), [], JSON.stringify(edit));
    }
    assert.deepEqual(faultsOf(signedAnew({ ...full, code: OWN })), ['grade-of-own-code', 'held-out']);
    for (const wrong of [
      { evaluation: { ...evaluation, every: 0 } },
      { evaluation: { ...evaluation, heldOut: decimal('0') } },
      { evaluation: { ...evaluation, heldOut: decimal('1') } },
      { evaluation: { ...evaluation, stop: { ...stop, patience: 0 } } },
      { evaluation: { ...evaluation, stop: { ...stop, minDelta: decimal('-0.1') } } },
      { robustness: { updateNorm: decimal('0') } },
    ])
      assert.throws(() => signedAnew({ ...bare, ...wrong }), { code: 'malformed' }, JSON.stringify(wrong));
  });

  it('no field was forgotten', () => {
    assert.deepEqual(Object.keys(EDITS), Object.keys(contractStatement.shape));
  });

  it(`every byte of the signed document counts (one in ${STEP})`, () => {
    const payload = Buffer.from(signed.contract.payload, 'base64');
    for (let at = 0; at < payload.length; at += STEP) {
      const changed = Buffer.from(payload);
      changed.writeUInt8(payload.readUInt8(at) ^ 1, at);
      const forged = { ...signed, contract: { ...signed.contract, payload: changed.toString('base64') } };
      try {
        assert.ok(faultsOf(forged).includes('signature-missing'), `at ${at}`);
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'malformed', `at ${at}`);
      }
    }
  });

  it('an agent whose papers have ended does not count', () => {
    const own = new SampleContract('papers');
    const [one] = own.clients as [SampleParty];
    const { agent } = new SampleProvider(one.organisation).join();
    const { sign, tls, site, admitted } = one.organisation.keyring.agent(agent) ?? assert.fail();
    const until = admitted?.until ?? assert.fail();
    const [client, ...others] = own.terms.clients;
    const clients = [{ ...(client ?? assert.fail()), agent, sign, tls, site }, ...others];
    const file = own.file(own.parties, { clients, notAfter: epochMs(until + HOUR_MS) });
    assert.deepEqual(faultsOf(file, one, epochMs(until - 1)), []);
    assert.deepEqual(faultsOf(file, one, until), ['agent-admission-ended']);
  });

  it('docs/protocol/contract.md names every fault', () => {
    const page = readFileSync(new URL('../../../../docs/protocol/contract.md', import.meta.url), 'utf8');
    assert.deepEqual(
      CONTRACT_FAULTS.filter((code) => !page.includes(`\`${code}\``)),
      [],
    );
  });

  it('every fault that there is was seen', () => {
    assert.deepEqual(
      CONTRACT_FAULTS.filter((code) => !seen.has(code)),
      [],
    );
  });
});
