import { FEDERATION_ROLES, type FederationRole } from '../payload/federation-role.ts';
import { NAME_WORDS, parseContractName, type ContractName } from './names.ts';
import { oneOf, record, text, type ReadBy } from './read.ts';

/** What a `federate` job takes part in. */
export interface FederationPart {
  /** Name of the contract at this organisation's custodian. */
  readonly contract: ContractName;
  readonly role: FederationRole;
}

/** Reads the `federation` section. */
export const federationFields = record(
  { contract: text(parseContractName, NAME_WORDS), role: oneOf(FEDERATION_ROLES) },
  ['contract'],
);

/** The section in the terms of the rest of the program; undefined without a contract. */
export function federationOf(values: ReadBy<typeof federationFields> | undefined): FederationPart | undefined {
  if (values?.contract === undefined) return undefined;
  return { contract: values.contract, role: values.role ?? 'client' };
}
