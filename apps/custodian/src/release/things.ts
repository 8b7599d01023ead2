import type { JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { isGated } from '@ringfence/policy/release';
import type { OpeningKind } from '@ringfence/protocol/statements';
import type { FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { sensitivityOf } from './job-label.ts';
import type { GatedThing } from './open-gate.ts';
import { sourceOfDataset, sourcesOfJob } from './sources.ts';

/** What of a version has to be known. */
type Version = Pick<FoundVersion, 'artifact' | 'kind' | 'job' | 'sensitivity' | 'bytes'> & {
  readonly pack?: { readonly manifest: Digest } | undefined;
};

/** A version of an artifact as the gate sees it; undefined where its label asks for no release. */
export async function versionThing(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { artifact, kind, job, sensitivity, bytes, pack }: Version,
): Promise<GatedThing | undefined> {
  if (!isGated(sensitivity)) return undefined;
  const common = { kinds: ['artifact'], named: 'artifact', digest: pack?.manifest, bytes } as const;
  if (kind === 'dataset' || job === null)
    return { ...common, job: undefined, sources: [await sourceOfDataset(context, tx, claimed, artifact)] };
  return { ...common, job, sources: await sourcesOfJob(context, tx, claimed, job) };
}

/** The sealed log of an attempt, in which its metrics are. */
export async function sealedLogThing(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, attempt, manifest, bytes }: { job: JobId; attempt: number; manifest: Digest; bytes: number },
): Promise<GatedThing | undefined> {
  if (!isGated(await sensitivityOf(tx, job))) return undefined;
  const sources = await sourcesOfJob(context, tx, claimed, job);
  return { kinds: ['logs', 'metrics'], named: 'sealed-log', job, attempt, digest: manifest, bytes, sources };
}

/** What a running job gives out as it goes. */
export async function streamThing(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, attempt, kind }: { job: JobId; attempt?: number; kind: OpeningKind },
): Promise<GatedThing | undefined> {
  if (!isGated(await sensitivityOf(tx, job))) return undefined;
  return { kinds: [kind], named: kind, job, attempt, sources: await sourcesOfJob(context, tx, claimed, job) };
}
