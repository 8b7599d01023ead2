// A process that appends facts, closes segments, says which facts are on disk, and kills itself at a named step.
import { writeSync } from 'node:fs';
import { faultAt, Secret, systemRng, type ControlPlaneId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { SEGMENT_FAULTS } from './closed-segment.ts';
import { LinkJournal, type LinkParty } from './link-journal.ts';

const [folder = '', controlPlane = '', party = '', seed = '', point = ''] = process.argv.slice(2);
const journal = LinkJournal.open({
  folder,
  party: JSON.parse(party) as LinkParty,
  controlPlane: controlPlane as ControlPlaneId,
  clock: systemClock,
  key: SigningKey.fromSeed(new Secret(Buffer.from(seed, 'hex'))),
  rng: systemRng,
  limits: { bytes: 4_096, age: 86_400_000 },
  retention: { packAfter: -1 },
  fault: faultAt(SEGMENT_FAULTS, point, () => process.kill(process.pid, 'SIGKILL')),
});
for (let n = 0; n < 400; n += 1) {
  await journal.fact({ name: 'step', body: { n } });
  writeSync(1, `${n}\n`);
  if (n % 8 === 0) journal.disconnected('0123456789abcdef', { in: 0, out: 0, code: 'closed' });
}
