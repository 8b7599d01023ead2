import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, type EpochMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { foldKeyring } from './chain/fold.ts';
import { checkHead, headMark, headMaxAge, signHead, type HeadMark } from './head.ts';
import { HOUR_MS, SampleOrganisation, START } from './sample-organisation.fixture.ts';
import { readStatement, signStatement } from './statement.ts';

const sample = new SampleOrganisation('head');
const custodian = sample.addCustodian();
const other = sample.addCustodian();
sample.addDevice();
const { keyring } = sample;
const maxAge = headMaxAge('internal');
const head = (at: EpochMs, epoch = 1): Envelope =>
  signHead(keyring, { custodian: custodian.id, epoch, at }, custodian.enrolment);
const judge = (envelope: Envelope, now: EpochMs, seen?: HeadMark) => {
  const decision = checkHead(keyring, envelope, { now, maxAge, seen });
  return decision.allow ? 'good' : decision.reasons.join();
};
const later = (ms: number): EpochMs => epochMs(START + ms);

describe('checkHead', () => {
  it('accepts a fresh head of the keyring at hand', () => {
    assert.equal(judge(head(START), START), 'good');
    assert.equal(judge(head(START), later(24 * HOUR_MS)), 'good');
  });

  it('refuses one that is older than the label permits, or of the future', () => {
    assert.equal(judge(head(START), later(24 * HOUR_MS + 1)), 'stale');
    assert.equal(judge(head(later(121_000)), START), 'stale');
    const restricted = { now: later(HOUR_MS + 1), maxAge: headMaxAge('restricted') };
    assert.equal(checkHead(keyring, head(START), restricted).allow, false);
    assert.equal(checkHead(keyring, head(START), { ...restricted, now: later(HOUR_MS) }).allow, true);
  });

  it('refuses to go back in sequence or epoch, or to another history', () => {
    const decision = checkHead(keyring, head(START, 3), { now: START, maxAge });
    const seen = decision.allow ? headMark(decision.head) : assert.fail();
    assert.equal(judge(head(later(1), 3), START, seen), 'good');
    assert.equal(judge(head(later(1), 2), START, seen), 'stale');
    assert.equal(judge(head(later(1), 4), START, seen), 'good');
    assert.equal(judge(head(START, 3), START, { ...seen, seq: seen.seq + 1 }), 'stale');
    assert.equal(judge(head(START, 3), START, { ...seen, digest: '0'.repeat(64) as typeof seen.digest }), 'fork');
  });

  it('refuses a keyring that was cut short, and a head that is behind it', () => {
    const short = foldKeyring(sample.statements.slice(0, -1));
    const judged = checkHead(short, head(START), { now: START, maxAge });
    assert.deepEqual(judged, { allow: false, reasons: ['behind'] });
    const old = signHead(short, { custodian: custodian.id, epoch: 1, at: START }, custodian.enrolment);
    assert.equal(judge(old, START), 'stale');
  });

  it('refuses a head of the same length and another digest', () => {
    const body = readStatement('keyring-head', head(START)).claimed;
    const digest = 'f'.repeat(64) as typeof body.digest;
    assert.equal(judge(signStatement('keyring-head', { ...body, digest }, [custodian.enrolment]), START), 'fork');
  });

  it("takes the word of the named custodian's enrolment key only", () => {
    const body = readStatement('keyring-head', head(START)).claimed;
    for (const key of [other.enrolment, custodian.sign, sample.root, sample.key()]) {
      assert.equal(judge(signStatement('keyring-head', body, [key]), START), 'bad-head');
    }
    const foreign = { ...body, org: new SampleOrganisation('foreign').org };
    assert.equal(judge(signStatement('keyring-head', foreign, [custodian.enrolment]), START), 'bad-head');
    assert.equal(judge(sample.statements[0] ?? assert.fail(), START), 'bad-head');
    assert.equal(judge(head(later(1001 * HOUR_MS)), later(1001 * HOUR_MS)), 'bad-head', 'the delegation has ended');
  });
});
