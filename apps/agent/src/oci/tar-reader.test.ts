import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { OciError } from './oci-error.ts';
import { parsePax, parseTarHeader } from './tar-header.ts';
import { readTar } from './tar-reader.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

async function* inParts(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function listOf(bytes: Buffer, size = 700): Promise<string[]> {
  const found: string[] = [];
  for await (const { entry, body } of readTar(inParts(bytes, size))) {
    const parts: Buffer[] = [];
    // One file is left unread: its bytes must be passed over.
    if (entry.kind === 'file' && !entry.name.endsWith('unread')) for await (const part of body()) parts.push(part);
    found.push(`${entry.kind} ${entry.name} ${entry.target} ${Buffer.concat(parts).length}`);
  }
  return found.toSorted();
}

test('archives of tar in its three formats are read alike, however they arrive', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-tar-'));
  try {
    const deep = `deep-${'x'.repeat(120)}`;
    mkdirSync(join(folder, 'in', deep), { recursive: true });
    writeFileSync(join(folder, 'in', 'unread'), 'u'.repeat(1_000));
    writeFileSync(join(folder, 'in', deep, 'grüße'), 'h'.repeat(1_025));
    writeFileSync(join(folder, 'in', 'empty'), '');
    symlinkSync('t'.repeat(150), join(folder, 'in', 'soft'));
    linkSync(join(folder, 'in', 'empty'), join(folder, 'in', 'zhard'));
    const order = ['./', './empty', './unread', './soft', './zhard', `./${deep}/`, `./${deep}/grüße`];
    for (const format of ['gnu', 'pax']) {
      const flags = ['--no-recursion', `--format=${format}`, '-C', join(folder, 'in')];
      const archive = execFileSync('tar', ['-c', ...flags, ...order], { maxBuffer: 1e8 });
      for (const size of [1, 511, 512, 700, 1e6])
        assert.deepEqual(
          await listOf(archive, size),
          [
            'file ./empty  0',
            `file ./${deep}/grüße  1025`,
            'file ./unread  0',
            `folder ./  0`,
            `folder ./${deep}/  0`,
            'hardlink ./zhard ./empty 0',
            `link ./soft ${'t'.repeat(150)} 0`,
          ].toSorted(),
        );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a header with a wrong sum, a number out of range or a broken extended header is refused', () => {
  const header = Buffer.alloc(512);
  header.write('name');
  assert.throws(() => parseTarHeader(header), { code: 'bad-layer' });
  assert.equal(parseTarHeader(Buffer.alloc(512)), null);
  for (const text of ['5 a=b', '6 a=b', '0 a=b\n', '99 a=b\n', 'x a=b\n', '4 ab\n', '6 a=b\n7'])
    assert.throws(() => parsePax(Buffer.from(text)), { code: 'bad-layer' }, text);
  assert.deepEqual(
    [...parsePax(Buffer.from('6 a=b\n9 pa=t=h\n')).entries()].map(([key, value]) => `${key}:${value.toString()}`),
    ['a:b', 'pa:t=h'],
  );
});

test('no bytes make the parsers fail in another way than by refusing', (t) => {
  const seed = randomInt(2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const next = numbersFrom(seed);
  const refusing = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
    }
  };
  const header = Buffer.alloc(512);
  for (let round = 0; round < CASES; round += 1) {
    for (let edit = 0; edit < 8; edit += 1) header[next() % 512] = next() % 256;
    // Most rounds get a right checksum, or nothing behind it would ever be read.
    if (round % 8 !== 0) {
      header.fill(0x20, 148, 156);
      let sum = 0;
      for (const byte of header) sum += byte;
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    }
    if (round % 64 === 0) header.fill(0);
    refusing(() => parseTarHeader(header));
  }
  const alphabet = '19 =a\n\0';
  for (let round = 0; round < CASES; round += 1) {
    const text = Array.from({ length: next() % 30 }, () => alphabet[next() % alphabet.length]).join('');
    refusing(() => parsePax(Buffer.from(text)));
  }
});

/** Marsaglia's xorshift32. */
function numbersFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

test('an archive that is damaged anywhere is read or refused', async () => {
  const archive = execFileSync('tar', ['-c', '--format=pax', '-C', '/etc', 'hostname', 'passwd'], { maxBuffer: 1e8 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(),
      async (edits, cut) => {
        const bytes = Buffer.from(archive).subarray(0, archive.length - (cut % 2_000));
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        try {
          await listOf(bytes, 4_096);
        } catch (error) {
          if (!(error instanceof OciError)) throw error;
        }
      },
    ),
    { numRuns: 500 },
  );
});
