import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@ringfence/base';
import { sampleEntries, SampleLog, signerOf, TRUST } from '../sample-log.fixture.ts';
import { leafHash } from '../tree/merkle-hash.ts';
import { cosign } from './cosignature.ts';
import { formatNote, parseNote } from './signed-note.ts';
import { formatTlogProof, parseTlogProof, verifyTlogProof, type TlogProof } from './tlog-proof.ts';
import { verifierKey } from './verifier-key.ts';

const entries = sampleEntries(700);
const log = new SampleLog(entries);
const witnesses = ['w1.example', 'w2.example'].map(signerOf);
const witnessKeys = witnesses.map(({ name, key }) => verifierKey(name, 'cosignature', key.publicKey));
const trust = { ...TRUST, witnesses: witnessKeys, quorum: 2 };
const leaf = leafHash(entries[513] ?? assert.fail());

function cosigned(by = witnesses): string {
  const note = parseNote(utf8(log.checkpoint())) ?? assert.fail();
  return formatNote({ ...note, signatures: [...note.signatures, ...by.map((each) => cosign(each, note.text, 9))] });
}

const proof: TlogProof = { index: 513, proof: log.view.proveInclusion(513), checkpoint: cosigned() };

test('a proof is read as it was written, with and without extra data', () => {
  for (const each of [proof, { ...proof, extra: Buffer.from('context') }, { ...proof, extra: Buffer.alloc(0) }]) {
    const text = formatTlogProof(each);
    assert.deepEqual(parseTlogProof(utf8(text)), each);
  }
  const text = formatTlogProof({ ...proof, extra: Buffer.from('context') });
  assert.match(text, /^c2sp\.org\/tlog-proof@v1\nextra Y29udGV4dA==\nindex 513\n[A-Za-z0-9+/]{43}=\n/);
  for (const other of [
    text.replace('@v1', '@v2'),
    text.replace('index 513', 'index 0513'),
    text.replace('index', 'place'),
    text.replace('Y29udGV4dA==', 'Y29udGV4dA'),
    text.replace('\n\n', '\n'),
    text.slice(0, text.indexOf('\n\n') + 2),
  ])
    assert.equal(parseTlogProof(utf8(other)), undefined, other.slice(0, 80));
});

test('an entry is in the log by keys alone, and nothing else is', () => {
  assert.equal(verifyTlogProof(proof, leaf, trust).ok, true);
  const fault = (other: Partial<TlogProof>, its = leaf, by = trust): string => {
    const result = verifyTlogProof({ ...proof, ...other }, its, by);
    return result.ok ? 'ok' : result.code;
  };
  assert.equal(fault({ index: 512 }), 'not-included');
  assert.equal(fault({}, leafHash(entries[512] ?? assert.fail())), 'not-included');
  assert.equal(fault({ proof: proof.proof.slice(1) }), 'not-included');
  assert.equal(fault({ checkpoint: cosigned(witnesses.slice(1)) }), 'too-few-witnesses');
  const twice = [witnesses[0] ?? assert.fail(), witnesses[0] ?? assert.fail()];
  assert.equal(fault({ checkpoint: cosigned(twice) }), 'too-few-witnesses');
  assert.equal(fault({ checkpoint: log.checkpoint() }, leaf, { ...trust, quorum: 0 }), 'ok');
  assert.equal(fault({ checkpoint: cosigned().replace('700', '701') }), 'bad-signature');
  assert.equal(fault({}, leaf, { ...trust, origin: 'other.example' }), 'other-origin');
  assert.equal(fault({}, leaf, { ...trust, logKeys: [] }), 'unsigned', 'witnesses alone are no log');
  assert.equal(fault({ checkpoint: 'x' }), 'malformed');
});
