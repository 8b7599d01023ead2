export {
  affordableHour,
  costOf,
  ledgerAt,
  reservedIn,
  type BudgetLedger,
  type BudgetRefusal,
  type Reservation,
} from './budget-ledger.ts';
export {
  AT_HOME,
  BURST_SIGNATURES,
  type AttemptAway,
  type BurstCommand,
  type BurstEvent,
  type BurstSignature,
  type BurstState,
  type OfferInUse,
} from './burst-state.ts';
export { readBurstTerms, type Budget, type BurstTerms, type BurstTermsFault } from './burst-terms.ts';
export { costReport, type CostReport, type FinishedRun, type HomeCost } from './cost-report.ts';
export { gateRequest, type AwayRefusal, type GatedRequest } from './gate-request.ts';
export { awayTiers, burstTiers } from './may-burst.ts';
export { predictedWaits, type HomeMachine, type QueuedJob } from './predicted-wait.ts';
export { pressureOf, type Look, type Pressure, type WaitingJob } from './pressure.ts';
export { DELETION_WAIT_MS, stepBurst, type BurstStep } from './step-burst.ts';
