import assert from 'node:assert/strict';
import { verify, createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { epochMs, randomBelow, seededRng } from '@ringfence/base';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import type { EvidencePredicate } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import { HOUR_MS, SampleOrganisation } from '../sample-organisation.fixture.ts';
import { SampleProvider } from '../sample-provider.fixture.ts';
import { readStatement } from '../statement.ts';
import { evidenceHolds, type EvidenceDemand, type EvidenceReason } from './evidence-holds.ts';
import { readEvidence } from './read-evidence.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_270_117);
console.log(`seed ${seed} (FUZZ_SEED)`);
Error.stackTraceLimit = 0;
const sample = new SampleOrganisation('evidence');
const provider = new SampleProvider(sample);
const other = new SampleProvider(sample);
const { agent } = provider.join();
const until = sample.now + 2 * HOUR_MS;
const entry = sample.keyring.agent(agent) ?? assert.fail();
const need = { require: ['iso27001'], grade: 'documented', maxAgeDays: 90, any: true } as const;
const demand = (change: Partial<EvidenceDemand['need']> = {}): EvidenceDemand => ({
  agent: entry,
  need: { ...need, require: [...need.require], ...change },
  from: sample.now,
  until,
});

function judge(
  documents: Envelope[],
  revocations: Envelope[] = [],
  of = demand(),
): readonly EvidenceReason[] | 'holds' {
  const judged = evidenceHolds({ documents, revocations }, sample.keyring, of);
  return judged.allow ? 'holds' : judged.documents.flatMap(({ reasons }) => reasons);
}

describe('evidence', () => {
  it('holds with a claim of the standard, and not without any', () => {
    assert.equal(judge([provider.evidence()]), 'holds');
    assert.deepEqual(judge([]), []);
    const missing = evidenceHolds({ documents: [], revocations: [] }, sample.keyring, demand());
    assert.ok(!missing.allow && missing.missing.join() === 'iso27001');
  });

  const ROWS: readonly (readonly [string, Partial<EvidencePredicate>, ...EvidenceReason[]])[] = [
    ['ends with the longest run and its grace', { until: epochMs(until) }],
    ['ends a millisecond before', { until: epochMs(until - 1) }, 'ends-too-early'],
    ['has ended', { until: sample.now }, 'ends-too-early'],
    ['begins now', { from: sample.now }],
    ['begins a millisecond later', { from: epochMs(sample.now + 1) }, 'not-begun'],
    ['is as old as may be', { from: epochMs(sample.now - 90 * 24 * HOUR_MS) }],
    ['is a millisecond older', { from: epochMs(sample.now - 90 * 24 * HOUR_MS - 1) }, 'too-old'],
    ['is of another standard', { standard: 'soc2' }, 'standard'],
    ['is of the grade', { grade: 'documented' }],
    ['is the provider’s own word', { grade: 'self-declared' }, 'grade'],
    ['is for another site', { sites: [other.site] }, 'site'],
    ['is for this site among others', { sites: [other.site, provider.site] }],
    ['is for another provider', { provider: other.id }, 'provider'],
    ['is for nobody’s provider', { provider: undefined }, 'provider'],
    ['is of a standard that its issuer may not speak of', { standard: 'hipaa-baa' }, 'issuer'],
  ];
  for (const [name, change, ...reasons] of ROWS) {
    it(`that ${name}: ${reasons.join() || 'holds'}`, () => {
      const { provider: named, ...rest } = { provider: provider.id, ...change };
      const predicate = named === undefined ? { ...rest, provider: undefined as never } : { ...rest, provider: named };
      assert.deepEqual(judge([provider.evidence(predicate)]), reasons.length === 0 ? 'holds' : reasons);
    });
  }

  it('counts from an issuer that the keyring pins alone', () => {
    for (const key of [provider.authority, provider.admitter, sample.root, sample.key()])
      assert.deepEqual(judge([provider.evidence({}, key)]), ['issuer']);
    assert.equal(
      judge([provider.evidence({}, other.issuer)]),
      'holds',
      'any issuer of the standard may speak of any provider',
    );
  });

  it('is taken back by its own issuer, whenever that says so', () => {
    const document = provider.evidence();
    const digest = statementDigest(document);
    assert.deepEqual(judge([document], [provider.revocation(digest)]), ['revoked']);
    assert.equal(judge([document], [provider.revocation(digest, other.issuer)]), 'holds', 'not by another');
    assert.equal(
      judge([document], [provider.revocation(statementDigest(provider.evidence({ standard: 'soc2' })))]),
      'holds',
    );
  });

  it('is judged with each revocation parsed once, however many documents there are', () => {
    let parsed = 0;
    const revocations = Array.from({ length: 3 }, () => {
      const revocation = provider.revocation(statementDigest(provider.evidence({ standard: 'soc2' })));
      const { payload } = revocation;
      return Object.defineProperty({ ...revocation }, 'payload', { get: () => ((parsed += 1), payload) });
    });
    assert.equal(judge([provider.evidence()], revocations), 'holds');
    const one = parsed;
    parsed = 0;
    const many = Array.from({ length: 20 }, (_, at) => provider.evidence({ from: epochMs(sample.now - at) }));
    assert.equal(judge(many, revocations), 'holds');
    assert.equal(parsed, one);
  });

  it('of other sites alone is not verified at all', () => {
    const forged = provider.evidence({ sites: [other.site] }, sample.key());
    assert.deepEqual(judge([forged]), ['site']);
  });

  it('is needed at all where none is named, and one claim is enough then', () => {
    const any = demand({ require: [] });
    assert.deepEqual(judge([], [], any), []);
    assert.equal(evidenceHolds({ documents: [], revocations: [] }, sample.keyring, any).allow, false);
    assert.equal(judge([provider.evidence({ standard: 'soc2' })], [], any), 'holds');
    const both = demand({ require: ['iso27001', 'soc2'] });
    const [first, second] = [provider.evidence(), provider.evidence({ standard: 'soc2' })];
    assert.deepEqual(judge([first], [], both), []);
    assert.equal(judge([first, second], [], both), 'holds');
  });

  it('about the organisation’s own site names no provider', () => {
    const { id } = sample.addAgent();
    const home = sample.keyring.agent(id) ?? assert.fail();
    const at = { ...demand(), agent: home };
    const own = provider.evidence({ provider: undefined as never, sites: [home.site] });
    assert.equal(judge([own], [], at), 'holds');
    assert.deepEqual(judge([provider.evidence({ sites: [home.site] })], [], at), ['provider']);
  });
});

describe('the form of evidence', () => {
  const document = provider.evidence();
  const payload = Buffer.from(document.payload, 'base64');

  it('is an in-toto Statement v1 in a DSSE envelope, as others read and verify it', () => {
    assert.equal(document.payloadType, 'application/vnd.in-toto+json');
    assert.deepEqual(JSON.parse(payload.toString('utf8')), {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'certificate.pdf', digest: { sha256: 'ab'.repeat(32) } }],
      predicateType: 'urn:ringfence:evidence:v1',
      predicate: {
        standard: 'iso27001',
        grade: 'third-party',
        provider: provider.id,
        sites: [provider.site],
        from: sample.now - 24 * HOUR_MS,
        until: sample.now + 365 * 24 * HOUR_MS,
      },
    });
    // DSSE v1.0.2, protocol.md: PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body
    const pae = Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} `), payload]);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: provider.issuer.publicKey }, format: 'jwk' });
    const [signature] = document.signatures;
    assert.ok(verify(null, pae, key, Buffer.from(signature?.sig ?? '', 'base64')));
  });

  it('may have members that in-toto allows and we do not know, but none in the predicate', () => {
    const statement = JSON.parse(payload.toString('utf8')) as Record<string, Record<string, unknown>>;
    const as = (body: object): Envelope => ({
      ...document,
      payload: Buffer.from(JSON.stringify(body)).toString('base64'),
    });
    const wider = {
      ...statement,
      x: 1,
      subject: [{ digest: { sha256: 'ab'.repeat(32), sha512: 'cd' }, uri: 'urn:x:y' }],
    };
    assert.equal(readStatement('evidence', as(wider)).claimed.predicate.standard, 'iso27001');
    const { predicate } = statement;
    const bad: object[] = [
      { ...statement, predicate: { ...predicate, x: 1 } },
      { ...statement, predicateType: 'https://slsa.dev/provenance/v1' },
      { ...statement, _type: 'https://in-toto.io/Statement/v0.1' },
      { ...statement, subject: [] },
      { ...statement, subject: [{ name: 'a' }] },
      { ...statement, predicate: { ...predicate, grade: 'audited' } },
      { ...statement, predicate: { ...predicate, sites: [] } },
      { ...statement, predicate: { ...predicate, until: 0 } },
      { ...statement, predicate: { ...predicate, from: -1 } },
    ];
    for (const body of bad) assert.deepEqual(readEvidence(as(body), [], sample.keyring), { fault: 'malformed' });
  });

  it('of another statement of ours is another: no lease or revocation is evidence', () => {
    const type = 'application/vnd.ringfence.evidence.v1+json';
    assert.deepEqual(judge([{ ...document, payloadType: type }]), ['malformed']);
    assert.deepEqual(judge([provider.admission()]), ['malformed']);
  });

  it('100,000 hostile documents never count, whatever they are', () => {
    const rng = seededRng(`evidence ${seed}`);
    for (let round = 0; round < 100_000; round += 1) {
      const hostile = mangled(round);
      try {
        readStatement('evidence', hostile);
      } catch (error) {
        assert.ok(error instanceof KeyringError && error.code === 'malformed');
        continue;
      }
      // What still reads is judged by its signature; one in a hundred, since that costs more.
      if (round % 100 === 0 || payload.equals(Buffer.from(hostile.payload, 'base64')))
        assert.ok(!('claim' in readEvidence(hostile, [], sample.keyring)), `round ${round}`);
    }

    function mangled(round: number): Envelope {
      const bytes = Buffer.from(payload);
      const at = randomBelow(rng, bytes.length);
      if (round % 4 === 0) return { ...document, payload: bytes.subarray(0, at).toString('base64') };
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 + randomBelow(rng, 255)), at);
      return { ...document, payload: bytes.toString('base64') };
    }
  });
});
