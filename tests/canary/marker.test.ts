import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { findMarkers, needlesOf, plant } from './marker.ts';

const marker = plant('a place');
const needles = needlesOf([marker]);
const around = (bytes: Buffer): Buffer => Buffer.concat([randomBytes(1000), bytes, randomBytes(1000)]);
const forms = (bytes: Buffer): string[] => findMarkers(around(bytes), needles).map((finding) => finding.form);

test('a marker is found raw, in hexadecimal of both cases and compressed', () => {
  const text = Buffer.from(marker.text);
  assert.deepEqual(forms(text), ['raw']);
  assert.deepEqual(forms(Buffer.from(text.toString('hex'))), ['hex']);
  assert.deepEqual(forms(Buffer.from(text.toString('hex').toUpperCase())), ['hex']);
  assert.ok(forms(gzipSync(text)).includes('compressed'));
  assert.ok(forms(deflateSync(text)).includes('compressed'));
});

test('a marker is found in base64 and base64url at each of the three alignments', () => {
  for (const lead of ['', 'x', 'xy']) {
    const bytes = Buffer.from(`${lead}${marker.text}`);
    assert.deepEqual(forms(Buffer.from(bytes.toString('base64'))), ['base64']);
    assert.deepEqual(forms(Buffer.from(bytes.toString('base64url'))), ['base64']);
  }
});

test('a marker split in two, with other bytes between, is found', () => {
  const { text } = marker;
  assert.deepEqual(forms(Buffer.from(`${text.slice(0, 16)}\0\0\0${text.slice(16)}`)), ['raw']);
});

test('nothing is found where nothing was planted', () => {
  assert.deepEqual(
    findMarkers(
      Buffer.concat([randomBytes(1_000_000), gzipSync('other'), Buffer.from(plant('elsewhere').text)]),
      needles,
    ),
    [],
  );
});

test('a beginning of a piece at the very end is none', () => {
  const text = Buffer.from(marker.text);
  for (let length = 4; length < 10; length += 1)
    assert.deepEqual(findMarkers(Buffer.concat([randomBytes(100), text.subarray(0, length)]), needles), []);
});
