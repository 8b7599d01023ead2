import type { DeviceId, EpochMs, JobId } from '@ringfence/base';
import { isGated } from '@ringfence/policy/release';
import type { EndpointRelease } from '@ringfence/protocol/payload';
import type { OpeningKind } from '@ringfence/protocol/statements';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Revision } from '../endpoints/endpoint-state.ts';
import type { Tx } from '../store/open-store.ts';
import { judgeThing, noteOpened, type GatedThing } from './open-gate.ts';
import { streamThing } from './things.ts';

const MOST_DEVICES = 256;

/**
 * To whom the answers of an endpoint are released, by the data of each of its replicas that was ever started; undefined where nobody has to
 * release them. That a gateway is told so is written down like an opening.
 */
export async function endpointReleaseOf(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { sensitivity, slots }: Pick<Revision, 'sensitivity' | 'slots'>,
): Promise<EndpointRelease | undefined> {
  if (!isGated(sensitivity)) return undefined;
  const jobs = slots.flatMap(({ job, attempt }) => (attempt > 0 ? [job] : []));
  return context.store.withOrg(claimed.org, async (tx) => {
    const until = (kind: OpeningKind, device?: DeviceId) => openUntil(context, tx, claimed, { jobs, kind, device });
    const [members, tokens] = [await until('endpoint'), await until('endpoint-token')];
    const devices = [];
    for (const { id: device } of claimed.keyring.devices().slice(0, MOST_DEVICES)) {
      const own = members === null ? await until('endpoint', device) : null;
      if (own !== null) devices.push({ device, until: own });
    }
    return { members, devices, tokens };
  });
}

/** The least moment until which every replica's owners have released it; null where one has not. */
async function openUntil(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { jobs, kind, device }: { jobs: readonly JobId[]; kind: OpeningKind; device: DeviceId | undefined },
): Promise<EpochMs | null> {
  let until: EpochMs | null = null;
  const opened: { thing: GatedThing; words: Parameters<typeof noteOpened>[3]['words'] }[] = [];
  for (const job of jobs) {
    const thing = await streamThing(context, tx, claimed, { job, kind });
    if (thing === undefined) continue;
    const { decision } = await judgeThing(context, tx, claimed, { thing, device });
    if (!decision.allow) return null;
    until = until === null || decision.until < until ? decision.until : until;
    opened.push({ thing, words: decision.words });
  }
  for (const each of opened) await noteOpened(context, tx, claimed, { ...each, device });
  return until;
}
