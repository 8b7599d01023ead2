import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { newId, Secret, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { SEGMENT_FAULTS } from './closed-segment.ts';
import { journalLines, journalParts } from './journal-parts.ts';
import { LinkJournal } from './link-journal.ts';
import { newParty, temporaryFolder } from './party.fixture.ts';

const WRITER = fileURLToPath(new URL('./segment-writer.fixture.ts', import.meta.url));

/** `npm test` makes the first. */
const PASSES = process.env['RINGFENCE_TEST_FULL'] === '1' ? [1, 2] : [1];

for (const point of SEGMENT_FAULTS)
  for (const passes of PASSES)
    test(`killed at ${point} (${passes}), no fact is lost and the chain is whole`, async (t) => {
      const folder = temporaryFolder(t);
      const { party } = newParty();
      const seed = Buffer.from(systemRng.bytes(32));
      const key = SigningKey.fromSeed(new Secret(seed));
      const controlPlane = newId('controlPlane', systemRng);
      const args = [WRITER, folder, controlPlane, JSON.stringify(party), seed.toString('hex'), `${point}:${passes}`];
      const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      writer.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const [, signal] = (await once(writer, 'close')) as [number | null, string | null];
      assert.equal(signal, 'SIGKILL', 'the step was reached');
      const acknowledged = Number(text.trimEnd().split('\n').at(-1));
      const before = [...journalLines(journalParts(folder))].filter(({ kind }) => kind === 'fact').length;
      const found: unknown[] = [];
      const open = () =>
        LinkJournal.open({
          folder,
          party,
          controlPlane,
          clock: systemClock,
          key,
          rng: systemRng,
          limits: { bytes: 4_096, age: 86_400_000 },
          onFact: ({ body }) => found.push(body['n']),
        });
      const journal = open();
      assert.deepEqual(
        found,
        found.map((_, n) => n),
        'each once and in order',
      );
      assert.ok(found.length > acknowledged);
      await journal.fact({ name: 'step', body: { n: found.length } });
      const { hash, seq } = journal.point;
      await journal.close();
      const records = [...journalLines(journalParts(folder))];
      assert.deepEqual([records.at(-1)?.seq, records.at(-1)?.hash], [seq, hash]);
      assert.equal(records.filter(({ kind }) => kind === 'fact').length, before + 1);
    });
