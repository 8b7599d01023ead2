import { isId, type CustodianId, type DeviceId, type EpochMs } from '@ringfence/base';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { KeyringChange, KeyringStatement } from '@ringfence/protocol/statements';
import { admissionOf, renewedAdmission } from './admitted.ts';
import type { AgentEntry, CustodianEntry, DeviceEntry, RemovalReason, SubjectId } from './entries.ts';
import { emptyMembership, type KeyringState, type Membership } from './state.ts';

type ChangeOf<Kind extends KeyringChange['kind']> = Extract<KeyringChange, { kind: Kind }>;

/** Reasons after which what a custodian once signed still counts; the others make its past word worthless too. */
const PEACEFUL: ReadonlySet<RemovalReason> = new Set(['left', 'replaced']);

/** Applies a statement that was found valid; the rules that it had to meet are in inspect.ts and authority.ts. */
export function applyStatement(state: KeyringState, statement: KeyringStatement): void {
  const { change } = statement;
  if (change.kind === 'rotate-root' && change.keep !== undefined) keepUpTo(state, change.keep);
  applyChange(state.membership, change, statement.at);
  state.history.push(statement);
}

/** Forgets every statement after `keep`: the membership is what it was then. */
function keepUpTo(state: KeyringState, keep: number): void {
  state.history = state.history.filter(({ seq }) => seq <= keep);
  const { root, recovery } = state.membership;
  state.membership = emptyMembership(root, recovery);
  for (const { change, at } of state.history) applyChange(state.membership, change, at);
}

function applyChange(to: Membership, change: KeyringChange, at: EpochMs): void {
  switch (change.kind) {
    case 'genesis':
    case 'rotate-root':
      to.root = change.root;
      to.recovery = change.recovery;
      to.roots.push(change.root);
      return;
    case 'add-device':
      return addDevice(to, change);
    case 'add-officer':
      to.officers.add(change.device);
      return changeDevice(to, change.device, { officer: true });
    case 'bind-role':
      return bindRole(to, change);
    case 'unbind-role':
      return unbindRole(to, change);
    case 'add-custodian':
      return addCustodian(to, change);
    case 'delegate':
      return delegate(to, change, at);
    case 'add-agent':
      return addAgent(to, change);
    case 'renew-admission':
      return renewAdmission(to, change);
    case 'add-peer':
      to.peers.set(change.org, change.root);
      return;
    case 'add-admitter':
      to.admitters.set(change.key, change.tier);
      return;
    case 'add-evidence-issuer':
      to.evidenceIssuers.set(change.key, change.standards);
      return;
    case 'remove-admitter':
      return removeAdmitter(to, change.key, at);
    case 'remove-evidence-issuer':
      to.evidenceIssuers.delete(change.key);
      return;
    case 'remove':
      return remove(to, change, at);
  }
}

function addDevice(to: Membership, { device, sign, tls }: ChangeOf<'add-device'>): void {
  to.devices.set(device, { id: device, sign, tls, officer: false, roles: [] });
  to.tlsOwners.set(tls, { kind: 'device', id: device });
}

function changeDevice(to: Membership, device: DeviceId, change: Partial<DeviceEntry>): void {
  const entry = to.devices.get(device);
  if (entry !== undefined) to.devices.set(device, { ...entry, ...change });
}

function bindRole(to: Membership, { device, role, project }: ChangeOf<'bind-role'>): void {
  const roles = to.devices.get(device)?.roles ?? [];
  changeDevice(to, device, { roles: [...roles, { role, ...(project === undefined ? {} : { project }) }] });
}

function unbindRole(to: Membership, { device, role, project }: ChangeOf<'unbind-role'>): void {
  const roles = to.devices.get(device)?.roles ?? [];
  changeDevice(to, device, { roles: roles.filter((bound) => bound.role !== role || bound.project !== project) });
}

function addCustodian(to: Membership, { custodian, sign, tls, seal }: ChangeOf<'add-custodian'>): void {
  to.custodians.set(custodian, { id: custodian, sign, tls, seal });
  to.tlsOwners.set(tls, { kind: 'custodian', id: custodian });
}

function addAgent(to: Membership, change: ChangeOf<'add-agent'>): void {
  const { agent: id, site, tier, sign, tls, seal, allowProcess, jurisdictions = [] } = change;
  const admitted = admissionOf(to, change);
  const entry = { id, site, tier, sign, tls, seal, allowProcess, jurisdictions };
  to.agents.set(id, admitted === undefined ? entry : { ...entry, admitted });
  to.tlsOwners.set(tls, { kind: 'agent', id });
}

function renewAdmission(to: Membership, change: ChangeOf<'renew-admission'>): void {
  const agent = to.agents.get(change.agent);
  if (agent !== undefined) to.agents.set(agent.id, { ...agent, admitted: renewedAdmission(to, change, agent) });
}

/** What it admitted ends with it. */
function removeAdmitter(to: Membership, admitter: SigningPublicKey, at: EpochMs): void {
  to.admitters.delete(admitter);
  for (const [id, agent] of to.agents) {
    const { admitted } = agent;
    if (admitted?.admitter === admitter && admitted.until > at)
      to.agents.set(id, { ...agent, admitted: { ...admitted, until: at } });
  }
}

/** The newest delegation of a custodian replaces the others from its own time on. */
function delegate(to: Membership, { custodian, key, may, notAfter }: ChangeOf<'delegate'>, at: EpochMs): void {
  endDelegations(to, custodian, at);
  to.delegations.push({ custodian, key, may, from: at, until: notAfter });
}

function endDelegations(to: Membership, custodian: CustodianId, at: EpochMs): void {
  for (const [index, delegation] of to.delegations.entries()) {
    if (delegation.custodian === custodian && delegation.until > at)
      to.delegations[index] = { ...delegation, until: at };
  }
}

function remove(to: Membership, { subject, reason }: ChangeOf<'remove'>, at: EpochMs): void {
  to.removed.set(subject, reason);
  const tls = partyOf(to, subject)?.tls;
  if (tls !== undefined) to.tlsOwners.delete(tls);
  if (isId('device', subject)) {
    to.devices.delete(subject);
    to.officers.delete(subject);
  } else if (isId('agent', subject)) {
    to.agents.delete(subject);
  } else if (isId('org', subject)) {
    to.peers.delete(subject);
  } else {
    to.custodians.delete(subject);
    retire(to, subject, { reason, at });
  }
}

function retire(to: Membership, custodian: CustodianId, end: { reason: RemovalReason; at: EpochMs }): void {
  if (PEACEFUL.has(end.reason)) return endDelegations(to, custodian, end.at);
  const others = to.delegations.filter((delegation) => delegation.custodian !== custodian);
  to.delegations.splice(0, to.delegations.length, ...others);
}

/** The device, agent or custodian that `subject` names, unless it was removed. */
export function partyOf(from: Membership, subject: SubjectId): DeviceEntry | AgentEntry | CustodianEntry | undefined {
  if (isId('device', subject)) return from.devices.get(subject);
  if (isId('agent', subject)) return from.agents.get(subject);
  return isId('custodian', subject) ? from.custodians.get(subject) : undefined;
}
