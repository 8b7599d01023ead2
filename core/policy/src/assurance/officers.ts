import type { DeviceId, MemberId } from '@ringfence/base';
import type { Role } from '../authorise/authoriser.ts';

/** An officer's device, and whose it is. */
export interface Officer {
  readonly device: DeviceId;
  readonly member: MemberId;
  /** Under a lock it agrees to nothing, and still counts as an officer: who locks another is not alone by it. */
  readonly locked: boolean;
  /** Those of its roles that no lock suspends: without one that may lift locks it ends none. */
  readonly roles: readonly Role[];
}

/** Members, not devices: a person with two officers' devices is one. */
export function officerMembers(officers: readonly Officer[]): ReadonlySet<MemberId> {
  return new Set(officers.map(({ member }) => member));
}

/** min(people, officers) as members; `lone` where two were asked for and there is one. Nobody can agree where there is none. */
export function quorumOf(
  officers: readonly Officer[],
  people: 1 | 2,
): { readonly needed: number; readonly lone: boolean } {
  const members = officerMembers(officers).size;
  return { needed: Math.max(1, Math.min(people, members)), lone: people === 2 && members === 1 };
}
