import type { DeviceId } from '@ringfence/base';
import type { artifactOpenAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { openThing, requireOpen } from '../release/open-gate.ts';
import { versionThing } from '../release/things.ts';
import { artifactRowOf, findVersion } from './artifact-rows.ts';

/**
 * A version with the key of its manifest, once the owners of what it was made of have released it to this device; a dataset opens for its own
 * owner. Throws CustodianError `not-found`, `not-released`.
 */
export async function openArtifact(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { name, version, device }: { name: string; version: number | undefined; device: DeviceId },
): Promise<z.input<typeof artifactOpenAnswer>> {
  const { found, pack, decision } = await context.store.withOrg(claimed.org, async (tx) => {
    const newest = await findVersion(context, tx, claimed, { name, version });
    if (newest === undefined)
      throw new CustodianError('not-found', 'there is no such artifact', { next: 'see `ringfence artifact ls`' });
    if (newest.pack === undefined)
      throw new CustodianError('not-found', 'this data is not copied here: it lies in place at its site', {
        next: 'mount it in a job; see `ringfence dataset ls`',
      });
    const thing = await versionThing(context, tx, claimed, newest);
    const isOwn = newest.kind === 'dataset' && thing?.sources.every(({ owners }) => owners.includes(device)) === true;
    const decided = thing === undefined || isOwn ? undefined : await openThing(context, tx, claimed, { thing, device });
    context.fault('opening-before-commit');
    return { found: newest, pack: newest.pack, decision: decided };
  });
  context.fault('opening-after-commit');
  if (decision !== undefined)
    requireOpen(
      decision,
      `\`ringfence release request ${name} --version ${found.version} --purpose PURPOSE\`; the owner of the data approves it`,
    );
  return { artifact: artifactRowOf(found), project: claimed.project, pack };
}
