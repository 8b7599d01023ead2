import type { DeviceId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { KeyringError, judgeContract, mergeContractFiles, readContract, type ContractFault } from '@ringfence/keyring';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { ContractAnswer } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import { findVersionOf } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { ownersOfDataset } from '../release/dataset-owners.ts';
import type { Tx } from '../store/open-store.ts';
import { insertContract, keptContract, replaceContract } from './contract-rows.ts';
import { contractRowOf } from './contract-standing.ts';

/** Faults that do not keep a contract from being kept: signatures may still come. */
const MAY_COME: ReadonlySet<string> = new Set(['signature-missing', 'owner-signature-missing']);

/**
 * Keeps a contract that a device of this organisation has signed and that tells the truth about its data, or another copy of it with more signatures. Throws
 * CustodianError `bad-statement`, `conflict`.
 */
export async function keepContract(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { file: given, device }: { file: ContractFile; device: DeviceId },
): Promise<ContractAnswer> {
  const { org } = claimed;
  const { claimed: terms, digest: contract } = orBadStatement(() => readContract(given));
  return context.store.withOrg(org, async (tx) => {
    const isNew = (await keptContract(context, tx, contract)) === undefined;
    const first = isNew ? await keepFirst(context, tx, claimed, { contract, file: given, terms }) : undefined;
    const before = first === undefined ? await keptContract(context, tx, contract, 'lock') : undefined;
    const file = before === undefined ? given : orBadStatement(() => mergeContractFiles(before.file, given));
    const isFuller = before !== undefined && isFullerThan(file, before.file);
    const signed = isFuller ? requireSound(context, claimed, file) : first;
    if (isFuller) await replaceContract(context, tx, { contract, file });
    const parties = terms.parties.length;
    if (signed !== undefined)
      await context.record(tx, org, { type: 'contract-kept', contract, signed, parties, device });
    const kept = { contract, file, withdrawals: before?.withdrawals ?? [] };
    return { row: contractRowOf(context, claimed, kept), file };
  });
}

/** How many parties have signed the first copy of a contract; undefined when another copy came first. */
async function keepFirst(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { contract, file, terms }: { contract: Digest; file: ContractFile; terms: Contract },
): Promise<number | undefined> {
  const signed = requireSound(context, claimed, file);
  await requireTruth(context, tx, claimed, terms);
  return (await insertContract(context, tx, claimed.org, { contract, file })) ? signed : undefined;
}

/** Whether the file has a signature or a keyring's statement that the other lacks. */
function isFullerThan(file: ContractFile, other: ContractFile): boolean {
  const size = ({ contract, keyrings }: ContractFile): number =>
    keyrings.reduce((sum, { statements }) => sum + statements.length, contract.signatures.length);
  return size(file) > size(other);
}

/** How many parties have signed a contract against which nothing else is. */
function requireSound({ clock }: CustodianContext, { org, keyring }: ClaimedOrganisation, file: ContractFile): number {
  const now = clock.now();
  const { decision, standings } = judgeContract(file, { keyring, now });
  const faults = decision.allow ? [] : decision.reasons.filter(({ code }) => !MAY_COME.has(code));
  if (faults.length > 0)
    throw new CustodianError('bad-statement', `the contract does not hold: ${named(faults)}`, {
      next: 'see `ringfence contract verify`, and docs/federation.md for what each word means',
    });
  if (standings.some(({ party, signers }) => party.org === org && signers.length > 0))
    return standings.filter((standing) => standing.faults.length === 0).length;
  throw new CustodianError('bad-statement', 'no device of this organisation has signed the contract', {
    next: 'ringfence contract sign FILE',
  });
}

/** What the contract says of this organisation's data has to be so. */
async function requireTruth(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { clients }: Contract,
): Promise<void> {
  for (const { org, dataset } of clients) {
    if (org !== claimed.org) continue;
    const { artifact, version } = dataset;
    const found = await findVersionOf(context, tx, claimed, { artifact, version, unexpired: true });
    const manifest = found?.pack?.manifest ?? found?.place?.manifest;
    const holds =
      found?.kind === 'dataset' &&
      found.name === dataset.name &&
      found.sensitivity === dataset.sensitivity &&
      manifest === dataset.manifest;
    if (!holds)
      throw new CustodianError('conflict', 'a dataset of this organisation is not as the contract says', {
        next: 'make a new offer: `ringfence contract offer`',
      });
    if (!(await ownersOfDataset(context, tx, claimed, artifact)).includes(dataset.owner))
      throw new CustodianError('conflict', 'a dataset of this organisation has another owner than the contract says', {
        next: 'make a new offer: `ringfence contract offer`',
      });
  }
}

/** The contract of this digest as members see it. Throws CustodianError `not-found`. */
export async function readKept(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  contract: Digest | undefined,
): Promise<ContractAnswer> {
  const kept =
    contract === undefined
      ? undefined
      : await context.store.withOrg(claimed.org, (tx) => keptContract(context, tx, contract), { readOnly: true });
  if (kept !== undefined) return { row: contractRowOf(context, claimed, kept), file: kept.file };
  throw new CustodianError('not-found', 'there is no such contract here', { next: 'see `ringfence contract ls`' });
}

function named(faults: readonly ContractFault[]): string {
  return [...new Set(faults.map(({ code }) => code))].join(', ');
}

function orBadStatement<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CustodianError('bad-statement', 'the contract cannot be read, or is not one with what is kept here', {
      cause,
      next: 'see `ringfence contract verify`',
    });
  }
}
