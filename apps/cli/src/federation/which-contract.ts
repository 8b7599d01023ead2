import { parseDigest, type Digest } from '@ringfence/crypto/sign';
import { KeyringError, readContract } from '@ringfence/keyring';
import type { ContractRow } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Session } from '../session.ts';

/** A contract at this organisation's custodian, and what it says. */
export interface NamedContract {
  readonly row: ContractRow;
  readonly terms: Contract;
}

/** Digests are known by so many letters and more. */
const SHORTEST_DIGEST = 8;

/**
 * The one contract that `word` can mean, see {@link meantBy}. Throws CliError `not-found`, `usage` where it can mean several, and `not-trusted` where the custodian gives another one
 * than it names.
 */
export async function whichContract({ custodian }: Session, word: string): Promise<NamedContract> {
  const row = meantBy(word, await custodian.contracts.list());
  return { row, terms: termsOf((await custodian.contracts.get(row.contract)).file, row.contract) };
}

/**
 * The row with the name `word`, or whose digest is it or begins with it: the only one that holds, or else the only one, for a command must not pause, stop or leave another contract than was
 * meant. Throws CliError `not-found`, and `usage` with the digests where there are several.
 */
export function meantBy<Row extends Pick<ContractRow, 'contract' | 'name' | 'state'>>(
  word: string,
  all: readonly Row[],
): Row {
  const whole = all.find(({ contract }) => contract === word);
  if (whole !== undefined) return whole;
  const called = all.filter((row) => isCalled(word, row));
  const held = called.filter(({ state }) => state === 'held');
  const [row, ...others] = held.length > 0 && called.every(({ name }) => name === word) ? held : called;
  if (row === undefined)
    throw new CliError('not-found', `the custodian keeps no contract called ${word}`, {
      next: didYouMean(
        word,
        all.map(({ name }) => name),
        'see `ringfence contract ls`; `ringfence contract sign FILE` keeps one',
      ),
    });
  if (others.length === 0) return row;
  const digests = [row, ...others].map(({ contract, state }) => `${contract} (${state})`);
  throw new CliError('usage', 'several contracts are called so', {
    next: `say one by its digest: ${digests.join(', ')}`,
  });
}

/** The contract called `word`, as one that holds now. Throws also CliError `check-failed` with what is missing. */
export async function heldContract(session: Session, word: string): Promise<NamedContract> {
  const found = await whichContract(session, word);
  const { state, faults, parties } = found.row;
  if (state === 'held') return found;
  const names = new Map(parties.map(({ org, name }) => [org, name]));
  const told = faults.map(({ code, org }) => (org === undefined ? code : `${code} (${names.get(org) ?? org})`));
  throw new CliError('check-failed', `the contract does not hold: it is ${state}; ${[...new Set(told)].join(', ')}`, {
    next:
      state === 'incomplete'
        ? 'get the file with the signatures that are missing, then `ringfence contract sign FILE` keeps them here'
        : '`ringfence contract verify` says more; a new contract needs new signatures',
  });
}

function isCalled(word: string, { contract, name }: Pick<ContractRow, 'contract' | 'name'>): boolean {
  return name === word || (word.length >= SHORTEST_DIGEST && contract.startsWith(word));
}

/** What was signed is named by its digest, whatever the custodian says of it. */
function termsOf(file: Parameters<typeof readContract>[0], contract: Digest): Contract {
  try {
    const read = readContract(file);
    if (read.digest === parseDigest(contract)) return read.claimed;
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error;
  }
  throw new CliError('not-trusted', 'the custodian gave another contract than it named', {
    next: 'ask an officer what `ringfence contract verify` says of the file',
  });
}
