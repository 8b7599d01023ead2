import assert from 'node:assert/strict';
import test from 'node:test';
import { newId, randomBelow, seededRng, toHex } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { foldLines } from './fold.ts';
import { appendRecord } from './journal-chain.ts';
import { JournalReader, readJournal } from './journal-reader.ts';
import { EMPTY_JOURNAL, type JournalFields, type JournalRecord } from './journal-record.ts';
import { SAMPLE_FIELDS } from './journal-sample.fixture.ts';

const rng = seededRng('folds');
const job = newId('job', rng);
const CONNS = ['00112233aabbccdd', '0011223344556677'] as const;

/** A frame of some message, with or without what a fold may leave out. */
function frame(n: number): JournalFields {
  const [number, dir] = ([0x0102, 0x0203, 0x0103, 0x0205, 0x0105] as const).map(
    (m) => [m, m < 0x0200 ? 'out' : 'in'] as const,
  )[randomBelow(rng, 5)] ?? [0x0102, 'out'];
  const attempts = Array.from({ length: randomBelow(rng, 2) }, () => ({
    job,
    attempt: 1,
    memory: randomBelow(rng, 2),
    cpu: 1,
  }));
  const bodies = {
    0x0102: { attempts },
    0x0203: { echo: randomBelow(rng, 3) === 0 ? 7 : n - 1, leases: [] },
    0x0103: { mid: 1 },
    0x0205: { mid: 2 },
    0x0105: { job },
  };
  return {
    kind: 'frame',
    conn: CONNS[randomBelow(rng, 20) === 0 ? 1 : 0],
    dir,
    n: randomBelow(rng, 30) === 0 ? 5 : n,
    number,
    mid: number === 0x0105 ? 3 : 0,
    body: bodies[number],
    ...(number === 0x0203 ? { sig: Buffer.from(rng.bytes(64)).toString('base64') } : {}),
    size: randomBelow(rng, 10) === 0 ? 2_048 : 512,
    wire: toHex(rng.bytes(32)) as Digest,
  };
}

function records(count: number): JournalRecord[] {
  let head = EMPTY_JOURNAL;
  let text = '';
  const next = { in: 0, out: 0 };
  for (let n = 0; n < count; n += 1) {
    const [start] = SAMPLE_FIELDS;
    const fields = n === 0 && start !== undefined ? start : frame(0);
    if (fields.kind === 'frame' && fields.n === 0) {
      const echo = 'echo' in fields.body && fields.body['echo'] === -1 ? { echo: Math.max(0, next.out - 1) } : {};
      Object.assign(fields, { n: next[fields.dir], body: { ...fields.body, ...echo } });
      next[fields.dir] += 1;
    }
    const appended = appendRecord(head, fields, 1_800_000_000_000 + n * randomBelow(rng, 3) + (head.t % 7));
    const { t } = head;
    const whole = appended.head.t < t ? appendRecord(head, fields, t) : appended;
    head = whole.head;
    text += `${whole.line}\n`;
  }
  return readJournal(Buffer.from(text)).records;
}

test('whatever is folded comes out as it was, with the same hashes', () => {
  let folds = 0;
  for (let round = 0; round < 40; round += 1) {
    const written = records(60);
    const lines = [...foldLines(written)];
    folds += lines.filter((line) => line.includes('"kind":"fold"')).length;
    const read = readJournal(Buffer.from(`${lines.join('\n')}\n`));
    assert.deepEqual(read.records, written);
    assert.deepEqual(read.head.hash, written.at(-1)?.hash);
  }
  assert.ok(folds > 100, `${folds} folds`);
});

test('any changed byte of a fold is found', () => {
  const written = records(60);
  const lines = [...foldLines(written)];
  const at = lines.findIndex((line) => line.includes('"kind":"fold"'));
  const good = lines[at] ?? '';
  let found = 0;
  for (let place = 0; place < good.length; place += 1) {
    const line = Buffer.from(good);
    line[place] = (line[place] ?? 0) ^ 1;
    const changed = [...lines.slice(0, at), line.toString('latin1'), ...lines.slice(at + 1)].join('\n');
    const reader = new JournalReader();
    try {
      const read = Array.from(reader.read(Buffer.from(`${changed}\n`, 'latin1')), ({ record }) => record);
      // Stray bits of base64, and nothing else, may be spelled in two ways.
      assert.deepEqual(read, written, good.slice(place - 20, place + 20));
    } catch {
      found += 1;
    }
  }
  assert.ok(found > good.length * 0.98, `${found} of ${good.length}`);
});
