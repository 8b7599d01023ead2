import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@ringfence/base';
import { openCheckpoint } from '../note/tree-checkpoint.ts';
import { verifierKey } from '../note/verifier-key.ts';
import { LOG, ORIGIN, SampleLog, sampleEntries, signerOf, TRUST } from '../sample-log.fixture.ts';
import {
  judgeOffer,
  offerOf,
  type CheckpointOffer,
  type HeldCheckpoint,
  type OfferVerdict,
} from './checkpoint-offer.ts';

const witness = signerOf('agt_witness');
const at = { origin: ORIGIN, witness, seconds: 1_700_000_000 };

function offer(log: SampleLog, oldSize: number): CheckpointOffer {
  return offerOf(
    log.checkpoint(),
    { name: LOG.name, publicKey: LOG.key.publicKey },
    { oldSize, proof: log.view.proveConsistency(oldSize) },
  );
}

function heldAfter(verdict: OfferVerdict): HeldCheckpoint {
  assert.equal(verdict.do, 'cosign');
  return verdict.do === 'cosign' ? verdict.held : assert.fail();
}

test('a log that grows is cosigned, each time over all before it', () => {
  const log = new SampleLog(sampleEntries(5));
  let held: HeldCheckpoint | undefined;
  for (const more of [0, 1, 2, 300]) {
    log.append(sampleEntries(more, 'a', log.edge.tree.size));
    const verdict = judgeOffer(held, offer(log, held?.size ?? 0), at);
    held = heldAfter(verdict);
    const key = verifierKey(witness.name, 'cosignature', witness.key.publicKey);
    const note = verdict.do === 'cosign' ? verdict.checkpoint : '';
    const opened = openCheckpoint(utf8(note), { ...TRUST, witnesses: [key] });
    assert.deepEqual(opened.ok && opened.signed.verified.map((each) => each.seconds), [undefined, at.seconds]);
  }
});

test('rolled back, forked, rewritten and unprovable logs are accused, and a log that forgot the witness is told the size', () => {
  const log = new SampleLog(sampleEntries(20));
  const held = heldAfter(judgeOffer(undefined, offer(log, 0), at));
  const shorter = new SampleLog(sampleEntries(9));
  const forked = new SampleLog(sampleEntries(20, 'b'));
  const rewritten = new SampleLog(sampleEntries(30, 'b'));
  const found = [shorter, forked, rewritten].map((other) =>
    judgeOffer(held, offer(other, Math.min(20, other.edge.tree.size)), at),
  );
  assert.deepEqual(
    found.map((verdict) => verdict.do === 'accuse' && [verdict.fault, verdict.index, verdict.until]),
    [
      ['rolled-back', 9, 20],
      ['forked', 0, 20],
      ['rewritten', 0, 20],
    ],
  );
  log.append(sampleEntries(5, 'a', 20));
  assert.deepEqual(judgeOffer(held, offer(log, 7), at), { do: 'tell-size', size: 20 });
  const unproven = judgeOffer(held, { ...offer(log, 20), proof: [] }, at);
  assert.equal(unproven.do === 'accuse' && unproven.fault, 'inconsistent');
  const otherKey = judgeOffer({ ...held, key: witness.key.publicKey }, offer(log, 20), at);
  assert.equal(otherKey.do === 'accuse' && otherKey.fault, 'inconsistent');
  assert.equal(
    judgeOffer(held, { ...offer(log, 20), signature: Buffer.alloc(64).toString('base64') }, at).do,
    'ignore',
  );
});
