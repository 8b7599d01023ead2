import type { OrgId } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { ContractFaultCode, PartyStanding } from '@ringfence/keyring';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { ContractRow } from '@ringfence/protocol/payload';
import { momentText } from '../placement/moment-text.ts';

/** What each fault says to the people who have to mend it. */
const IN_WORDS: Readonly<Record<ContractFaultCode | 'withdrawn', string>> = {
  'party-twice': 'a party, its root or its name, stands in it twice',
  'party-unknown': 'an agent or a party has no part in it, or is of none',
  'agent-twice': 'an agent, or one of its keys, stands in it twice: the aggregator is an agent of its own',
  'dataset-twice': 'a dataset stands in it twice',
  'too-few-organisations': 'fewer organisations than its least have data in it, the aggregator’s not counted',
  colluders:
    'more clients are of the aggregator’s organisation than it assumes to collude: raise secure_aggregation.corrupt',
  'recipient-unknown': 'a recipient of the model is no party',
  'aggregator-route': 'it says no way to the aggregator',
  'honest-minimum': 'more clients have to add noise than there are',
  'noise-without-budget': 'noise without a budget promises nothing',
  'budget-without-noise': 'a budget without noise cannot be kept',
  'grade-of-own-code': 'own code cannot be held to a privacy unit smaller than the organisation: its grade is declared',
  'sample-rate': 'of whole organisations no sample is taken',
  'organisation-twice': 'the noise hides one client of an organisation, and one has several',
  'evaluation-with-noise': 'evaluations are summed without noise and would tell what the noise hides',
  'held-out': 'the trainer is told which part of the rows to hold out, own code parts them itself',
  'robustness-with-noise': 'where noise is, updates are clipped already',
  'model-shape': 'the model has other inputs or classes than the data',
  'columns-missing': 'a dataset lacks columns',
  'post-dated': 'it is dated ahead',
  expired: 'it has ended',
  'not-a-party': 'this organisation is no party',
  'not-a-peer': 'is no peer of this organisation: ringfence peer add',
  'keyring-missing': 'its keyring is not in the file',
  'keyring-broken': 'its keyring in the file is no keyring of it',
  'keyring-short': 'its keyring in the file is older than the contract',
  'root-differs': 'has another root than was compared',
  'signature-missing': 'has not signed',
  'owner-signature-missing': 'the owner of its data has not signed',
  'agent-not-member': 'an agent is not in its keyring',
  'agent-keys': 'an agent has other keys in its keyring',
  'agent-site': 'an agent is of another site in its keyring',
  'agent-admission-ended': 'the papers of an agent have ended',
  'aggregator-not-an-agent': 'a custodian cannot be the aggregator',
  withdrawn: 'has withdrawn',
};

/** The name by which a contract file's contract is known everywhere. */
export function digestOf({ contract }: ContractFile): string {
  return sha256Hex(Buffer.from(contract.payload, 'base64'));
}

/** Faults for people, each once. */
export function faultLines(
  faults: readonly { readonly code: string; readonly org?: OrgId | undefined }[],
  names: ReadonlyMap<string, string>,
): string[] {
  const lines = faults.map(({ code, org }) => {
    const words = isKnown(code) ? IN_WORDS[code] : code;
    return org === undefined ? `${words} (${code})` : `${names.get(org) ?? org}: ${words} (${code})`;
  });
  return [...new Set(lines)];
}

/** A custodian of a later release may name others. */
function isKnown(code: string): code is keyof typeof IN_WORDS {
  return Object.hasOwn(IN_WORDS, code);
}

/** A row of the custodian for people. */
export function rowLines(row: ContractRow): string[] {
  const names = new Map<string, string>(row.parties.map(({ org, name }) => [org, name]));
  return [
    `${row.name}  ${row.state}  ${row.contract}`,
    ...row.parties.map(
      ({ name, org, signers }) => `  ${name} (${org}): ${signers.length === 0 ? 'not signed' : 'signed'}`,
    ),
    ...faultLines(row.faults, names).map((line) => `  ! ${line}`),
    `  ends ${momentText(row.notAfter)}`,
  ];
}

/** Where each party stands, for people. */
export function standingLines(standings: readonly PartyStanding[]): string[] {
  return standings.map(({ party, signers }) => {
    const signed = signers.length === 0 ? 'not signed' : `signed by ${signers.join(', ')}`;
    return `  ${party.name} (${party.org}): ${signed}`;
  });
}
