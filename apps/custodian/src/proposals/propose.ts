import { newId, type DeviceId } from '@ringfence/base';
import { statementDigest } from '@ringfence/crypto/sign';
import { extendKeyring } from '@ringfence/keyring';
import { propose, stepProposal, type Actor, type ProposalEvent, type ProposalStep } from '@ringfence/policy/assurance';
import { assertSure } from '../access/assert-sure.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { changeKeyring } from '../keyring/change-keyring.ts';
import { assertPolicy, setPolicy } from '../rules/organisation-policy.ts';
import { assertRaise, keepRaise } from '../privacy-ledger/raise-budget.ts';
import type { Tx } from '../store/open-store.ts';
import { carryOut } from './carry-out.ts';
import {
  insertProposal,
  openProposalOf,
  proposalRow,
  recordTold,
  storeState,
  type KeptProposal,
} from './proposal-rows.ts';
import { proposalContext, requirementOf, type Proposable } from './proposal-terms.ts';

/**
 * Carries a statement out that `device` hands in, or keeps it as a proposal where it takes two people and an officer has enrolled a factor.
 * The same statement handed in by another officer agrees to it. Throws CustodianError `step-up`, `proposed`, `not-authorised`, and what
 * carrying it out throws.
 */
export async function takeStatement(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { device, ...what }: Proposable & { readonly device: DeviceId },
): Promise<void> {
  const requirement = requirementOf(context, claimed, what);
  assertSure(context.access, device, { requirement, now: context.clock.now() });
  if (requirement.people === 1 || context.access.mode === 'device-only') {
    if (what.kind === 'policy') await setPolicy(context, claimed, what.statement, device);
    else if (what.kind === 'privacy-budget')
      await context.store.withOrg(claimed.org, (tx) =>
        keepRaise(context, tx, claimed, { envelope: what.statement, device }),
      );
    else await changeKeyring(context, claimed, ({ append }) => append(what.statement));
    return;
  }
  assertGood(context, claimed, what);
  const kept = await context.store.withOrg(claimed.org, (tx) => keep(context, tx, claimed, { ...what, device }));
  await finish(context, claimed, kept);
}

/** An officer agrees to a proposal, after looking at what it says. Throws CustodianError `not-found`, `step-up`, `proposed`, `conflict`. */
export async function approveProposal(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { id, digest, device }: { readonly id: string; readonly digest: string; readonly device: DeviceId },
): Promise<void> {
  const kept = await context.store.withOrg(claimed.org, async (tx) => {
    const row = await proposalRow(context, tx, id);
    assertSure(context.access, device, {
      requirement: requirementOf(context, claimed, row),
      now: context.clock.now(),
    });
    const event = { type: 'approved', by: actor(context, device), digest } as const;
    return step(context, tx, claimed, { kept: row, event });
  });
  await finish(context, claimed, kept);
}

/** An officer or owner says no: it takes no step-up. Throws CustodianError `not-found`, `not-authorised`, `conflict`. */
export async function objectTo(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { id, device }: { readonly id: string; readonly device: DeviceId },
): Promise<void> {
  const { keyring, org } = claimed;
  const owner = keyring.rolesOf(device).some(({ role, project }) => role === 'owner' && project === undefined);
  await context.store.withOrg(org, async (tx) => {
    const row = await proposalRow(context, tx, id);
    const event = { type: 'objected', owner, by: actor(context, device) } as const;
    await step(context, tx, claimed, { kept: row, event });
  });
}

/** One step of the machine, stored with what everybody is told of it. */
export async function step(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { kept, event }: { readonly kept: KeptProposal; readonly event: ProposalEvent },
): Promise<KeptProposal> {
  const stepped = stepProposal(
    kept.state,
    event,
    proposalContext(context, claimed, requirementOf(context, claimed, kept)),
  );
  if (!stepped.allow) throw refused(stepped.reasons[0]);
  return store(context, tx, claimed, { kept, ...stepped });
}

async function keep(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { kind, statement, device }: Proposable & { readonly device: DeviceId },
): Promise<KeptProposal> {
  const digest = statementDigest(statement);
  const by = actor(context, device);
  const known = await openProposalOf(context, tx, digest);
  if (known !== undefined) return step(context, tx, claimed, { kept: known, event: { type: 'approved', by, digest } });
  const requirement = requirementOf(context, claimed, { kind, statement });
  const proposed = propose(by, digest, proposalContext(context, claimed, requirement));
  if (!proposed.allow) throw refused(proposed.reasons[0]);
  const row: KeptProposal = {
    proposal: newId('proposal', context.rng),
    kind,
    digest,
    device,
    statement,
    state: proposed.state,
    open: true,
    outcome: null,
    term: 1,
    made_at: context.clock.now(),
  };
  const inserted = await insertProposal(context, tx, claimed.org, row);
  if (inserted === undefined)
    throw new CustodianError('conflict', 'the same was proposed at the same moment', { next: 'hand it in again' });
  await recordTold(context, tx, claimed.org, { kept: inserted, commands: proposed.commands });
  return inserted;
}

async function store(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { kept, state, commands }: ProposalStep & { readonly kept: KeptProposal },
): Promise<KeptProposal> {
  const next = await storeState(tx, kept, { state });
  await recordTold(context, tx, claimed.org, { kept: next, commands });
  return next;
}

/** Carries out what is ready, and says of what is not what it waits for. */
async function finish(context: CustodianContext, claimed: ClaimedOrganisation, kept: KeptProposal): Promise<void> {
  if (kept.state.phase === 'ready') return carryOut(context, claimed, kept);
  const waits = kept.state.phase === 'waiting';
  throw new CustodianError('proposed', `this takes two people: ${kept.proposal} is proposed`, {
    next: waits
      ? 'you are the only officer: it is carried out in a day unless somebody objects (`ringfence proposal ls`)'
      : `another officer looks at it and agrees: ringfence proposal approve ${kept.proposal}`,
  });
}

/** What would be refused when it is carried out is not proposed. Throws KeyringError, CustodianError `bad-statement`. */
function assertGood(context: CustodianContext, claimed: ClaimedOrganisation, { kind, statement }: Proposable): void {
  if (kind === 'policy') assertPolicy(context, claimed, statement);
  else if (kind === 'privacy-budget') assertRaise(context, claimed, statement);
  else extendKeyring(claimed.keyring, statement, context.clock.now());
}

function actor({ access, clock }: CustodianContext, device: DeviceId): Actor {
  return { device, member: access.memberOf(device), factors: access.factorsAt(device, clock.now()) };
}

function refused(reason: string | undefined): CustodianError {
  if (reason === 'over' || reason === 'not-ready')
    return new CustodianError('conflict', 'the proposal is over, or not ready', {
      next: 'see `ringfence proposal ls`',
    });
  if (reason === 'other-digest')
    return new CustodianError('conflict', 'the proposal is about something else', { next: 'look at it again' });
  return new CustodianError('not-authorised', 'this takes the word of an officer who is not locked out', {
    next: 'ask an officer: `ringfence device ls` names their devices',
  });
}
