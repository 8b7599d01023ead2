import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@ringfence/base';
import fc from 'fast-check';
import { cosign, verifyCosignature } from '../note/cosignature.ts';
import { signCheckpoint } from '../note/tree-checkpoint.ts';
import { verifierKey } from '../note/verifier-key.ts';
import { LOG, ORIGIN, sampleEntries, SampleLog, signerOf, TRUST } from '../sample-log.fixture.ts';
import { formatAddCheckpoint, parseAddCheckpoint, type AddCheckpoint } from './add-checkpoint.ts';
import { isConvicted, rewrittenEvidence, type Misbehaviour } from './misbehaviour.ts';
import { judgeCheckpoint, type WitnessedLog, type WitnessVerdict } from './witness.ts';

function request(log: SampleLog, oldSize: number, note = log.checkpoint()): AddCheckpoint {
  return { oldSize, proof: log.view.proveConsistency(oldSize), note };
}

function witnessed(log: SampleLog): WitnessedLog {
  const verdict = judgeCheckpoint(undefined, request(log, 0), TRUST, 'anybody');
  assert.ok(verdict.do === 'cosign');
  return verdict.log;
}

function refusal(verdict: WitnessVerdict): string {
  assert.ok(verdict.do === 'refuse', verdict.do);
  return verdict.code;
}

function accusation(verdict: WitnessVerdict): Misbehaviour {
  assert.ok(verdict.do === 'accuse', verdict.do);
  return verdict.evidence;
}

test('the example request of the specification is read', () => {
  const body = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;
  const parsed = parseAddCheckpoint(utf8(body));
  assert.ok(parsed !== undefined);
  assert.deepEqual([parsed.oldSize, parsed.proof.length], [20_852_014, 4]);
  assert.equal(formatAddCheckpoint(parsed), body);
  for (const other of [
    body.replace('old 2', 'old 02'),
    body.replace('old', 'new'),
    body.replace('kaw=\n', 'kaw=\n'.repeat(2)),
    body.replace('\n\n', '\n'.repeat(1)),
    body.replace('PlRN', '$lRN'),
    'old 0\n\n',
    '',
  ])
    assert.equal(parseAddCheckpoint(utf8(other)), undefined, other);
  const line = `${'A'.repeat(43)}=\n`;
  assert.equal(parseAddCheckpoint(utf8(`old 1\n${line.repeat(63)}\nnote`))?.proof.length, 63);
  assert.equal(parseAddCheckpoint(utf8(`old 1\n${line.repeat(64)}\nnote`)), undefined);
});

test('a growing log is cosigned from the first checkpoint on, through any sizes', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 6 });
  const witness = signerOf('witness.example/w1');
  const key = verifierKey(witness.name, 'cosignature', witness.key.publicKey);
  fc.assert(
    fc.property(steps, (sizes) => {
      const log = new SampleLog();
      let state: WitnessedLog | undefined;
      for (const size of sizes) {
        log.append(sampleEntries(size, 'a', log.edge.tree.size));
        const body = formatAddCheckpoint(request(log, state?.head.size ?? 0));
        const verdict = judgeCheckpoint(state, parseAddCheckpoint(utf8(body)) ?? assert.fail(body), TRUST, 'log');
        assert.ok(verdict.do === 'cosign');
        assert.deepEqual(verdict.log.head, { size: log.edge.tree.size, root: log.view.root() });
        const { signature } = cosign(witness, verdict.signed.text, 5);
        assert.equal(verifyCosignature(key, verdict.signed.text, signature), 5);
        state = verdict.log;
      }
    }),
    { numRuns: 30 },
  );
});

test('what the protocol refuses is refused with its code and the witnessed size', () => {
  const log = new SampleLog(sampleEntries(300));
  const state = witnessed(log);
  const longer = new SampleLog(sampleEntries(500));
  const judge = (asked: AddCheckpoint, trust = TRUST): WitnessVerdict =>
    judgeCheckpoint(state, asked, trust, 'anybody');
  const good = request(longer, 300);
  assert.equal(refusal(judge({ ...good, oldSize: 299 })), 'other-old-size');
  assert.equal(refusal(judge({ ...good, oldSize: 501 })), 'old-size-too-large');
  assert.equal(refusal(judge({ ...good, proof: good.proof.slice(1) })), 'bad-proof');
  assert.equal(refusal(judge({ ...good, proof: [] })), 'bad-proof');
  assert.equal(refusal(judge({ ...good, note: 'no note' })), 'malformed');
  assert.equal(refusal(judge({ ...good, note: good.note.replace('500', '501') })), 'bad-signature');
  assert.equal(refusal(judge(good, { origin: ORIGIN, logKeys: [] })), 'unsigned');
  assert.equal(refusal(judge({ ...good, note: longer.checkpoint({ origin: 'other.example' }) })), 'unknown-log');
  const old = new SampleLog(sampleEntries(200));
  assert.equal(refusal(judge(request(old, 200))), 'stale', 'anybody may bring an old checkpoint');
  const verdict = judge({ ...good, oldSize: 0, proof: [] });
  assert.deepEqual(verdict, { do: 'refuse', code: 'other-old-size', witnessedSize: 300 });
  assert.equal(refusal(judgeCheckpoint(undefined, good, TRUST, 'anybody')), 'other-old-size');
  assert.equal(refusal(judgeCheckpoint(undefined, { ...good, oldSize: 0 }, TRUST, 'anybody')), 'bad-proof');
  assert.equal(judge({ ...request(log, 300) }).do, 'cosign', 'the same checkpoint again');
});

test('two trees of one size convict the log', () => {
  const state = witnessed(new SampleLog(sampleEntries(300)));
  const forked = new SampleLog([...sampleEntries(299), utf8('another')]);
  const evidence = accusation(judgeCheckpoint(state, request(forked, 300), TRUST, 'anybody'));
  assert.deepEqual([evidence.kind, evidence.grade], ['forked', 'proven']);
  assert.ok(isConvicted(evidence, TRUST));
  assert.ok(!isConvicted({ ...evidence, offered: evidence.held }, TRUST));
  const stranger = signerOf(ORIGIN.replace('audit', 'other'));
  assert.ok(!isConvicted(evidence, { origin: ORIGIN, logKeys: [verifierKey(ORIGIN, 'note', stranger.key.publicKey)] }));
});

test('a later tree over a rewritten beginning convicts the log by its own proof', () => {
  const state = witnessed(new SampleLog(sampleEntries(300)));
  const rewritten = new SampleLog([...sampleEntries(100), utf8('another'), ...sampleEntries(399, 'a', 101)]);
  const evidence = accusation(judgeCheckpoint(state, request(rewritten, 300), TRUST, 'anybody'));
  assert.ok(evidence.kind === 'rewritten');
  assert.equal(evidence.committed, rewritten.view.rootAt(300));
  assert.ok(isConvicted(evidence, TRUST));
  assert.ok(!isConvicted({ ...evidence, committed: state.head.root }, TRUST));
  assert.ok(!isConvicted({ ...evidence, proof: evidence.proof.slice(1) }, TRUST));
  const honest = new SampleLog(sampleEntries(500));
  const framed = { ...evidence, offered: honest.checkpoint(), proof: honest.view.proveConsistency(300) };
  for (const committed of [evidence.committed, honest.view.rootAt(300)])
    assert.ok(!isConvicted({ ...framed, committed }, TRUST), 'an honest log cannot be framed');
  // At a power of two the proof leaves the old root out: the witness refuses, and tiles of the new tree convict.
  const atPower = witnessed(new SampleLog(sampleEntries(256)));
  assert.equal(refusal(judgeCheckpoint(atPower, request(rewritten, 256), TRUST, 'anybody')), 'bad-proof');
  const fromTiles = rewrittenEvidence(atPower, rewritten.checkpoint(), rewritten.view) ?? assert.fail('evidence');
  assert.ok(isConvicted(fromTiles, TRUST));
  assert.equal(rewrittenEvidence(atPower, honest.checkpoint(), honest.view), undefined);
});

test('the log itself showing less than it signed is a roll-back; a copy that somebody brings is not', () => {
  const state = witnessed(new SampleLog(sampleEntries(300)));
  const shorter = request(new SampleLog(sampleEntries(290)), 290);
  const evidence = accusation(judgeCheckpoint(state, shorter, TRUST, 'log'));
  assert.deepEqual([evidence.kind, evidence.grade], ['rolled-back', 'observed']);
  assert.ok(!isConvicted(evidence, TRUST), 'two old signatures prove nothing to others');
  assert.equal(judgeCheckpoint(state, shorter, TRUST, 'anybody').do, 'refuse');
});

test('an empty log with a root that is none is malformed', () => {
  const root = new SampleLog(sampleEntries(1)).view.root();
  const note = signCheckpoint({ origin: ORIGIN, size: 0, root, extensions: [] }, LOG);
  assert.equal(refusal(judgeCheckpoint(undefined, { oldSize: 0, proof: [], note }, TRUST, 'log')), 'malformed');
});
