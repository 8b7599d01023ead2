import type { PlacementPart } from '@ringfence/protocol/statements';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Caller } from '../http/route.ts';
import type { Tx } from '../store/open-store.ts';

/** Refuses a job that does not belong to the gang that it names: of another device, of another size, or one too many. Throws ControlPlaneError `conflict`. */
export async function checkGang(tx: Tx, { device }: Caller, { gang }: PlacementPart): Promise<void> {
  if (gang === undefined) return;
  const members = await tx.selectFrom('job').select(['device', 'placement']).where('gang', '=', gang.id).execute();
  const alike = members.every((member) => member.device === device && member.placement.gang?.size === gang.size);
  if (alike && members.length < gang.size) return;
  throw new ControlPlaneError('conflict', 'the gang that this job names has no place for it', {
    next: 'launch the jobs of a gang together, in one command',
  });
}
