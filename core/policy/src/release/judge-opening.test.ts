import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, seededRng, toHex } from '@ringfence/base';
import { SENSITIVITIES } from '@ringfence/protocol';
import {
  OPENING_KINDS,
  releaseRuleStatement,
  releaseStatement,
  type ReleaseRuleStatement,
} from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { isGated } from './is-gated.ts';
import { judgeOpening, type GivenWord, type Source, type WantedOpening } from './judge-opening.ts';

const rng = seededRng('releases');
const digest = () => releaseStatement.shape.digests.element.parse(toHex(rng.bytes(32)));
const [org, elsewhere] = [newId('org', rng), newId('org', rng)];
const [alice, bob, carol] = [newId('device', rng), newId('device', rng), newId('device', rng)];
const job = newId('job', rng);
const [model, other] = [digest(), digest()];
const NOW = epochMs(1_800_000_000_000);
const LATER = epochMs(NOW + 60_000);
const patients: Source = { id: newId('artifact', rng), owners: [alice] };
const claims: Source = { id: newId('artifact', rng), owners: [bob] };
const wanted: WantedOpening = { kind: 'artifact', digest: model, bytes: 10, job, purpose: 'care', org, device: carol };

let count = 0;
function release(edit: Partial<Extract<GivenWord, { kind: 'release' }>['body']> = {}): GivenWord {
  const body = releaseStatement.parse({
    v: 1,
    org,
    device: alice,
    request: newId('release', rng),
    decision: 'released',
    digests: [model],
    purpose: 'care',
    recipients: { org },
    at: NOW,
    notAfter: LATER,
    ...edit,
  });
  return { id: digest(), seq: (count += 1), kind: 'release', body };
}
function rule(edit: Partial<ReleaseRuleStatement> = {}, used = 0): GivenWord {
  const body = releaseRuleStatement.parse({
    v: 1,
    org,
    device: alice,
    rule: newId('release', rng),
    scope: { dataset: patients.id },
    kinds: ['artifact'],
    recipients: { org },
    at: NOW,
    notAfter: LATER,
    ...edit,
  });
  return { id: digest(), seq: (count += 1), kind: 'rule', body, used };
}
const judge = (words: GivenWord[], sources: Source[] = [patients], want: Partial<WantedOpening> = {}) =>
  judgeOpening({ ...wanted, ...want }, { sources, words, now: NOW });
const reasonOf = (...of: Parameters<typeof judge>) => {
  const decision = judge(...of);
  return decision.allow ? 'open' : decision.reasons.map(({ reason }) => reason).join();
};

describe('an opening', () => {
  it('takes a word of an owner of every source, and says which source stays closed', () => {
    assert.equal(reasonOf([]), 'no-word');
    assert.equal(reasonOf([release()]), 'open');
    assert.equal(reasonOf([release({ device: bob })]), 'no-word', 'somebody who owns other data');
    assert.deepEqual(judge([release()], [patients, claims]), {
      allow: false,
      reasons: [{ source: claims.id, reason: 'no-word' }],
    });
    const [first, second] = [release(), release({ device: bob, notAfter: epochMs(NOW + 1) })];
    assert.deepEqual(judge([first, second], [patients, claims]), {
      allow: true,
      words: [first.id, second.id],
      until: epochMs(NOW + 1),
    });
    assert.equal(judge([release()], []).allow, false, 'without a source nobody can say yes');
  });

  it('is closed by one refusal, whatever a rule or an earlier release says, until that owner says otherwise', () => {
    const words = [release(), rule(), release({ decision: 'refused' })];
    assert.equal(reasonOf(words), 'refused');
    assert.equal(reasonOf(words.toReversed()), 'refused', 'in whatever order they are read');
    assert.equal(reasonOf([...words, release()]), 'open');
    const both: Source = { ...patients, owners: [alice, bob] };
    assert.equal(reasonOf([release(), release({ device: bob, decision: 'refused' })], [both]), 'refused');
    assert.equal(reasonOf([rule(), release({ decision: 'refused', digests: [other] })]), 'open', 'of another digest');
  });

  it('is decided for each recipient apart: what one gets or is refused changes nothing for another', () => {
    const forCarol = release({ recipients: { org, devices: [carol] } });
    const forBob = release({ recipients: { org, devices: [bob] } });
    const notBob = release({ recipients: { org, devices: [bob] }, decision: 'refused' });
    assert.ok(judge([forCarol, forBob, notBob]).allow);
    assert.ok(!judge([forCarol, forBob, notBob], [patients], { device: bob }).allow);
    assert.deepEqual(judge([forBob]), { allow: false, reasons: [{ source: patients.id, reason: 'other-recipient' }] });
  });

  it('is for the digest, recipients and time of a release', () => {
    assert.equal(reasonOf([release({ digests: [other] })]), 'no-word');
    assert.equal(reasonOf([release()], [patients], { digest: undefined }), 'no-word', 'a stream has none');
    assert.equal(reasonOf([release({ notAfter: NOW })]), 'expired');
    assert.equal(reasonOf([release({ recipients: { org: elsewhere } })]), 'other-recipient');
    assert.equal(reasonOf([release({ recipients: { org, devices: [alice] } })]), 'other-recipient');
    assert.equal(reasonOf([release({ recipients: { org, devices: [carol] } })]), 'open');
    assert.equal(
      reasonOf([release({ recipients: { org, devices: [carol] } })], [patients], { device: undefined }),
      'other-recipient',
    );
  });

  it('is for the scope, kinds, purposes and limits of a rule', () => {
    assert.equal(reasonOf([rule()]), 'open');
    assert.equal(reasonOf([rule({ scope: { job } })]), 'open');
    assert.equal(reasonOf([rule({ scope: { job: newId('job', rng) } })]), 'no-word');
    assert.equal(reasonOf([rule({ scope: { dataset: claims.id as never } })]), 'no-word');
    for (const kind of OPENING_KINDS)
      assert.equal(reasonOf([rule({ kinds: [kind] })]), kind === 'artifact' ? 'open' : 'other-kind');
    assert.equal(reasonOf([rule({ notAfter: NOW })]), 'expired');
    assert.equal(reasonOf([rule({ purposes: ['care'] })]), 'open');
    assert.equal(reasonOf([rule({ purposes: ['research'] })]), 'other-purpose');
    assert.equal(reasonOf([rule({ purposes: ['care'] })], [patients], { purpose: undefined }), 'other-purpose');
    assert.equal(reasonOf([rule({ mostBytes: 10 })]), 'open');
    assert.equal(reasonOf([rule({ mostBytes: 9 })]), 'too-large');
    assert.equal(
      reasonOf([rule({ mostBytes: 9 })], [patients], { bytes: undefined }),
      'too-large',
      'nobody knows how much',
    );
    assert.equal(reasonOf([rule({ mostOpenings: 2 }, 1)]), 'open');
    assert.equal(reasonOf([rule({ mostOpenings: 2 }, 2)]), 'used-up');
  });

  it('never opens wider with a source more or a word less', () => {
    const device = fc.constantFrom(alice, bob);
    const words = fc.array(
      fc.oneof(
        fc
          .record({
            device,
            decision: fc.constantFrom('released' as const, 'refused' as const),
            digests: fc.constantFrom(model, other).map((one) => [one]),
          })
          .map(release),
        fc
          .record({
            device,
            scope: fc.constantFrom({ dataset: patients.id as never }, { dataset: claims.id as never }, { job }),
          })
          .map((edit) => rule(edit)),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(words, fc.nat(), (given, at) => {
        const open = judge(given, [patients]).allow;
        const both = judge(given, [patients, claims]);
        assert.ok(!both.allow || open, 'a source more opens what was closed');
        if (both.allow) for (const word of both.words) assert.ok(given.some(({ id }) => id === word));
        const left = given.filter((_, index) => index !== at % Math.max(1, given.length));
        const refusedBy = given[at % Math.max(1, given.length)];
        const wasRefusal = refusedBy?.kind === 'release' && refusedBy.body.decision === 'refused';
        assert.ok(wasRefusal || !judge(left).allow || open, 'a word less opens what was closed');
      }),
      { numRuns: 500, seed: 20_271_122 },
    );
  });
});

it('confidential and restricted data is gated, and no other', () => {
  assert.deepEqual(SENSITIVITIES.map(isGated), [false, false, true, true]);
});
