// A process that appends facts and says which are on disk; killed at any moment by the test that starts it.
import { writeSync } from 'node:fs';
import { systemClock } from '@ringfence/base/platform';
import type { ControlPlaneId } from '@ringfence/base';
import { LinkJournal, type LinkParty } from './link-journal.ts';

const [folder = '', controlPlane = '', party = ''] = process.argv.slice(2);
const journal = LinkJournal.open({
  folder,
  party: JSON.parse(party) as LinkParty,
  controlPlane: controlPlane as ControlPlaneId,
  clock: systemClock,
});
writeSync(1, 'open\n');
async function lane(number: number): Promise<void> {
  for (let n = 0; n < 1_000_000; n += 1) {
    await journal.fact({ name: 'step', body: { lane: number, n } });
    writeSync(1, `${number} ${n}\n`);
  }
}
await Promise.all([lane(0), lane(1), lane(2)]);
