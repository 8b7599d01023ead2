import type { EpochMs } from '@ringfence/base';
import { signEnvelope, statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { reservedIn, type BurstState } from '@ringfence/policy/burst';
import type { BurstDecision, BurstDecisionStatement } from '@ringfence/protocol/statements';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import type { OpenPool } from './open-pool.ts';

/** What decided: the state after the step, the look at the queue where there was one, and when. */
export interface Because {
  readonly state: BurstState;
  readonly queue?: NonNullable<BurstDecisionStatement['queue']>;
  readonly now: EpochMs;
}

/** Signs one decision with what decided it, keeps it, and writes it into the organisation's ledger. `seq` is one above the decision before. */
export async function signDecision(
  { identity, record }: Pick<ControlPlaneContext, 'identity' | 'record'>,
  tx: Tx,
  pool: OpenPool,
  { seq, decision, because }: { readonly seq: number; readonly decision: BurstDecision; readonly because: Because },
): Promise<Envelope> {
  const { org, row, terms } = pool;
  const { state, queue, now } = because;
  const { microUnits, currency } = terms.budget;
  const { period, spent } = state.ledger;
  const body: BurstDecisionStatement = {
    v: 1,
    org,
    controlPlane: identity.id,
    seq,
    decision,
    poolDigest: row.digest,
    ...state.row,
    ...(queue === undefined ? {} : { queue }),
    budget: { period, spent, reserved: reservedIn(state.ledger), microUnits, currency },
    away: state.away.length,
    at: now,
  };
  const statement = signEnvelope('application/vnd.ringfence.burst-decision.v1+json', body, [identity.leases]);
  await tx
    .insertInto('burst_decision')
    .values({ org, seq, statement: JSON.stringify(statement) })
    .execute();
  const { type, ...of } = decision;
  await record(tx, org, {
    type: 'burst-decided',
    seq,
    decision: type,
    ...('offer' in of ? { offer: of.offer } : {}),
    ...('job' in of ? { job: of.job, attempt: of.attempt } : {}),
    decisionDigest: statementDigest(statement),
  });
  return statement;
}
