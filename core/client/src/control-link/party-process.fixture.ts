// A party in a process of its own: takes every stop as a fact that causes a status, and sends statuses of its own.
import type { ControlPlaneId, JobId } from '@ringfence/base';
import { Secret, silentLog, systemRng } from '@ringfence/base';
import { SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';
import { fastClock } from './fast-clock.fixture.ts';
import { createControlLink } from './control-link.ts';
import { LinkJournal, type LinkParty } from './link-journal.ts';

/** What the test passes as the only argument. */
export interface PartyProcess {
  readonly url: string;
  readonly caFile: string;
  readonly folder: string;
  readonly party: LinkParty;
  readonly seed: string;
  readonly controlPlane: ControlPlaneId;
  readonly root: SigningPublicKey;
  readonly job: JobId;
  readonly own: number;
}

const setup = JSON.parse(process.argv[2] ?? '{}') as PartyProcess;
const { folder, party, controlPlane, root, job, own } = setup;
const clock = fastClock(40);
let sent = 0;
const journal = LinkJournal.open({
  folder,
  party,
  controlPlane,
  clock,
  onFact: ({ name, body }) => {
    if (name === 'own') sent = Number(body['n']);
  },
});
const link = createControlLink({
  url: setup.url,
  controlPlane,
  root,
  party,
  key: SigningKey.fromSeed(new Secret(Buffer.from(setup.seed, 'hex'))),
  journal,
  clock,
  rng: systemRng,
  log: silentLog,
  trust: { caFile: setup.caFile },
  firstDelayMs: 100,
  heartbeat: () => ({ attempts: [] }),
  onMessage: async (message) => {
    if (message.name !== 'stop') return undefined;
    const { attempt } = message.body;
    const status = { name: 'attempt-status', body: { job, attempt: 1_000 + attempt, state: 'stopped' } } as const;
    return { name: 'stop-taken', body: { attempt }, queue: [status] };
  },
});
link.start();
while (sent < own) {
  sent += 1;
  const status = { name: 'attempt-status', body: { job, attempt: sent, state: 'running' } } as const;
  await link.record({ name: 'own', body: { n: sent }, queue: [status] });
}
