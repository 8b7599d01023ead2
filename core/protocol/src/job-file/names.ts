import type { Brand } from '@ringfence/base';
import { payloadName, variableName } from '../payload/workload.ts';

/** The name of a job, at most 63 letters, digits, `-`, `_`, `.`; payload. */
export type JobName = Brand<string, 'JobName'>;
/** The name of a dataset in the custodian's catalogue; payload. */
export type DatasetName = Brand<string, 'DatasetName'>;
/** The name that an output is kept under; payload. */
export type ArtifactName = Brand<string, 'ArtifactName'>;
/** The name of an environment variable. */
export type VariableName = Brand<string, 'VariableName'>;
/** A word for a purpose of use, such as `research`. */
export type Purpose = Brand<string, 'Purpose'>;
/** The name of an officer-signed set of requirements. */
export type ProfileName = Brand<string, 'ProfileName'>;
/** What an organisation calls a contract; payload. */
export type ContractName = Brand<string, 'ContractName'>;
/** A minor version of Python such as `3.12`. */
export type PythonVersion = Brand<string, 'PythonVersion'>;

/** What the messages say a name is. */
export const NAME_WORDS = 'a name of up to 63 letters, digits, ".", "_" and "-"';

/** `text` as a job's name. */
export function parseJobName(text: string): JobName | undefined {
  return payloadName.safeParse(text).success ? (text as JobName) : undefined;
}

/** `text` as a dataset's name. */
export function parseDatasetName(text: string): DatasetName | undefined {
  return payloadName.safeParse(text).success ? (text as DatasetName) : undefined;
}

/** `text` as an artifact's name. */
export function parseArtifactName(text: string): ArtifactName | undefined {
  return payloadName.safeParse(text).success ? (text as ArtifactName) : undefined;
}

/** `text` as the name of an environment variable; `__proto__` is none. */
export function parseVariableName(text: string): VariableName | undefined {
  return text !== '__proto__' && variableName.safeParse(text).success ? (text as VariableName) : undefined;
}

/** `text` as a purpose, spelled as datasets spell theirs. */
export function parsePurpose(text: string): Purpose | undefined {
  return /^[a-z0-9-]{1,64}$/.test(text) ? (text as Purpose) : undefined;
}

/** `text` as a profile's name. */
export function parseProfileName(text: string): ProfileName | undefined {
  return payloadName.safeParse(text).success ? (text as ProfileName) : undefined;
}

/** `text` as a contract's name. */
export function parseContractName(text: string): ContractName | undefined {
  return payloadName.safeParse(text).success ? (text as ContractName) : undefined;
}

/** `text` as a version of Python. */
export function parsePythonVersion(text: string): PythonVersion | undefined {
  return /^3\.(?:\d|[1-9]\d)$/.test(text) ? (text as PythonVersion) : undefined;
}
