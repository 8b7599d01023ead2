import assert from 'node:assert/strict';
import { epochMs, newId, seededRng, type OfferId } from '@ringfence/base';
import type { BurstState } from '@ringfence/policy/burst';
import { Inventory, Placer, signedWishes, type PlacementOffer, type Take } from '@ringfence/policy/placement';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { PlacementPart } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { PoolGate } from '../burst/pool-gate.ts';
import type { OfferDesk } from '../placement/reserve-offers.ts';
import type { WaitingJob } from '../placement/waiting-job.ts';
import { decideTurn } from './decide-turn.ts';
import { jobShape } from './job-shape.ts';
import type { RunningAttempt } from './running-attempts.ts';
import { turnUnits } from './turn-units.ts';

/** A turn has so many units at the most. */
const MOST_UNITS = 256;
const NOW = epochMs(1_800_000_000_000);
const MINUTE = 60_000;
const HOUR_PRICE = { microUnits: 1_000_000, currency: 'EUR' };
const rng = seededRng('turns');
const ids = <T>(make: () => T, length = 64): T[] => Array.from({ length }, make);
const [JOBS, OFFERS] = [ids(() => newId('job', rng), MOST_UNITS * 4 + 24).toSorted(), ids(() => newId('offer', rng))];
const [AGENT, SITE, ORG] = [newId('agent', rng), newId('site', rng), newId('org', rng)];
const GANGS = ids(() => newId('gang', rng), MOST_UNITS);
const LABEL = { sensitivity: 'public', residency: [] } as const;

/** So many hours away from home at the most, at once and in the period. */
export const TERMS = {
  highWaitMs: 60_000,
  highLooks: 1,
  lowWaitMs: 30_000,
  lowLooks: 1,
  cooldownMs: 0,
  minLifetimeMs: 0,
  mostAtOnce: 3,
  overheadMs: 0,
  budget: { microUnits: 5_000_000, currency: 'EUR', periodMs: 3_600_000_000 },
};

const one = <T>(list: readonly T[], index: number): T => list[index] ?? assert.fail('there are more than that');

/** What is random about a turn: machines at home with what runs there, and what waits. */
export const turns = fc.record({
  homes: fc.array(
    fc.record({
      cpus: fc.integer({ min: 2, max: 8 }),
      running: fc.array(
        fc.record({
          cpus: fc.integer({ min: 1, max: 3 }),
          minutes: fc.integer({ min: 1, max: 120 }),
          priority: fc.constantFrom(0, 40, 60),
          preemptible: fc.boolean(),
        }),
        { maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  units: fc.array(
    fc.record({
      members: fc.constantFrom(1, 1, 1, 2, 3),
      missing: fc.constantFrom(0, 0, 0, 1),
      cpus: fc.integer({ min: 1, max: 5 }),
      minutes: fc.constantFrom(30, 60, 180),
      priority: fc.constantFrom(0, 50, 50, 70),
    }),
    { minLength: 1, maxLength: 8 },
  ),
});

/** What {@link turns} makes, or a test by hand. */
export interface Turn {
  readonly homes: readonly {
    readonly cpus: number;
    readonly running: readonly Readonly<
      Pick<RunningAttempt, 'priority' | 'preemptible'> & { cpus: number; minutes: number }
    >[];
  }[];
  readonly units: readonly Readonly<Record<'members' | 'missing' | 'cpus' | 'minutes' | 'priority', number>>[];
}

function offerOf(offer: OfferId, tier: PlacementOffer['tier'], cpus: number): PlacementOffer {
  const away = tier !== 'private';
  return {
    offer,
    agent: AGENT,
    site: SITE,
    epoch: 1,
    tier,
    region: '',
    jurisdictions: ['DE'],
    tees: [],
    evidence: [],
    isolations: ['sandbox', 'gvisor', 'microvm'],
    egress: ['none'],
    customerKeys: true,
    hardLimits: true,
    online: true,
    locked: false,
    draining: false,
    diskFull: false,
    spot: false,
    speed: 1,
    reliability: 1,
    networkMbit: 1_000,
    ...(away ? { price: HOUR_PRICE } : {}),
    free: { cpuMilli: cpus * 1_000, memoryBytes: 1e12, diskBytes: 1e12, gpus: [] },
  };
}

function jobsOf({ units }: Turn, tiers: PlacementPart['tiers']): WaitingJob[] {
  return units.flatMap(({ members, missing, cpus, minutes, priority }, unit) => {
    const gang = members + missing > 1 ? { id: one(GANGS, unit), size: members + missing } : undefined;
    const placement: PlacementPart = {
      ...SAMPLE_PLACEMENT,
      tiers,
      burst: 'allowed',
      priority,
      maxDurationMs: minutes * MINUTE,
      ...(gang === undefined ? {} : { gang }),
      resources: { ...SAMPLE_PLACEMENT.resources, cpuMilli: cpus * 1_000 },
    };
    const envelope = { payloadType: '', payload: '', signatures: [] };
    return Array.from({ length: members }, (_, member) => ({
      job: one(JOBS, unit * 4 + member),
      type: 'train',
      state: 'queued',
      attempts: 0,
      max_attempts: 2,
      stopping: false,
      wanted: true,
      job_digest: jobShape(placement, LABEL),
      job_envelope: envelope,
      label_envelope: envelope,
      placement,
      waiting_for: [],
      not_before: null,
      retry_reason: null,
      inventory_seen: null,
      priority,
      submitted_at: NOW - 1_000 + unit,
      gang: gang?.id ?? null,
    }));
  });
}

/** One turn with the control plane's own parts, but for its tables; `asked` is how often one machine was asked about one job. */
export async function decide(turn: Turn, tiers: PlacementPart['tiers'], state?: BurstState) {
  const inventory = new Inventory();
  const running = turn.homes.flatMap(({ cpus, running: runs }, home) => {
    const offer = one(OFFERS, home);
    inventory.put(offerOf(offer, 'private', cpus));
    return runs.flatMap((run, nth): RunningAttempt[] => {
      const take: Take = { cpuMilli: run.cpus * 1_000, memoryBytes: 1e9, diskBytes: 0 };
      if (!inventory.reserve(offer, take)) return [];
      const endsBy = epochMs(NOW + run.minutes * MINUTE);
      return [{ job: one(JOBS, MOST_UNITS * 4 + home * 4 + nth), offer, take, endsBy, stopping: false, ...run }];
    });
  });
  inventory.put(offerOf(one(OFFERS, 63), 'secure-cloud', 100));
  const placer = new Placer(inventory, { currency: 'EUR' });
  const desk: OfferDesk = {
    take: (choose) => {
      const placement = choose((request, except) => placer.place(request, except));
      const { decision } = placement;
      if (decision.allow) assert.ok(inventory.reserve(decision.chosen.offer, decision.chosen.take), 'it was free');
      return { placement, inventoryEpoch: inventory.epoch };
    },
    giveBack: ({ offer, take }) => assert.ok(inventory.release(offer, take)),
  };
  const gate = new PoolGate(state === undefined ? undefined : { org: ORG, terms: TERMS, state });
  const jobs = jobsOf(turn, tiers);
  let asked = 0;
  const outcome = await decideTurn(desk, {
    kept: {
      find: (offer) => inventory.find(offer),
      whyNot: (request, offer) => {
        asked += 1;
        return placer.whyNot(request, offer);
      },
    },
    now: NOW,
    units: turnUnits(jobs, { ahead: [], members: jobs.filter(({ gang }) => gang !== null), nominations: [] }, NOW),
    nominations: [],
    ask: (job, place) =>
      gate.decide(
        job,
        { placement: job.placement, label: LABEL, wishes: signedWishes(job.placement), now: NOW },
        place,
      ),
    mark: () => gate.mark(),
    running: () => Promise.resolve(running),
  });
  return { outcome, gate, asked };
}
