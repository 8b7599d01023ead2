import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { STATEMENTS, type StatementBody } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import { HOUR_MS, SampleOrganisation } from '../sample-organisation.fixture.ts';
import { SampleProvider, type AddAgent } from '../sample-provider.fixture.ts';
import { readStatement } from '../statement.ts';
import { extendKeyring, foldKeyring } from './fold.ts';

const sample = new SampleOrganisation('admitted');
const custodian = sample.addCustodian();
const provider = new SampleProvider(sample);
const other = new SampleProvider(sample);
const community = new SampleProvider(sample, 'community-cloud');
const machine = provider.machineKeys();
const good = provider.adding(machine);

/** What becomes of the change, signed by the custodian's enrolment key. */
function outcome(change: AddAgent): string {
  try {
    extendKeyring(sample.keyring, sample.sign(change, custodian.enrolment));
    return 'taken';
  } catch (error) {
    assert.ok(error instanceof KeyringError, String(error));
    return error.code;
  }
}

const withPapers = (papers: Partial<NonNullable<AddAgent['admitted']>>) => provider.adding(machine, papers);

describe('a machine away from home', () => {
  it('is a member with the word of an admitter and of its authority, until the earlier end', () => {
    const added = extendKeyring(sample.keyring, sample.sign(good, custodian.enrolment));
    assert.deepEqual(added.agent(machine.agent)?.admitted, {
      provider: provider.id,
      authority: provider.authority.publicKey,
      admitter: provider.admitter.publicKey,
      from: sample.now,
      until: sample.now + 1_000 * HOUR_MS,
    });
    assert.deepEqual(added.agent(machine.agent)?.jurisdictions, ['DE', 'US']);
  });

  it('is nobody without both, and a machine at home has neither', () => {
    const { admitted, ...bare } = good;
    assert.equal(outcome(bare), 'not-admitted');
    assert.equal(outcome({ ...good, tier: 'private' }), 'not-admitted');
    assert.equal(outcome({ ...bare, tier: 'private' }), 'taken');
    assert.ok(admitted !== undefined);
  });

  it('is refused with papers that are swapped, of others, or signed by others', () => {
    const papers = good.admitted ?? assert.fail();
    const theirs = other.machineKeys();
    const cases: Record<string, Partial<NonNullable<AddAgent['admitted']>>> = {
      'the two exchanged': { admission: papers.machine, machine: papers.admission },
      'another provider’s admission': { admission: other.admission() },
      'another provider’s machine statement': { machine: other.machine(machine) },
      'another machine’s statement': { machine: provider.machine(provider.machineKeys()) },
      'all of another': { admission: other.admission(), machine: other.machine(theirs) },
      'an admission by the admitter of another tier': { admission: provider.admission({}, community.admitter) },
      'an admission by the authority itself': { admission: provider.admission({}, provider.authority) },
      'an admission by the organisation’s root': { admission: provider.admission({}, sample.root) },
      'an admission by the custodian': { admission: provider.admission({}, custodian.enrolment) },
      'a machine statement by the admitter': { machine: provider.machine(machine, {}, provider.admitter) },
      'a machine statement by the machine': { machine: provider.machine(machine, {}, machine.signer) },
      'a community admission for a secure machine': { admission: community.admission() },
    };
    for (const [name, change] of Object.entries(cases)) assert.equal(outcome(withPapers(change)), 'not-admitted', name);
  });

  it('is refused as another than it was admitted, in any field', () => {
    const fresh = provider.machineKeys();
    const edits: Partial<AddAgent>[] = [
      { agent: fresh.agent },
      { site: newId('site', sample.rng) },
      { tier: 'community-cloud' },
      { sign: fresh.keys.sign },
      { tls: fresh.keys.tls },
      { seal: fresh.keys.seal },
      { jurisdictions: ['DE'] },
      { jurisdictions: ['US'] },
      { jurisdictions: ['DE', 'DE'] },
      { jurisdictions: ['DE', 'US', 'FR'] },
    ];
    for (const edit of edits) assert.equal(outcome({ ...good, ...edit }), 'not-admitted', JSON.stringify(edit));
    const { jurisdictions: _, ...nowhere } = good;
    assert.equal(outcome(nowhere), 'not-admitted');
  });
});

/** Well-formed other values, and what becomes of the machine when the signer itself writes them; `taken` is the signer's own affair. */
type Rows<Name extends 'admission' | 'machine'> = {
  readonly [Field in Exclude<keyof StatementBody<Name>, 'v'>]: readonly (readonly [
    StatementBody<Name>[Field],
    string,
  ])[];
};
const later = epochMs(sample.now + HOUR_MS);
const ADMISSION: Rows<'admission'> = {
  provider: [[other.id, 'not-admitted']],
  tier: [['community-cloud', 'not-admitted']],
  authority: [
    [other.authority.publicKey, 'not-admitted'],
    [provider.admitter.publicKey, 'not-admitted'],
  ],
  jurisdictions: [
    [['FR'], 'not-admitted'],
    [['DE'], 'not-admitted'],
  ],
  from: [
    [later, 'not-admitted'],
    [epochMs(sample.now - 1), 'taken'],
  ],
  until: [
    [epochMs(sample.now + 1), 'taken'],
    [later, 'taken'],
  ],
};
const stranger = provider.machineKeys();
const MACHINE: Rows<'machine'> = {
  provider: [[other.id, 'not-admitted']],
  tier: [['community-cloud', 'not-admitted']],
  agent: [[stranger.agent, 'not-admitted']],
  site: [[other.site, 'not-admitted']],
  sign: [[stranger.keys.sign, 'not-admitted']],
  tls: [[stranger.keys.tls, 'not-admitted']],
  seal: [[stranger.keys.seal, 'not-admitted']],
  jurisdictions: [[['FR'], 'not-admitted']],
  from: [[later, 'not-admitted']],
  until: [[later, 'taken']],
};

describe('one field of the papers edited', () => {
  const papers = good.admitted ?? assert.fail();
  for (const [name, rows] of [
    ['admission', ADMISSION],
    ['machine', MACHINE],
  ] as const) {
    for (const [field, values] of Object.entries(rows)) {
      it(`${name}.${field}: by its own signer as listed, by anybody else refused`, () => {
        for (const [value, expected] of values) {
          const edit = { [field]: value };
          const signed: Envelope = name === 'admission' ? provider.admission(edit) : provider.machine(machine, edit);
          assert.equal(outcome(withPapers({ [name]: signed })), expected, String(value));
          const forged = { ...papers[name], payload: signed.payload };
          assert.equal(outcome(withPapers({ [name]: forged })), 'not-admitted', 'under the signature it had');
        }
      });
    }

    it(`${name}: no field was forgotten`, () => {
      const fields = Object.keys(STATEMENTS[name].shape).filter((field) => field !== 'v');
      assert.deepEqual(Object.keys(rows), fields);
    });

    it(`${name}: every byte counts (of the long key one in 31)`, () => {
      const payload = Buffer.from(papers[name].payload, 'base64');
      for (let at = 0; at < payload.length; at += at < 900 ? 1 : 31) {
        const changed = Buffer.from(payload);
        changed.writeUInt8(payload.readUInt8(at) ^ 1, at);
        const forged = { ...papers[name], payload: changed.toString('base64') };
        assert.equal(outcome(withPapers({ [name]: forged })), 'not-admitted', `at ${at}`);
      }
    });
  }

  it('has ended, or not begun, when the machine joins', () => {
    const past = { from: epochMs(sample.now - 2), until: sample.now };
    assert.equal(outcome(withPapers({ admission: provider.admission(past) })), 'not-admitted');
    assert.equal(outcome(withPapers({ machine: provider.machine(machine, past) })), 'not-admitted');
  });
});

describe('a site', () => {
  const grown = new SampleOrganisation('sites');
  const [one, two] = [new SampleProvider(grown), new SampleProvider(grown)];
  const { agent } = one.join();

  /** A machine of `by` that says to stand at `site`. */
  const at = (site: AddAgent['site'], by: SampleProvider): void => {
    const taken = { ...by.machineKeys(), site };
    grown.add(by.adding(taken));
  };

  it('is one provider’s, or the organisation’s own', () => {
    assert.doesNotThrow(() => at(one.site, one));
    assert.throws(() => at(one.site, two), { code: 'not-admitted' });
    const { id } = grown.addAgent();
    const home = grown.keyring.agent(id)?.site ?? assert.fail();
    assert.throws(() => at(home, one), { code: 'not-admitted' });
    const { admitted: _, jurisdictions: __, ...own } = two.adding({ ...two.machineKeys(), site: one.site });
    assert.throws(() => grown.add({ ...own, tier: 'private' }), { code: 'not-admitted' });
    assert.doesNotThrow(() => grown.add({ ...own, site: home, tier: 'private' }));
    assert.ok(grown.keyring.isSiteOf(home, undefined) && !grown.keyring.isSiteOf(home, one.id));
  });

  it('stays so when all of its machines are gone', () => {
    const alone = new SampleProvider(grown);
    const gone = alone.join();
    grown.add({ kind: 'remove', subject: gone.agent, reason: 'left' });
    assert.throws(() => at(alone.site, two), { code: 'not-admitted' });
    assert.doesNotThrow(() => alone.join());
    assert.ok(foldKeyring(grown.statements).agent(agent) !== undefined);
  });
});

describe('an authority', () => {
  it('speaks for one provider and one tier for ever, even when what it did is void', () => {
    const few = new SampleOrganisation('authority of a tier');
    const first = new SampleProvider(few);
    const second = new SampleProvider(few, 'community-cloud');
    const before = few.keyring.head.seq;
    first.join();
    const borrowed = (): void => {
      const taken = second.machineKeys();
      const admission = second.admission({ authority: first.authority.publicKey });
      few.add(second.adding(taken, { admission, machine: second.machine(taken, {}, first.authority) }));
    };
    assert.throws(borrowed, { code: 'duplicate' });
    const root = few.key();
    const [one, two] = few.recovery;
    const keys = few.recovery.map(({ publicKey }) => publicKey);
    const rotation = {
      kind: 'rotate-root',
      root: root.publicKey,
      recovery: { threshold: 2, keys },
      keep: before,
    } as const;
    few.add(rotation, one ?? assert.fail(), two ?? assert.fail(), root);
    few.root = root;
    assert.equal(few.keyring.agents().length, 0);
    assert.throws(borrowed, { code: 'duplicate' });
    assert.doesNotThrow(() => first.join(), 'its own machines may come');
    assert.doesNotThrow(() => second.join());
    assert.deepEqual(foldKeyring(few.statements).head, few.keyring.head);
  });

  it('is nobody else, and nobody else is one', () => {
    const device = { device: newId('device', sample.rng), tls: sample.tls() };
    const grown = new SampleOrganisation('roles');
    const theirs = new SampleProvider(grown);
    theirs.join();
    const sign = theirs.authority.publicKey;
    assert.throws(() => grown.add({ kind: 'add-device', ...device, sign }), { code: 'duplicate' });
    for (const key of [theirs.admitter, theirs.issuer, grown.root]) {
      const taken = theirs.machineKeys();
      const admission = theirs.admission({ authority: key.publicKey });
      const change = theirs.adding(taken, { admission, machine: theirs.machine(taken, {}, key) });
      assert.throws(() => grown.add(change), { code: 'duplicate' });
    }
    const taken = theirs.machineKeys();
    const admission = theirs.admission({ authority: taken.keys.sign });
    const own = theirs.adding(taken, { admission, machine: theirs.machine(taken, {}, taken.signer) });
    assert.throws(() => grown.add(own), { code: 'duplicate' });
  });
});

describe('an admitter that is removed', () => {
  it('takes along what it admitted, from then on, and nobody else', () => {
    const grown = new SampleOrganisation('removed admitter');
    const officer = grown.addDevice('officer');
    const [gone, stays] = [new SampleProvider(grown), new SampleProvider(grown)];
    const [lost, kept] = [gone.join(), stays.join()];
    grown.now = epochMs(grown.now + HOUR_MS);
    grown.add({ kind: 'remove-admitter', key: gone.admitter.publicKey }, officer.sign);
    assert.equal(grown.keyring.agent(lost.agent)?.admitted?.until, grown.now);
    assert.ok((grown.keyring.agent(kept.agent)?.admitted?.until ?? 0) > grown.now);
    assert.throws(() => gone.join(), { code: 'not-admitted' });
    const again = { kind: 'add-admitter', key: gone.admitter.publicKey, tier: gone.tier } as const;
    assert.throws(() => grown.add(again), { code: 'duplicate' });
    const twice = { kind: 'remove-admitter', key: gone.admitter.publicKey } as const;
    assert.throws(() => grown.add(twice), { code: 'unknown-subject' });
    grown.add({ kind: 'remove-evidence-issuer', key: gone.issuer.publicKey }, officer.sign);
    assert.deepEqual(grown.keyring.evidenceStandards(gone.issuer.publicKey), []);
    assert.deepEqual(foldKeyring(grown.statements).agent(lost.agent), grown.keyring.agent(lost.agent));
    assert.equal(readStatement('keyring', grown.statements.at(-1) ?? assert.fail()).claimed.org, grown.org);
  });
});
