import type { Brand } from './brand.ts';
import type { Rng } from './rng.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LENGTH = 26;

/** What an id names, by its prefix. */
export const ID_PREFIX = {
  org: 'org',
  project: 'prj',
  device: 'dev',
  officer: 'ofc',
  agent: 'agt',
  custodian: 'cus',
  relay: 'rly',
  controlPlane: 'ctl',
  site: 'sit',
  offer: 'off',
  job: 'job',
  artifact: 'art',
  dataset: 'dat',
  joinCode: 'jcd',
  endpoint: 'end',
  provider: 'pvd',
  deletion: 'del',
  gang: 'gng',
  lock: 'lck',
  member: 'mem',
  session: 'ses',
  invitation: 'inv',
  ceremony: 'cer',
  totp: 'otp',
  ssoProvider: 'sso',
  serviceAccount: 'svc',
  federation: 'fed',
  accountKey: 'sak',
  release: 'rls',
  proposal: 'prp',
} as const;

const PATTERNS = Object.fromEntries(
  Object.entries(ID_PREFIX).map(([kind, prefix]) => [kind, new RegExp(`^${prefix}_[a-h][a-z2-7]{25}$`)]),
) as Record<keyof typeof ID_PREFIX, RegExp>;

/** The kinds of ids. */
export type IdKind = keyof typeof ID_PREFIX;
/** A random id `prefix_` + 26 letters of base32 (128 bits, RFC 4648 lower case). */
export type Id<Kind extends IdKind> = Brand<string, `id:${Kind}`>;
export type OrgId = Id<'org'>;
export type ProjectId = Id<'project'>;
export type DeviceId = Id<'device'>;
export type AgentId = Id<'agent'>;
export type CustodianId = Id<'custodian'>;
export type ControlPlaneId = Id<'controlPlane'>;
export type SiteId = Id<'site'>;
export type OfferId = Id<'offer'>;
export type JobId = Id<'job'>;
export type ArtifactId = Id<'artifact'>;
export type JoinCodeId = Id<'joinCode'>;
export type EndpointId = Id<'endpoint'>;
export type ProviderId = Id<'provider'>;
export type DeletionId = Id<'deletion'>;
export type GangId = Id<'gang'>;
/** A lock on somebody or something. */
export type LockId = Id<'lock'>;
/** A person of an organisation. */
export type MemberId = Id<'member'>;
export type ProposalId = Id<'proposal'>;
export type SessionId = Id<'session'>;
export type InvitationId = Id<'invitation'>;
export type CeremonyId = Id<'ceremony'>;
export type TotpId = Id<'totp'>;
export type SsoProviderId = Id<'ssoProvider'>;
export type ServiceAccountId = Id<'serviceAccount'>;
export type FederationId = Id<'federation'>;
export type AccountKeyId = Id<'accountKey'>;
export type ReleaseId = Id<'release'>;

/** A fresh id of `kind`. */
export function newId<Kind extends IdKind>(kind: Kind, rng: Rng): Id<Kind> {
  let bits = 0n;
  for (const byte of rng.bytes(16)) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let place = 0; place < LENGTH; place += 1) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text;
    bits >>= 5n;
  }
  return `${ID_PREFIX[kind]}_${text}` as Id<Kind>;
}

/** Whether `text` is an id of `kind`; 128 bits leave the first letter two values short of the alphabet. */
export function isId<Kind extends IdKind>(kind: Kind, text: string): text is Id<Kind> {
  return PATTERNS[kind].test(text);
}
