// Organisations as a control plane knows them: registered with a code, their parties told by their custodian's own messages.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  newId,
  Secret,
  silentLog,
  systemRng,
  type AgentId,
  type CustodianId,
  type DeviceId,
  type OrgId,
} from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ControlPlaneClient } from '@ringfence/client/api';
import { createControlLink, LinkJournal, type LinkParty } from '@ringfence/client/control-link';
import { SigningKey } from '@ringfence/crypto/sign';
import { codeProof, parseRegistrationCode } from '@ringfence/keyring';
import { idOf } from '@ringfence/protocol';
import type { Target } from './control-plane-apart.ts';

/** An identity with the seed of its key, so that another process can be it. */
export type Member<Id extends string = string> = { readonly id: Id; readonly seed: string };

/** An organisation that the control plane knows, and who belongs to it. */
export type Organisation = {
  readonly org: OrgId;
  readonly custodian: Member<CustodianId>;
  /** Signs labels. */
  readonly enrolmentSeed: string;
  readonly devices: readonly Member<DeviceId>[];
  readonly agents: readonly Member<AgentId>[];
};

/** What a custodian's link may say within its budget at once: 16 KiB in frames of 512 bytes, less the link's own. */
export const MOST_MEMBERS = 28;

/** The key of a seed as {@link Member} carries it. */
export function keyOf(seed: string): SigningKey {
  return SigningKey.fromSeed(new Secret(Buffer.from(seed, 'hex')));
}

/** How many belong to it, and below which folder its custodian's journal lies. */
type NewMembers = { devices: number; agents: number; folder: string; keepJournal?: boolean };

/** Registers an organisation with `code` and tells of so many devices and agents ({@link MOST_MEMBERS} together). With its journal kept, the custodian's link can go on. */
export async function enrolOrganisation(
  target: Target,
  code: string,
  { devices, agents, folder, keepJournal = false }: NewMembers,
): Promise<Organisation> {
  const organisation: Organisation = {
    org: newId('org', systemRng),
    custodian: member('custodian'),
    enrolmentSeed: seed(),
    devices: Array.from({ length: devices }, () => member('device')),
    agents: Array.from({ length: agents }, () => member('agent')),
  };
  await register(target, code, organisation);
  const journal = join(folder, organisation.custodian.id);
  await announce(target, organisation, journal);
  if (!keepJournal) rmSync(journal, { recursive: true, force: true });
  return organisation;
}

async function register(target: Target, text: string, { org, custodian, enrolmentSeed }: Organisation): Promise<void> {
  const code = parseRegistrationCode(text);
  const [sign, enrolment] = [keyOf(custodian.seed).publicKey, keyOf(enrolmentSeed).publicKey];
  const body = { code: code.id, org, custodian: custodian.id, sign, enrolment };
  const proof = codeProof(code.secret, { message: 'registration-request', link: null, body });
  const client = new ControlPlaneClient({ url: target.url, caFile: target.caFile, clock: systemClock, rng: systemRng });
  await client.register({ ...body, proof });
  await client.close();
}

async function announce(target: Target, of: Organisation, folder: string): Promise<void> {
  const party: LinkParty = { id: of.custodian.id, org: of.org, role: 'custodian' };
  const controlPlane = idOf('controlPlane').parse(target.id);
  const journal = LinkJournal.open({ folder, party, controlPlane, clock: systemClock });
  const link = createControlLink({
    url: target.url,
    controlPlane,
    root: target.root as never,
    party,
    key: keyOf(of.custodian.seed),
    journal,
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
    trust: { caFile: target.caFile },
    onMessage: async () => undefined,
    heartbeat: () => ({ attempts: [] }),
  });
  link.start();
  try {
    let last = 0;
    for (const { id, seed: of_ } of [...of.devices, ...of.agents])
      last = await link.send({
        name: 'member',
        body: { op: 'add', id, sign: keyOf(of_).publicKey, keyringSeq: 1 },
      });
    await acknowledged(journal, last);
  } finally {
    await link.stop();
    await journal.close();
  }
}

async function acknowledged(journal: LinkJournal, mid: number): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    if (journal.state.acknowledged >= mid) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the control plane did not take all members within a minute');
}

function member<Kind extends 'custodian' | 'device' | 'agent'>(kind: Kind) {
  return { id: newId(kind, systemRng), seed: seed() };
}

function seed(): string {
  return Buffer.from(systemRng.bytes(32)).toString('hex');
}
