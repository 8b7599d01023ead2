import type { OrgId, SiteId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { FederationRole } from '@ringfence/protocol/payload';
import {
  JobFileError,
  type ImageReference,
  type JobFile,
  type JobFileFields,
  type Problem,
  type Purpose,
  type PythonVersion,
} from '@ringfence/protocol/job-file';
import type { Contract, ContractCode } from '@ringfence/protocol/statements';
import type { Session } from '../session.ts';
import { heldContract } from './which-contract.ts';

/** A job of a federation as its contract makes it. */
export interface AgreedJob {
  /** With the code and the purpose that the contract names. */
  readonly file: JobFile;
  readonly federation: { readonly contract: Digest; readonly role: FederationRole };
  /** Of the agent that the contract names: the job can run nowhere else. */
  readonly site: SiteId;
  /** Whether files travel with it. */
  readonly bringsCode: boolean;
}

/**
 * A job of a federation under its contract, which the custodian has to hold; undefined for any other job. Throws JobFileError with every key that says something else than
 * the contract, CliError `not-found`, `check-failed`.
 */
export async function agreedJob(session: Session, file: JobFile): Promise<AgreedJob | undefined> {
  const { federation } = file;
  if (federation === undefined) return undefined;
  const { row, terms } = await heldContract(session, federation.contract);
  const { role } = federation;
  return { ...underContract(file, terms, session.profile.org), federation: { contract: row.contract, role } };
}

/** The job with what the contract of `terms` says of it. Throws JobFileError. */
export function underContract(
  file: JobFile,
  terms: Contract,
  org: OrgId,
): Pick<AgreedJob, 'file' | 'site' | 'bringsCode'> {
  const isAggregator = file.federation?.role === 'aggregator';
  const agent = isAggregator ? aggregatorOf(terms, org) : clientOf(file, terms, org);
  const code = isAggregator || terms.code.kind === 'embedded' ? undefined : terms.code;
  const problems = [
    ...('problem' in agent ? [agent.problem] : []),
    ...(file.purpose === undefined || file.purpose === terms.purpose
      ? []
      : [differs('purpose', `the contract's purpose is ${terms.purpose}`)]),
    ...(isAggregator ? [] : codeProblems(file, code)),
    ...(file.outputs.length === 0 || terms.outputs.some(({ recipients }) => recipients.includes(org))
      ? []
      : [differs('outputs', 'the contract names others as recipients of the model; leave it out')]),
  ];
  if (problems.length > 0 || 'problem' in agent) throw new JobFileError(problems);
  // The contract's words were parsed by the same patterns as a file's.
  const agreed = { ...file, ...codeOf(code), purpose: terms.purpose as Purpose };
  return { file: agreed, site: agent.site, bringsCode: code !== undefined };
}

type Named = { readonly site: SiteId } | { readonly problem: Problem };

function aggregatorOf({ aggregator }: Contract, org: OrgId): Named {
  if (aggregator.org === org) return aggregator;
  return { problem: differs('federation.role', 'the contract names an agent of another organisation as aggregator') };
}

function clientOf({ mounts: [mount] }: JobFile, { clients }: Contract, org: OrgId): Named {
  const own = clients.filter((client) => client.org === org);
  const found = own.find(({ dataset }) => dataset.name === mount?.dataset);
  if (found !== undefined) return found;
  const names = own.map(({ dataset }) => dataset.name).join(', ');
  const told = names === '' ? 'the contract has no data of this organisation' : `the contract has ${names}`;
  return { problem: differs('mounts', told) };
}

/** What the file says of its code that the contract says otherwise, or has nothing of. */
function codeProblems(file: JobFile, code: Extract<ContractCode, { kind: 'own' }> | undefined): Problem[] {
  if (code === undefined) {
    const message = 'the trainer of this contract is Ringfence’s own; leave it out';
    return [
      ...(file.run === undefined ? [] : [differs('run', message)]),
      ...(file.setup === undefined ? [] : [differs('setup', message)]),
      ...(file.root.kind === 'site-default' ? [] : [differs(file.root.kind, message)]),
    ];
  }
  const message = 'the contract names another one; leave it out, or agree on a new contract';
  const { root } = file;
  const sameRoot =
    root.kind === 'site-default' ||
    (root.kind === 'image' ? root.reference === code.image : root.version === code.python);
  return [
    ...(file.run === undefined || file.run === code.run ? [] : [differs('run', message)]),
    ...(file.setup === undefined || file.setup === code.setup ? [] : [differs('setup', message)]),
    ...(sameRoot ? [] : [differs(root.kind, message)]),
  ];
}

function codeOf(
  code: Extract<ContractCode, { kind: 'own' }> | undefined,
): Pick<JobFileFields, 'run' | 'setup' | 'root'> {
  if (code === undefined) return { run: undefined, setup: undefined, root: { kind: 'site-default' } };
  const { run, setup, image, python } = code;
  if (image !== undefined) return { run, setup, root: { kind: 'image', reference: image as ImageReference } };
  if (python !== undefined) return { run, setup, root: { kind: 'python', version: python as PythonVersion } };
  return { run, setup, root: { kind: 'site-default' } };
}

function differs(path: string, message: string): Problem {
  return { path, code: 'contradiction', message };
}
