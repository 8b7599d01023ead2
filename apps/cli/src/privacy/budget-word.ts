import { epochMs } from '@ringfence/base';
import { signStatement } from '@ringfence/keyring';
import type { PrivacyRow } from '@ringfence/protocol/payload';
import type { PrivacyBudgetStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, type CommandContext, type Flags } from '../command.ts';
import { namingDatasets } from '../job/naming-datasets.ts';
import { addSignature } from '../marketplace/add-signature.ts';
import { giveStatement, readStatementFile } from '../marketplace/statement-file.ts';
import type { Session } from '../session.ts';
import { showAccounts } from './privacy-lines.ts';

/** What is to be said of a budget, beside what counts now. */
export type BudgetWord = Partial<Pick<PrivacyBudgetStatement, 'unit' | 'epsilon' | 'delta' | 'settled'>>;

/** Signs a word about the budget of a dataset with this device, and hands it in, or writes it into `--out` for another officer. Throws CliError. */
export async function giveWord(
  context: CommandContext,
  session: Session,
  { row, word, flags }: { row: PrivacyRow; word: BudgetWord; flags: Flags },
): Promise<void> {
  const { profile, keys, custodian } = session;
  if (row.budget === null)
    throw new CliError('not-found', 'the dataset has no budget yet', { next: 'set one: `ringfence dp budget`' });
  const { unit, epsilon, delta, at } = row.budget;
  const before = { unit, epsilon, delta };
  const body: PrivacyBudgetStatement = {
    v: 1,
    org: profile.org,
    artifact: row.artifact,
    device: profile.device,
    before,
    ...before,
    ...word,
    at: epochMs(Math.max(context.clock.now(), at + 1)),
  };
  const sign = () => signStatement('privacy-budget', body, [keys.sign]);
  if (text(flags, 'out') !== undefined) return giveStatement(context, flags, sign);
  showAccounts(context.terminal, await custodian.privacy.raiseBudget(sign()));
}

/** Signs with this device what the owner of a dataset signed into a file, and hands it in. Throws CliError `bad-file`. */
export async function giveSignedWord(context: CommandContext, session: Session, path: string): Promise<void> {
  const envelope = addSignature('privacy-budget', readStatementFile('privacy-budget', path), session.keys.sign);
  if (envelope === undefined)
    throw new CliError('bad-file', `${path} is not as its owner’s command wrote it`, { next: 'take that file' });
  showAccounts(context.terminal, await session.custodian.privacy.raiseBudget(envelope));
}

/** The account of the dataset called `name`, or of each dataset that has one. Throws CliError `not-found` for a name of none. */
export async function accounts(session: Session, name?: string): Promise<readonly PrivacyRow[]> {
  return session.custodian.privacy.status(name).catch(async (refusal: unknown) => {
    throw await namingDatasets(session, name === undefined ? [] : [name], refusal);
  });
}

/** The account of the dataset called `name`. Throws CliError `not-found`. */
export async function accountNamed(session: Session, name: string): Promise<PrivacyRow> {
  const [row] = await accounts(session, name);
  if (row !== undefined) return row;
  throw new CliError('not-found', 'the dataset has no account', { next: 'see `ringfence dp status`' });
}
