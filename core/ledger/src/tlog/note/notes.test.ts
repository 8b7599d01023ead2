import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret, utf8 } from '@ringfence/base';
import { NoteKey } from '@ringfence/crypto/note';
import fc from 'fast-check';
import { LOG, ORIGIN, signerOf, TRUST } from '../sample-log.fixture.ts';
import { EMPTY_ROOT, leafHash } from '../tree/merkle-hash.ts';
import { cosign } from './cosignature.ts';
import { openNote } from './open-note.ts';
import { formatNote, isKeyName, parseNote, parseSignatureLines, type SignedNote } from './signed-note.ts';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './tree-checkpoint.ts';
import { formatVerifierKey, parseVerifierKey, verifierKey, type VerifierKey } from './verifier-key.ts';

const keyOf = (text: string): VerifierKey => parseVerifierKey(text) ?? assert.fail(text);

// The example of the specification of signed notes.
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

// The text and the two keys that implementations of Go's note package check each other with.
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_SEED = 'gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=';
const ENOCH = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
const TEXT = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.
`;
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

// A checkpoint of a public log of certificates with the signatures of the log and of a public witness.
const PUBLIC_LOG = 'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f';
const PUBLIC_WITNESS = 'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2';
const PUBLIC_CHECKPOINT = `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
`;

function opened(note: string, keys: readonly VerifierKey[]): string[] | string {
  const result = openNote(utf8(note), keys);
  return result.ok ? result.opened.verified.map(({ key }) => key.name) : result.code;
}

test('the specification’s note verifies under its key', () => {
  assert.deepEqual(opened(EXAMPLE, [keyOf(EXAMPLE_KEY)]), ['example.com/foo']);
  assert.equal(opened(EXAMPLE.replace('example m', 'example  m'), [keyOf(EXAMPLE_KEY)]), 'bad-signature');
  assert.equal(opened(EXAMPLE, [keyOf(PETER)]), 'unsigned');
});

test('Go’s text: the key makes exactly that note, and its signatures verify, one or both', () => {
  const key = NoteKey.fromSeed(new Secret(Buffer.from(PETER_SEED, 'base64')));
  const peter = keyOf(PETER);
  assert.equal(peter.keyId, 0xc74f20a3);
  assert.equal(formatVerifierKey(peter), PETER);
  assert.equal(formatVerifierKey(verifierKey('PeterNeumann', 'note', key.publicKey)), PETER);
  const signatures = [{ name: 'PeterNeumann', keyId: peter.keyId, signature: key.sign(utf8(TEXT)) }];
  assert.equal(formatNote({ text: TEXT, signatures }), `${TEXT}\n${PETER_LINE}`);
  assert.deepEqual(opened(`${TEXT}\n${PETER_LINE}${ENOCH_LINE}`, [peter]), ['PeterNeumann']);
  assert.deepEqual(opened(`${TEXT}\n${PETER_LINE}${ENOCH_LINE}`, [peter, keyOf(ENOCH)]), ['PeterNeumann', 'EnochRoot']);
  assert.equal(opened(`${TEXT}\n${PETER_LINE}${ENOCH_LINE}`, []), 'unsigned');
});

test('Go’s malformed notes are malformed here, and its borderline ones are not', () => {
  const peter = [keyOf(PETER)];
  const spoilt = `${PETER_LINE.slice(0, 60)}ABCD${PETER_LINE.slice(60)}`;
  assert.equal(opened(`${TEXT}\n${spoilt}`, peter), 'bad-signature');
  assert.deepEqual(opened(`${TEXT}\n${PETER_LINE}${PETER_LINE}${ENOCH_LINE}${ENOCH_LINE}`, peter), ['PeterNeumann']);
  for (const note of [
    TEXT,
    `${TEXT}\n`,
    `${TEXT}\n${PETER_LINE.slice(0, -1)}`,
    `\u0001${TEXT}\n${PETER_LINE}`,
    `${TEXT}\n— Bad Name ${PETER_LINE.slice(15)}`,
    `${TEXT}\n${PETER_LINE}Unexpected line.\n`,
    `${TEXT}\n${PETER_LINE.repeat(101)}`,
    `${TEXT}\n— PeterNeumann AAAA\n`,
  ])
    assert.equal(opened(note, peter), 'malformed', note);
  const notUtf8 = Buffer.concat([Buffer.of(0xff), utf8(`${TEXT}\n${PETER_LINE}`)]);
  assert.equal(parseNote(notUtf8), undefined);
  assert.deepEqual(opened(`${TEXT}\n${PETER_LINE.repeat(100)}`, peter), ['PeterNeumann']);
});

test('no piece of a verifier key, and no other character in it, is one', () => {
  for (let from = 0; from <= PETER.length; from += 1)
    for (let to = from; to <= PETER.length; to += 1)
      if (to - from < PETER.length) assert.equal(parseVerifierKey(PETER.slice(from, to)), undefined);
  for (let at = 0; at < PETER.length; at += 1) {
    const next = String.fromCharCode(PETER.charCodeAt(at) + 1);
    assert.equal(parseVerifierKey(`${PETER.slice(0, at)}${next}${PETER.slice(at + 1)}`), undefined);
  }
  assert.equal(
    parseVerifierKey('PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='),
    undefined,
  );
  assert.equal(parseVerifierKey('PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'), undefined);
});

test('a public log’s checkpoint and its public witness’s cosignature verify, and not for another size', () => {
  const log = keyOf(PUBLIC_LOG);
  const witness = keyOf(PUBLIC_WITNESS);
  const trust = { origin: log.name, logKeys: [log], witnesses: [witness] };
  const result = openCheckpoint(utf8(PUBLIC_CHECKPOINT), trust);
  assert.ok(result.ok);
  assert.equal(result.signed.checkpoint.size, 1_432_088_532);
  assert.deepEqual(
    result.signed.verified.map(({ key, seconds }) => [key.name, seconds]),
    [
      [log.name, undefined],
      [witness.name, 0x6a12_2120],
    ],
  );
  const other = utf8(PUBLIC_CHECKPOINT.replace('1432088532', '1432088533'));
  for (const keys of [trust, { ...trust, logKeys: [], witnesses: [witness] }])
    assert.deepEqual(openCheckpoint(other, keys), { ok: false, code: 'bad-signature' });
  assert.deepEqual(openCheckpoint(utf8(PUBLIC_CHECKPOINT), { ...trust, origin: 'other' }), {
    ok: false,
    code: 'other-origin',
  });
  assert.deepEqual(openCheckpoint(utf8(PUBLIC_CHECKPOINT), { ...trust, logKeys: [] }), { ok: false, code: 'unsigned' });
});

test('our checkpoint and cosignature: each bit of text, time and signature counts, and neither key does the other’s work', () => {
  const witness = signerOf('witness.example/w1');
  const witnessKey = verifierKey(witness.name, 'cosignature', witness.key.publicKey);
  const root = leafHash(utf8('x'));
  const note = parseNote(utf8(signCheckpoint({ origin: ORIGIN, size: 7, root, extensions: ['more'] }, LOG)));
  assert.ok(note !== undefined);
  const cosigned = { ...note, signatures: [...note.signatures, cosign(witness, note.text, 1_700_000_000)] };
  const trust = { ...TRUST, witnesses: [witnessKey] };
  const result = openCheckpoint(utf8(formatNote(cosigned)), trust);
  assert.ok(result.ok && result.signed.verified[1]?.seconds === 1_700_000_000);
  for (const [line, { signature }] of cosigned.signatures.entries())
    for (let bit = 0; bit < signature.length * 8; bit += 1) {
      const other = Buffer.from(signature);
      other.writeUInt8(other.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const signatures = cosigned.signatures.map((each, at) => (at === line ? { ...each, signature: other } : each));
      assert.deepEqual(openCheckpoint(utf8(formatNote({ ...cosigned, signatures })), trust).ok, false);
    }
  const asLog = verifierKey(witness.name, 'note', witness.key.publicKey);
  assert.equal(opened(formatNote(cosigned), [asLog]), 'unsigned');
});

test('the text of a checkpoint has one spelling', () => {
  const root = leafHash(utf8('x'));
  const text = formatCheckpoint({ origin: 'a', size: 10, root, extensions: ['b'] });
  assert.deepEqual(parseCheckpoint(text), { origin: 'a', size: 10, root, extensions: ['b'] });
  const empty = formatCheckpoint({ origin: 'a', size: 0, root: EMPTY_ROOT, extensions: [] });
  assert.equal(parseCheckpoint(empty)?.size, 0);
  for (const other of [
    text.replace('10', '010'),
    text.replace('10', '+10'),
    text.replace('10', '9007199254740992'),
    text.replace('10', '0'),
    text.replace('a\n', '\n'),
    text.slice(0, -1),
    text.replace('b\n', '\nb\n'),
    text.replace('=', ''),
    'a\n10\n',
    '',
  ])
    assert.equal(parseCheckpoint(other), undefined, other);
});

test('a note that was written is read as it was', () => {
  const text = fc
    .array(fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll(/\p{Cc}/gu, '')))
    .map((lines) => `${lines.join('\n')}\n`);
  const signature = fc.record({
    name: fc.string({ unit: 'grapheme', minLength: 1 }).filter(isKeyName),
    keyId: fc.nat({ max: 0xffff_ffff }),
    signature: fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(text, fc.array(signature, { minLength: 1, maxLength: 5 }), (body, lines) => {
      const note: SignedNote = { text: body, signatures: lines.map((each) => ({ ...each })) };
      const written = formatNote(note);
      assert.deepEqual(parseNote(utf8(written)), note);
      assert.deepEqual(parseSignatureLines(written.slice(body.length + 1)), note.signatures);
    }),
  );
  assert.throws(() => formatNote({ text: 'no end', signatures: [] }), TypeError);
  assert.throws(
    () => formatNote({ text: 'a\n', signatures: [{ name: 'a b', keyId: 0, signature: Buffer.of(1) }] }),
    TypeError,
  );
});
