import type { JobId } from '@ringfence/base';
import {
  chooseSlots,
  decideScale,
  firstMemory,
  NO_LOAD,
  type Load,
  type ScaleMemory,
  type SlotHealth,
} from './autoscaler.ts';
import { isReady, revisionIn, type Endpoint, type Revision, type Slot } from './endpoint-state.ts';

/** How long the replicas of a new revision have to become ready before it is given up. */
export const GIVE_UP_AFTER_MS = 600_000;

/** What is known besides the rows. */
export interface Surroundings {
  readonly now: number;
  /** Since when this process has been watching: nobody is late before. */
  readonly since: number;
  readonly load: Load | undefined;
  /** Whether the agent of a ready replica has repeated itself lately. */
  readonly heard: (job: JobId) => boolean;
}

/** What becomes of an endpoint. */
export interface EndpointPlan {
  readonly turns: readonly { readonly revision: number; readonly state: 'current' | 'going' | 'gone' }[];
  /** Slots whose wish changes. */
  readonly wishes: readonly { readonly job: JobId; readonly wanted: boolean }[];
  readonly memory: ScaleMemory;
}

/** Decides an endpoint's revisions and replicas; pure. */
export function planEndpoint(
  endpoint: Endpoint,
  around: Surroundings,
  memory: ScaleMemory = firstMemory(around.now),
): EndpointPlan {
  const turns = turnsOf(endpoint, around);
  const after = new Map(turns.map(({ revision, state }) => [revision, state]));
  const revisions = endpoint.revisions.map((revision) => ({
    ...revision,
    state: after.get(revision.revision) ?? revision.state,
  }));
  const [current, coming] = (['current', 'coming'] as const).map((state) =>
    revisions.find((revision) => revision.state === state),
  );
  // The first revision serves those who wait for it while it is still coming.
  const leading = current ?? coming;
  const scaled = leading === undefined ? undefined : scaleOf(leading, { endpoint, around, memory });
  const wishes = new Map<JobId, boolean>();
  for (const revision of revisions) {
    const count = wantedOf(revision, { leading, scaled: scaled?.wanted ?? 0, endpoint });
    const chosen = chooseSlots(usable(revision).map(healthOf(around)), count);
    for (const { job } of revision.slots) wishes.set(job, chosen.has(job));
  }
  const changed = revisions.flatMap(({ slots }) =>
    slots.flatMap(({ job, wanted }) => {
      const wish = wishes.get(job) ?? false;
      return wish === wanted ? [] : [{ job, wanted: wish }];
    }),
  );
  return { turns, wishes: changed, memory: scaled?.memory ?? memory };
}

/** How many replicas of the current revision are wanted, at least one: as many must be ready before the next takes over. */
function needed(endpoint: Endpoint): number {
  const current = revisionIn(endpoint, 'current');
  return Math.max(1, current === undefined ? 1 : current.slots.filter(({ wanted }) => wanted).length);
}

function turnsOf(endpoint: Endpoint, { now, since }: Surroundings): EndpointPlan['turns'] {
  if (endpoint.removed)
    return endpoint.revisions.flatMap(({ revision, state, slots }): EndpointPlan['turns'] => {
      if (state === 'gone') return [];
      if (!slots.some(({ running }) => running)) return [{ revision, state: 'gone' }];
      return state === 'going' ? [] : [{ revision, state: 'going' }];
    });
  const turns: { revision: number; state: 'current' | 'going' | 'gone' }[] = [];
  const coming = revisionIn(endpoint, 'coming');
  const current = revisionIn(endpoint, 'current');
  if (coming !== undefined) {
    const need = Math.min(needed(endpoint), usable(coming).length);
    const lost = usable(coming).length === 0;
    if (!lost && coming.slots.filter(isReady).length >= need) {
      turns.push({ revision: coming.revision, state: 'current' });
      if (current !== undefined) turns.push({ revision: current.revision, state: 'going' });
    } else if (lost || now - Math.max(coming.madeAt, since) >= GIVE_UP_AFTER_MS)
      turns.push({ revision: coming.revision, state: 'gone' });
  }
  for (const { revision, state, slots } of endpoint.revisions)
    if (state === 'going' && !slots.some(({ running }) => running)) turns.push({ revision, state: 'gone' });
  return turns;
}

function scaleOf(
  revision: Revision,
  { endpoint, around, memory }: { endpoint: Endpoint; around: Surroundings; memory: ScaleMemory },
) {
  const slots = usable(revision);
  const wanted = slots.filter((slot) => slot.wanted && healthOf(around)(slot).reachable).length;
  const { service } = revision;
  const { manual } = endpoint;
  const question = { service, manual, load: around.load ?? NO_LOAD, wanted, slots: slots.length };
  return decideScale(question, memory, around.now);
}

function wantedOf(
  revision: Revision,
  { leading, scaled, endpoint }: { leading: Revision | undefined; scaled: number; endpoint: Endpoint },
): number {
  if (revision.state === 'going' || revision.state === 'gone') return 0;
  // A revision that comes shows that it works before it may be scaled to nothing.
  if (revision === leading) return revision.state === 'coming' ? Math.max(1, scaled) : scaled;
  return Math.max(needed(endpoint), scaled);
}

function usable({ slots }: Revision): readonly Slot[] {
  return slots.filter(({ closed }) => !closed);
}

function healthOf(around: Surroundings): (slot: Slot) => SlotHealth {
  return (slot) => {
    const ready = isReady(slot);
    return {
      job: slot.job,
      slot: slot.slot,
      wanted: slot.wanted,
      ready,
      // One that is coming says nothing; one that drains or ran and was ready is silent when its agent is cut off.
      reachable: !ready || around.heard(slot.job),
    };
  };
}
