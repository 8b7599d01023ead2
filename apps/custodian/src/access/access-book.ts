import { epochMs, type DeviceId, type EpochMs, type MemberId, type OrgId } from '@ringfence/base';
import type { AssuranceMode, AssuranceRules, Factor } from '@ringfence/policy/assurance';
import type { CustodianStore } from '../store/open-store.ts';

/** A factor that this custodian takes beside a device's key. */
export type GivenKind = 'totp' | 'recovery-code';

/** What members of this organisation count for: passkeys that are copied do not reach 3, as nothing here does yet. */
export const RULES: AssuranceRules = { copiedPasskeysReachThree: false };

/**
 * Whose devices there are and what was shown at them, in memory: each request asks. One custodian is active at a time, so what it committed
 * itself is all that there is; {@link load} reads it when it becomes active, the others follow after their commits.
 */
export class AccessBook {
  #factorsSince: EpochMs | undefined;
  readonly #members = new Map<DeviceId, MemberId>();
  readonly #given = new Map<DeviceId, Map<GivenKind, EpochMs>>();
  readonly #enrolled = new Set<MemberId>();

  /** Reads the tables. */
  async load(store: CustodianStore, org: OrgId): Promise<void> {
    const [since, devices, given, enrolled] = await store.withOrg(
      org,
      async (tx) => [
        await tx.selectFrom('organisation').select('factors_since').executeTakeFirst(),
        await tx.selectFrom('member_device').select(['device', 'member']).execute(),
        await tx.selectFrom('given_factor').select(['device', 'kind', 'at']).execute(),
        await tx
          .selectFrom('totp')
          .select('member')
          .where('confirmed_at', 'is not', null)
          .where('removed_at', 'is', null)
          .execute(),
      ],
      { readOnly: true },
    );
    const at = since?.factors_since ?? null;
    this.#factorsSince = at === null ? undefined : epochMs(at);
    for (const { device, member } of devices) this.#members.set(device, member);
    for (const { device, kind, at: when } of given) this.noteGiven(device, kind, epochMs(when));
    for (const { member } of enrolled) this.#enrolled.add(member);
  }

  /** `device-only` until an officer enrolled a factor. */
  get mode(): AssuranceMode {
    return this.#factorsSince === undefined ? 'device-only' : 'factors';
  }

  /** Whose a device is: one that nobody said anything about is a member of its own. */
  memberOf(device: DeviceId): MemberId {
    return this.#members.get(device) ?? ownMember(device);
  }

  /** Whether a member has an authenticator. */
  hasTotp(member: MemberId): boolean {
    return this.#enrolled.has(member);
  }

  /** What stands for who asks now by this device: its key, which the link proved, and what was given at it. */
  factorsAt(device: DeviceId, now: EpochMs): readonly Factor[] {
    const given = [...(this.#given.get(device) ?? [])].map(([kind, at]): Factor => ({ kind, at }));
    return [{ kind: 'device-key', at: now }, ...given];
  }

  noteFactors(since: EpochMs): void {
    this.#factorsSince ??= since;
  }

  noteDevice(device: DeviceId, member: MemberId): void {
    this.#members.set(device, member);
  }

  noteGiven(device: DeviceId, kind: GivenKind, at: EpochMs): void {
    const given = this.#given.get(device) ?? new Map<GivenKind, EpochMs>();
    given.set(kind, at);
    this.#given.set(device, given);
  }

  /** What was given at a member's devices counts no more. */
  forgetGiven(member: MemberId): void {
    for (const device of this.#given.keys()) if (this.memberOf(device) === member) this.#given.delete(device);
  }

  noteTotp(member: MemberId, has: boolean): void {
    if (has) this.#enrolled.add(member);
    else this.#enrolled.delete(member);
  }
}

/** The member that a device is when nobody said whose it is; made of its id, so that it is the same whoever asks. */
function ownMember(device: DeviceId): MemberId {
  return device.replace(/^dev_/, 'mem_') as MemberId;
}
