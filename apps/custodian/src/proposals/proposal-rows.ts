import type { OrgId, ProposalId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { Proposal, ProposalCommand } from '@ringfence/policy/assurance';
import type { Selectable } from 'kysely';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { AccessTables, ProposalTable } from '../store/access-tables.ts';
import type { Tx } from '../store/open-store.ts';
import { PROPOSED } from '../store/sealed-columns.ts';

/** A proposal as it is kept. */
export interface KeptProposal extends Omit<Selectable<ProposalTable>, 'statement_box' | 'org'> {
  readonly statement: Envelope;
}

const COLUMNS = [
  'proposal',
  'kind',
  'digest',
  'device',
  'statement_box',
  'state',
  'open',
  'outcome',
  'term',
  'made_at',
] as const satisfies readonly (keyof AccessTables['proposal'])[];

/** A proposal by its id. Throws CustodianError `not-found`. */
export async function proposalRow(context: CustodianContext, tx: Tx, id: string): Promise<KeptProposal> {
  const row = await tx
    .selectFrom('proposal')
    .select(COLUMNS)
    .where('proposal', '=', id as ProposalId)
    .executeTakeFirst();
  if (row !== undefined) return opened(context, row);
  throw new CustodianError('not-found', 'there is no such proposal', { next: 'see `ringfence proposal ls`' });
}

/** The open proposal of a statement. */
export async function openProposalOf(
  context: CustodianContext,
  tx: Tx,
  digest: Digest,
): Promise<KeptProposal | undefined> {
  const row = await tx
    .selectFrom('proposal')
    .select(COLUMNS)
    .where('digest', '=', digest)
    .where('open', '=', true)
    .executeTakeFirst();
  return row === undefined ? undefined : opened(context, row);
}

/** The newest proposals. */
export async function proposalRows(context: CustodianContext, tx: Tx, which: 'all' | 'open'): Promise<KeptProposal[]> {
  const rows = await tx
    .selectFrom('proposal')
    .select(COLUMNS)
    .$if(which === 'open', (query) => query.where('open', '=', true))
    .orderBy('made_at', 'desc')
    .limit(100)
    .execute();
  return rows.map((row) => opened(context, row));
}

/** Stores a new proposal; undefined when there is an open one of the same statement. */
export async function insertProposal(
  context: CustodianContext,
  tx: Tx,
  org: OrgId,
  { statement, ...row }: KeptProposal,
): Promise<KeptProposal | undefined> {
  const stored = await tx
    .insertInto('proposal')
    .values({
      ...row,
      org,
      state: JSON.stringify(row.state),
      statement_box: context.columns.seal(PROPOSED, row.proposal, statement),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('proposal')
    .executeTakeFirst();
  return stored === undefined ? undefined : { statement, ...row };
}

/** Stores the next state of a proposal that was read in its `term`. Throws CustodianError `conflict` when somebody was quicker. */
export async function storeState(
  tx: Tx,
  kept: KeptProposal,
  { state, outcome }: { readonly state: Proposal; readonly outcome?: KeptProposal['outcome'] },
): Promise<KeptProposal> {
  const term = kept.term + 1;
  const ended = state.phase === 'done' ? 'done' : state.phase === 'ended' ? (state.endedAs ?? 'failed') : null;
  const next = { state, term, outcome: outcome ?? ended, open: (outcome ?? ended) === null };
  const stored = await tx
    .updateTable('proposal')
    .set({ ...next, state: JSON.stringify(state) })
    .where('proposal', '=', kept.proposal)
    .where('term', '=', kept.term)
    .where('open', '=', true)
    .returning('proposal')
    .executeTakeFirst();
  if (stored !== undefined) return { ...kept, ...next };
  throw new CustodianError('conflict', 'the proposal has changed meanwhile', { next: 'look at it again' });
}

/** Writes down what everybody is told of a proposal. */
export async function recordTold(
  { record }: CustodianContext,
  tx: Tx,
  org: OrgId,
  { kept, commands }: { readonly kept: KeptProposal; readonly commands: readonly ProposalCommand[] },
): Promise<void> {
  for (const command of commands)
    if (command.type === 'tell')
      await record(tx, org, {
        type: 'proposal-changed',
        proposal: kept.proposal,
        digest: kept.digest,
        kind: kept.kind,
        what: command.what,
      });
}

function opened(
  { columns }: CustodianContext,
  { statement_box, ...row }: Omit<Selectable<ProposalTable>, 'org'>,
): KeptProposal {
  return { ...row, statement: columns.open(PROPOSED, row.proposal, statement_box) };
}
