import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import test from 'node:test';
import {
  describeFile,
  developmentKeys,
  plainList,
  publicPem,
  readPublicKeys,
  readSigningKeys,
  signList,
  verifyRelease,
} from './digest-list.ts';

const ARCHIVE = Buffer.from('archive');
// From `printf archive | sha256sum`.
const SHA256 = '0eb3e36bfb24dcd9bb1d1bece1531216b59539a8fde17ee80224af0653c92aa3';
const keys = developmentKeys();
const trusted = readPublicKeys(publicPem(keys));
const list = signList({ version: '1.2.3', label: 'release', files: [describeFile('a.tar.gz', ARCHIVE)] }, keys);
const plain = plainList(list.version, list.label, list.files);
const present = (name: string) => (name === 'a.tar.gz' ? ARCHIVE : null);

test('a release that was not touched verifies', () => {
  assert.deepEqual(verifyRelease({ plain, list }, trusted, present), []);
  assert.equal(plain, `# ringfence-release-digests/1 version=1.2.3 label=release\n${SHA256}  a.tar.gz\n`);
});

test('every edit of the list, the signatures or the files is found', () => {
  const other = describeFile('a.tar.gz', Buffer.from('Archive'));
  const relabelled = { ...list, label: 'development' as const };
  const swapped = { ...list, files: [other] };
  const forged = { ...list, signatures: list.signatures.map((one) => ({ ...one, signature: '00'.repeat(64) })) };
  const stripped = { ...list, signatures: list.signatures.slice(0, 1) };
  const edits: [string, Parameters<typeof verifyRelease>[0], typeof present][] = [
    ['json list only', { plain, list: swapped }, present],
    ['both lists', { plain: plainList('1.2.3', 'release', [other]), list: swapped }, () => Buffer.from('Archive')],
    ['label in both', { plain: plainList('1.2.3', 'development', list.files), list: relabelled }, present],
    ['version in plain', { plain: plain.replace('1.2.3', '1.2.4'), list }, present],
    ['signature', { plain, list: forged }, present],
    ['one of two signatures', { plain, list: stripped }, present],
    ['file', { plain, list }, () => Buffer.from('Archive')],
    ['missing file', { plain, list }, () => null],
    ['format', { plain, list: { ...list, format: 'other/1' as typeof list.format } }, present],
  ];
  for (const [name, release, read] of edits) assert.equal(verifyRelease(release, trusted, read).length > 0, true, name);
});

test('an empty list and a stranger’s key do not verify', () => {
  const empty = signList({ version: '1.2.3', label: 'release', files: [] }, keys);
  assert.match(
    verifyRelease({ plain: plainList('1.2.3', 'release', []), list: empty }, trusted, present).join(),
    /no file/,
  );
  const stranger = readPublicKeys(publicPem(developmentKeys()));
  assert.equal(verifyRelease({ plain, list }, stranger, present).length, 2);
});

test('key files need an Ed25519 key and hold nothing else than release keys', () => {
  const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  assert.equal(readSigningKeys(keys.map(pem).join('\n')).length, 2);
  assert.throws(() => readSigningKeys(''), /no Ed25519 key/);
  assert.throws(() => readSigningKeys(pem(generateKeyPairSync('ml-dsa-65').privateKey)), /no Ed25519 key/);
  assert.throws(() => readSigningKeys(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)), /not ec/);
});
