import type { JobId } from '@ringfence/base';
import { isGated } from '@ringfence/policy/release';
import type { Sensitivity } from '@ringfence/protocol';

/** How an artifact that a job made is fetched; on confidential or restricted data only once its owners let it be. */
export function artifactStep({ name, version }: { name: string; version: number }, sensitivity: Sensitivity): string {
  const get = `ringfence artifact get ${name} --out DIR`;
  if (!isGated(sensitivity)) return get;
  return `made of ${sensitivity} data: ringfence release request ${name} --version ${version} --purpose PURPOSE, and once it is released ${get}`;
}

/** How the log of an attempt that is not shown is asked for, which can be done once it is sealed. */
export function logStep({ job, attempt }: { job: JobId; attempt: number }): string {
  return `when the attempt is over, ask for what it sealed: \`ringfence release request --logs ${job} --attempt ${attempt} --purpose PURPOSE\``;
}
