import { FlError } from '@ringfence/fl/error';
import { checkContract, KeyringError, readContractFile, type HeldContract } from '@ringfence/keyring';
import type { FederationRole, GrantPayload, Workload } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import { refusedFor } from '../attempt/step-error.ts';
import type { LinkContext } from '../link/link-context.ts';
import { memberOf, termsOf, type FederationTerms } from './round/federation-terms.ts';

/** What an attempt of a `federate` job does, by a contract that this agent checked itself. */
export interface GrantedFederation {
  readonly terms: FederationTerms;
  readonly role: FederationRole;
  /** Of a client: its place in the contract's list. */
  readonly member: number | undefined;
}

/**
 * The federation of a granted attempt; undefined for a job of another type. The contract that came with the grant is judged by this agent's own copy of its
 * organisation's keyring: the custodian's word alone starts nothing. Throws AttemptEnd `payload-mismatch` with what is wrong.
 */
export function grantedFederation(
  context: Pick<LinkContext, 'keyring' | 'clock' | 'link' | 'identity'>,
  { workload, contract: file, mounts }: Omit<GrantPayload, 'secrets'>,
): GrantedFederation | undefined {
  const { federation } = workload;
  if (federation === undefined) {
    if (file !== undefined) throw refusedFor('payload-mismatch', ['contract-of-another-type']);
    return undefined;
  }
  if (file === undefined) throw refusedFor('payload-mismatch', ['contract-missing']);
  const held = heldBy(context, Buffer.from(file, 'base64'));
  const { body, digest } = held.contract;
  const terms = termsIn(held);
  const { link, identity } = context;
  const named = federation.role === 'aggregator' ? body.aggregator : memberOf(terms, link.agent)?.client;
  const isNamed =
    named !== undefined &&
    named.agent === link.agent &&
    named.org === link.org &&
    named.sign === identity.sign.publicKey &&
    named.tls === identity.link.key.publicKey;
  const member = federation.role === 'client' ? memberOf(terms, link.agent) : undefined;
  const dataset = member?.client.dataset;
  const [mount] = mounts;
  const faults = [
    ...(digest === federation.contract ? [] : ['other-contract']),
    ...(isNamed ? [] : ['agent-not-named']),
    ...(mounts.length === (member === undefined ? 0 : 1) ? [] : ['mounts']),
    ...(dataset?.artifact === mount?.artifact && dataset?.version === mount?.version ? [] : ['dataset']),
    ...codeFaults(workload, member === undefined ? undefined : body),
  ];
  if (faults.length > 0) throw refusedFor('payload-mismatch', faults);
  return { terms, role: federation.role, member: member?.member };
}

function heldBy({ keyring, clock }: Pick<LinkContext, 'keyring' | 'clock'>, bytes: Uint8Array): HeldContract {
  try {
    const decision = checkContract(readContractFile(bytes), { keyring: keyring.keyring, now: clock.now() });
    if (decision.allow) return decision;
    throw refusedFor(
      'payload-mismatch',
      decision.reasons.map(({ code }) => code),
    );
  } catch (error) {
    if (error instanceof KeyringError) throw refusedFor('payload-mismatch', ['contract-malformed'], error);
    throw error;
  }
}

function termsIn(held: HeldContract): FederationTerms {
  try {
    return termsOf(held);
  } catch (error) {
    if (error instanceof FlError) throw refusedFor('payload-mismatch', [error.code], error);
    throw error;
  }
}

/** What a job brings of code beside what was agreed: nothing at all where it is the aggregator's, or our trainer trains. */
function codeFaults(workload: Workload, contract: Contract | undefined): string[] {
  const { run, setup, image, python, code } = workload;
  const agreed = contract?.code.kind === 'own' ? contract.code : undefined;
  return [
    ...(run === agreed?.run ? [] : ['run']),
    ...(setup === agreed?.setup ? [] : ['setup']),
    ...(image === agreed?.image ? [] : ['image']),
    ...(python === agreed?.python ? [] : ['python']),
    ...((code === undefined) === (agreed === undefined) ? [] : ['code']),
  ];
}
