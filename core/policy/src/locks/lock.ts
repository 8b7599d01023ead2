import type { AgentId, Brand, DeviceId, EpochMs, LockId, MemberId, ProjectId, SiteId } from '@ringfence/base';
import type { Role } from '../authorise/authoriser.ts';

/** A token of an endpoint, a service account or a session, by a random id; never the token. */
export type TokenId = Brand<string, 'id:token'>;

/** Whom or what a lock cuts off. */
export type LockTarget =
  | { readonly kind: 'member'; readonly member: MemberId }
  /** The role itself: whoever has it goes on without it. In one project, or everywhere. */
  | { readonly kind: 'role'; readonly role: Role['role']; readonly project?: ProjectId | undefined }
  | { readonly kind: 'device'; readonly device: DeviceId }
  | { readonly kind: 'agent'; readonly agent: AgentId }
  | { readonly kind: 'site'; readonly site: SiteId }
  | { readonly kind: 'token'; readonly token: TokenId };

/** One lock; it holds from when it is stored until `until`, or until it is lifted. */
export interface Lock {
  readonly id: LockId;
  readonly target: LockTarget;
  readonly until: EpochMs | null;
}

/** Everything that a lock could name about one end of a stream, or about who asks; of a token also who minted it, with the minter's roles. */
export interface Party {
  readonly member?: MemberId | undefined;
  readonly device?: DeviceId | undefined;
  readonly agent?: AgentId | undefined;
  readonly site?: SiteId | undefined;
  readonly token?: TokenId | undefined;
  /** The roles that counted when it was let in, and for a thing of which project (undefined: of the organisation). */
  readonly roles: readonly Role[];
  readonly project?: ProjectId | undefined;
}

/** Whether `lock` holds at `now`, to the millisecond before its end. */
export function holds({ until }: Lock, now: EpochMs): boolean {
  return until === null || now < until;
}

/** Whether a lock names this party; a role's lock names whoever was let in by it. */
export function names(target: LockTarget, party: Party): boolean {
  switch (target.kind) {
    case 'member':
      return party.member === target.member;
    case 'device':
      return party.device === target.device;
    case 'agent':
      return party.agent === target.agent;
    case 'site':
      return party.site === target.site;
    case 'token':
      return party.token === target.token;
    case 'role':
      return party.roles.some((bound) => isSuspended(bound, target, party.project));
  }
}

/** The roles that still count for a thing of `project` (undefined: of the organisation) under locks that hold. */
export function rolesUnder(
  locks: readonly Lock[],
  roles: readonly Role[],
  { now, project }: { readonly now: EpochMs; readonly project: ProjectId | undefined },
): readonly Role[] {
  const suspending = locks.filter((lock) => holds(lock, now)).flatMap(({ target }) => roleTarget(target));
  return roles.filter((bound) => !suspending.some((target) => isSuspended(bound, target, project)));
}

type RoleTarget = Extract<LockTarget, { kind: 'role' }>;

function roleTarget(target: LockTarget): RoleTarget[] {
  return target.kind === 'role' ? [target] : [];
}

/** A role of the whole organisation counts in every project, so a lock in one project suspends it there, and only there. */
function isSuspended(bound: Role, target: RoleTarget, project: ProjectId | undefined): boolean {
  return bound.role === target.role && (target.project === undefined || target.project === project);
}
