import type { OrgId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { CONTRACT_FILE, CONTRACT_WITHDRAWAL } from '../store/sealed-columns.ts';

/** A contract as it is kept, and who left it. */
export interface KeptContract {
  readonly contract: Digest;
  readonly file: ContractFile;
  readonly withdrawals: readonly { readonly party: OrgId; readonly statement: Envelope }[];
}

/** The contract of this digest; `lock` keeps its file and withdrawals as they are until `tx` ends. */
export async function keptContract(
  context: CustodianContext,
  tx: Tx,
  contract: Digest,
  lock?: 'lock',
): Promise<KeptContract | undefined> {
  const row = await tx
    .selectFrom('contract')
    .select('file_box')
    .where('contract', '=', contract)
    .$if(lock !== undefined, (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
  return row === undefined ? undefined : opened(context, tx, { contract, file_box: row.file_box });
}

/** All contracts, the newest first. */
export async function keptContracts(context: CustodianContext, tx: Tx): Promise<KeptContract[]> {
  const rows = await tx.selectFrom('contract').selectAll().orderBy('at', 'desc').orderBy('contract').execute();
  const kept: KeptContract[] = [];
  for (const row of rows) kept.push(await opened(context, tx, row));
  return kept;
}

/** Keeps the first copy of a contract; false when another one came first. */
export async function insertContract(
  { columns, clock }: CustodianContext,
  tx: Tx,
  org: OrgId,
  { contract, file }: { contract: Digest; file: ContractFile },
): Promise<boolean> {
  const kept = await tx
    .insertInto('contract')
    .values({ org, contract, file_box: columns.seal(CONTRACT_FILE, contract, file), at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .returning('contract')
    .executeTakeFirst();
  return kept !== undefined;
}

/** Keeps a fuller copy of a contract in place of the one that was locked. */
export async function replaceContract(
  { columns }: CustodianContext,
  tx: Tx,
  { contract, file }: { contract: Digest; file: ContractFile },
): Promise<void> {
  const file_box = columns.seal(CONTRACT_FILE, contract, file);
  await tx.updateTable('contract').set({ file_box }).where('contract', '=', contract).executeTakeFirstOrThrow();
}

/** Keeps a party's withdrawal; false when there is one already. */
export async function writeWithdrawal(
  { columns, clock }: CustodianContext,
  tx: Tx,
  org: OrgId,
  { contract, party, statement }: { contract: Digest; party: OrgId; statement: Envelope },
): Promise<boolean> {
  const statement_box = columns.seal(CONTRACT_WITHDRAWAL, withdrawalRow(contract, party), statement);
  const kept = await tx
    .insertInto('contract_withdrawal')
    .values({ org, contract, party, statement_box, at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .returning('party')
    .executeTakeFirst();
  return kept !== undefined;
}

/** What the sealed columns of a withdrawal are bound to. */
function withdrawalRow(contract: Digest, party: OrgId): string {
  return `${contract}/${party}`;
}

async function opened(
  { columns }: CustodianContext,
  tx: Tx,
  { contract, file_box }: { contract: Digest; file_box: Uint8Array },
): Promise<KeptContract> {
  const rows = await tx
    .selectFrom('contract_withdrawal')
    .select(['party', 'statement_box'])
    .where('contract', '=', contract)
    .orderBy('at')
    .orderBy('party')
    .execute();
  const withdrawals = rows.map(({ party, statement_box }) => ({
    party,
    statement: columns.open(CONTRACT_WITHDRAWAL, withdrawalRow(contract, party), statement_box),
  }));
  return { contract, file: columns.open(CONTRACT_FILE, contract, file_box), withdrawals };
}
