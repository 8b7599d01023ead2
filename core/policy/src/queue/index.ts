export {
  fewestVictims,
  MOST_VICTIMS,
  type PreemptableMachine,
  type Preemption,
  type Preemptor,
  type Victim,
  victimLooks,
} from './fewest-victims.ts';
export { holdBeside, holdsFor, mayStart, type Backfilled, type Hold } from './holds.ts';
export { agedPriority, AGING_MS, HIGHEST_PRIORITY, inQueueOrder, type InQueue } from './order.ts';
export { placeGang, type GangDesk } from './place-gang.ts';
