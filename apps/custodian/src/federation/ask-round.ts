import { epochMs, type AgentId, type ArtifactId, type EpochMs } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { debitedView, roundPrivacy } from '@ringfence/fl/contract-encoding';
import { mostSums, numberOf } from '@ringfence/protocol/federation';
import type { FederationRole, RoundAnswer, RoundRefusal, RoundRequest } from '@ringfence/protocol/payload';
import type { Contract, ContractClient } from '@ringfence/protocol/statements';
import { findVersionOf } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { heldContract, type ContractReason } from '../contracts/held-contract.ts';
import { keptContract } from '../contracts/contract-rows.ts';
import { inPrivacyLedger, type PrivacyLedger } from '../privacy-ledger/in-privacy-ledger.ts';
import type { RoundDebit } from '../privacy-ledger/debit-round.ts';
import type { Tx } from '../store/open-store.ts';
import { afterAborted } from './aborted-in-a-row.ts';
import { CLIENTS_OVERLAP, overlapsAnotherClient } from './overlapping-clients.ts';
import { pauseByItself, pauseOf } from './pause.ts';
import { insertRound, roundsOf, type RoundKey } from './round-rows.ts';
import { runningRole } from './running-role.ts';

/** A leave holds so long for joining the round, so a withdrawal stops the next one within this time. */
export const LEAVE_MS = 10_000;
/** More rounds than the contract has may be needed, since some are given up; so many times more and so many besides are not. */
const MOST_TIMES = 4;
const MOST_BESIDES = 64;
/** Of a client, rounds that nothing was heard of count as sums beyond so many, and beyond this part of the contract's: agents that end amid a round are few. */
const SPARE_SILENT = 8;
const SPARE_PART = 4;
/** Why nobody's pause holds a client up. */
const ABORTED_IN_A_ROW = 'aborted-in-a-row';

interface Asked extends RoundKey {
  readonly role: FederationRole;
}

/**
 * Decides whether an agent may join a round of a federation, by the contract as it stands now and what is left of the dataset's budget, which is debited before the answer. The same attempt asking
 * again gets leave anew, if the contract still holds, and nothing is debited twice; to another attempt the round is lost.
 */
export async function askRound(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { contract, agent, ...request }: RoundRequest & { readonly contract: Digest; readonly agent: AgentId },
): Promise<RoundAnswer> {
  return inPrivacyLedger(context, claimed, async (tx, ledger) => {
    const role = await runningRole(tx, claimed, { ...request, contract, agent });
    if (role === undefined) return refused('not-current');
    const asked = { ...request, contract, agent, role };
    const held = await heldContract(context, tx, claimed, contract);
    if (!held.allow) return notHeld(context, tx, contract, held.reasons);
    const answer = await decide(context, tx, claimed, { asked, terms: held.contract.body, ledger });
    if (answer.result === 'refused') return answer;
    const until = Math.min(context.clock.now() + LEAVE_MS, held.contract.body.notAfter);
    return { ...answer, notAfter: epochMs(until) };
  });
}

async function decide(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { asked, terms, ledger }: { asked: Asked; terms: Contract; ledger: PrivacyLedger },
): Promise<RoundAnswer & { readonly notAfter?: EpochMs }> {
  const { contract, agent, round, job, attempt, role } = asked;
  const paused = await pauseOf(tx, contract);
  if (paused !== undefined) return refused('paused', paused.device === null ? [ABORTED_IN_A_ROW] : []);
  const client = role === 'client' ? terms.clients.find((one) => one.agent === agent) : undefined;
  if (role === 'client' && !(await isThere(context, tx, claimed, client))) return refused('contract', ['dataset-gone']);
  if (client !== undefined && (await overlapsAnotherClient(tx, claimed, terms, client.dataset.artifact)))
    return refused('contract', [CLIENTS_OVERLAP]);
  const before = await roundsOf(tx, { contract, agent, round });
  if (before.same !== undefined) {
    const isMine = before.same.job === job && before.same.attempt === attempt;
    return isMine ? leave(round, context.clock.now()) : refused('round-over', ['another-attempt']);
  }
  if (round <= before.newest) return refused('round-over');
  const sums = mostSums(terms);
  const most = sums * MOST_TIMES + MOST_BESIDES;
  const spare = SPARE_SILENT + Math.ceil(sums / SPARE_PART);
  const silent = role === 'client' ? Math.max(0, before.silent - spare) : 0;
  if (before.summed + silent >= sums || before.given >= most) return refused('done');
  const next = client === undefined ? 'leave' : afterAborted(before.aborted, context.clock.now());
  if (next === 'stop') await pauseByItself(context, tx, claimed, contract);
  if (next !== 'leave') return refused('paused', [ABORTED_IN_A_ROW]);
  const reasons = client === undefined ? [] : await debit(ledger, terms, { asked, dataset: client.dataset.artifact });
  if (reasons.length > 0) return refused('budget', reasons);
  const at = context.clock.now();
  await insertRound(tx, claimed.org, { ...asked, at });
  await context.record(tx, claimed.org, { type: 'round-allowed', contract, round, job, attempt, agent });
  return leave(round, at);
}

/** Whether the data of a client is still here: what was erased or has expired is not trained on any more. */
async function isThere(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  client: ContractClient | undefined,
): Promise<boolean> {
  if (client === undefined) return false;
  const { artifact, version } = client.dataset;
  return (await findVersionOf(context, tx, claimed, { artifact, version, unexpired: true })) !== undefined;
}

/** Debits what the contract itself says that a round costs; no number of the agent's enters. */
async function debit(
  ledger: PrivacyLedger,
  terms: Contract,
  { asked, dataset }: { asked: Asked; dataset: ArtifactId },
): Promise<readonly string[]> {
  const { contract, round, job, attempt } = asked;
  const use = { dataset, contract, round, job, attempt };
  const wish = debitOf(terms);
  if (wish === undefined) {
    await ledger.recordRound(use);
    return [];
  }
  const decision = await ledger.debitRound({ ...use, ...wish });
  return decision.allow ? [] : decision.reasons;
}

/** What one round takes of a budget; undefined where nothing is noised. */
function debitOf(terms: Contract): Omit<RoundDebit, 'dataset' | 'contract' | 'round' | 'job' | 'attempt'> | undefined {
  const { unit, grade, against } = roundPrivacy(terms);
  if (against?.outsiders === undefined) return undefined;
  const { outsiders, member, others } = against;
  const { budget, noise } = terms.privacy;
  const debited = against[debitedView(terms.clients, noise?.honestMin ?? 1)];
  // Each client's own share is always there.
  if (debited === undefined) throw new TypeError('a round with noise has a price');
  return {
    unit,
    grade,
    events: [debited],
    views: {
      outsiders: [outsiders],
      ...(member === undefined ? {} : { member: [member] }),
      ...(others === undefined ? {} : { others: [others] }),
    },
    ...(budget === null
      ? {}
      : { most: { epsilon: numberOf(budget.epsilon), delta: numberOf(budget.delta), signedAt: terms.at } }),
  };
}

/** Its agent hands withdrawals on to the aggregator, which need not have heard of them. */
async function notHeld(
  context: CustodianContext,
  tx: Tx,
  contract: Digest,
  reasons: readonly ContractReason[],
): Promise<RoundAnswer> {
  const codes = [...new Set(reasons.map(({ code }) => code))];
  if (codes.includes('withdrawn')) {
    const kept = await keptContract(context, tx, contract);
    return { ...refused('withdrawn'), withdrawals: kept?.withdrawals.map(({ statement }) => statement) ?? [] };
  }
  return codes.includes('expired') ? refused('expired') : refused('contract', codes.slice(0, 32));
}

function leave(round: number, notAfter: number): Extract<RoundAnswer, { result: 'leave' }> {
  return { result: 'leave', round, notAfter: epochMs(notAfter) };
}

function refused(reason: RoundRefusal, checks: readonly string[] = []): Extract<RoundAnswer, { result: 'refused' }> {
  return { result: 'refused', reason, checks: [...checks] };
}
