import assert from 'node:assert/strict';
import { it } from 'node:test';
import { epochMs, newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { sha256Hex, statementDigest } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { EvidenceRow } from '@ringfence/protocol/payload';
import { EVIDENCE_PREDICATE, IN_TOTO_STATEMENT, type EvidencePredicate } from '@ringfence/protocol/statements';
import { IDS, KEYS } from './members.fixture.ts';
import { openOrganisation, type TestOrganisation } from './organisation.fixture.ts';

const DAY = 86_400_000;
const ASKED = { require: ['iso27001' as const], grade: 'documented' as const, maxAgeDays: 90 };

function row(change: Partial<EvidencePredicate> = {}, key = KEYS.issuer, revoked = false): EvidenceRow {
  const now = clock.now();
  const span = { from: epochMs(now - 1_000), until: epochMs(now + DAY) };
  const predicate: EvidencePredicate = {
    standard: 'iso27001',
    grade: 'documented',
    sites: [IDS.site],
    ...span,
    ...change,
  };
  const subject = [{ digest: { sha256: sha256Hex(new Uint8Array()) } }];
  const statement = { _type: IN_TOTO_STATEMENT, subject, predicateType: EVIDENCE_PREDICATE, predicate } as const;
  const document = signStatement('evidence', { ...statement, subject }, [key]);
  const evidence = statementDigest(document);
  const body = { v: 1, evidence, reason: 'withdrawn', at: now } as const;
  const revocation = revoked ? signStatement('evidence-revocation', body, [KEYS.issuer]) : null;
  return { document: document as EvidenceRow['document'], revocation, at: now };
}

/** Leases a job that asks for evidence, as a control plane does that says all is well. */
async function run(organisation: TestOrganisation, evidence: EvidenceRow[]): Promise<readonly string[]> {
  organisation.wishes.evidence = evidence;
  organisation.requests.length = 0;
  await organisation.lease({ evidence: ASKED });
  await organisation.settled();
  return organisation.requests;
}

it('a machine starts what asks for evidence only with documents that it has verified itself', async (t) => {
  const organisation = await openOrganisation(t);
  const before = organisation.facts().length;
  const refused: Record<string, EvidenceRow[]> = {
    'nothing at all': [],
    'another site': [row({ sites: [newId('site', rng)] })],
    'a provider’s': [row({ provider: newId('provider', rng) })],
    'the site’s own word': [row({ grade: 'self-declared' })],
    'an end before the longest run and an hour': [row({ until: epochMs(clock.now() + 3_600_000) })],
    'a stranger’s signature': [row({}, KEYS.stranger)],
    'the custodian’s own signature': [row({}, KEYS.enrolment)],
    'a revoked one': [row({}, KEYS.issuer, true)],
  };
  for (const [name, evidence] of Object.entries(refused)) {
    const requests = await run(organisation, evidence);
    assert.ok(requests.includes('/v1/evidence'), name);
    assert.ok(!requests.includes('/v1/grants'), `${name}: the custodian was asked`);
  }
  assert.ok(!organisation.facts().includes('starting'));
  assert.equal(organisation.facts().length - before, 2 * Object.keys(refused).length, 'each was leased and refused');
  assert.match(organisation.log.join(''), /bad-receipt.*evidence-not-verified/);
  assert.ok((await run(organisation, [row()])).includes('/v1/grants'));
  assert.ok(organisation.facts().includes('starting'));
});

it('a start that asks for none asks nobody about it', async (t) => {
  const organisation = await openOrganisation(t);
  await organisation.lease();
  await organisation.settled();
  assert.ok(!organisation.requests.includes('/v1/evidence'));
});

it('a start with evidence by a device that joined a moment ago is not refused for the keyring copy of before', async (t) => {
  const organisation = await openOrganisation(t, { unseen: 1 });
  const requests = await run(organisation, [row()]);
  assert.deepEqual(
    requests.filter((path) => ['/v1/keyring', '/v1/evidence', '/v1/grants'].includes(path)),
    ['/v1/keyring', '/v1/evidence', '/v1/grants'],
  );
  assert.ok(organisation.facts().includes('starting'));
});
