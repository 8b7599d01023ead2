import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { newId, randomBelow, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { LinkJournal } from './link-journal.ts';
import { newParty, temporaryFolder } from './party.fixture.ts';

const WRITER = fileURLToPath(new URL('./journal-writer.fixture.ts', import.meta.url));
/** `npm test` makes a third of them. */
const KILLS = process.env['RINGFENCE_TEST_FULL'] === '1' ? 12 : 4;

/** Newest acknowledged number of each lane, when the writer died. */
async function writeUntilKilled(folder: string, controlPlane: string, party: object): Promise<number[]> {
  const writer = spawn(process.execPath, [WRITER, folder, controlPlane, JSON.stringify(party)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const ended = once(writer, 'close');
  const stopAfter = 20 + randomBelow(systemRng, 400);
  writer.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text.length > stopAfter) writer.kill('SIGKILL');
  });
  await ended;
  const newest = [-1, -1, -1];
  for (const line of text.split('\n').slice(1, -1)) {
    const [lane = 0, n = 0] = line.split(' ').map(Number);
    newest[lane] = n;
  }
  return newest;
}

test(`nothing that was acknowledged is lost over ${KILLS} kills, and the chain stays whole`, async (t) => {
  const folder = temporaryFolder(t);
  const { party } = newParty();
  const controlPlane = newId('controlPlane', systemRng);
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const newest = await writeUntilKilled(folder, controlPlane, party);
    const found = [new Set<number>(), new Set<number>(), new Set<number>()];
    const journal = LinkJournal.open({
      folder,
      party,
      controlPlane,
      clock: systemClock,
      onFact: ({ body }) => {
        // Each run counts from 0: what counts are the facts of the newest.
        if (body['n'] === 0) found[Number(body['lane'])]?.clear();
        found[Number(body['lane'])]?.add(Number(body['n']));
      },
    });
    await journal.close();
    newest.forEach((last, lane) => {
      for (let n = 0; n <= last; n += 1)
        assert.ok(found[lane]?.has(n), `kill ${kill}, lane ${lane}, fact ${n} of ${last}`);
      acknowledged += last + 1;
    });
  }
  t.diagnostic(`${acknowledged} acknowledged facts found again`);
  assert.ok(acknowledged > KILLS * 3);
});
