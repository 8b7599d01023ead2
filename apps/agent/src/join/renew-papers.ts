import type { AgentId, Clock, Log, Rng } from '@ringfence/base';
import type { RecordKey } from '@ringfence/crypto/record';
import { readStatement } from '@ringfence/keyring';
import { AgentError } from '../agent-error.ts';
import { openIdentity } from '../identity/agent-identity.ts';
import { custodianDialler, linkFolder, readLinks } from '../link/joined-link.ts';
import type { Papers } from './papers.ts';

/** Brings new papers of this machine to the custodian of the organisation that it joined with those keys. Throws AgentError `bad-config`; ClientError. */
export async function renewPapers({
  state,
  key,
  papers,
  clock,
  rng,
  log,
}: {
  readonly state: string;
  readonly key: RecordKey;
  readonly papers: Papers;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): Promise<AgentId> {
  const { agent } = readStatement('machine', papers.machine).claimed;
  const link = readLinks(state).find((joined) => joined.agent === agent);
  if (link === undefined)
    throw new AgentError('bad-config', 'the machine statement is about no agent of this state folder', {
      next: 'have the provider certify the keys with which this machine joined',
    });
  const { link: identity } = openIdentity(linkFolder(state, link.controlPlane.id), key);
  const custodian = custodianDialler({ link, identity, clock, rng, log })();
  try {
    await custodian.renewAdmission(agent, { admitted: papers });
    return agent;
  } finally {
    custodian.close();
  }
}
