import type { AttemptWork } from '../attempt/attempt-work.ts';
import type { LinkContext } from '../link/link-context.ts';
import type { Running, SandboxExit } from '../sandbox/index.ts';

/** What SIGTERM gets of a grace, at most; the rest is for requests under way. */
const TERM_MS = 5_000;

/** An attempt of a `serve` job has started: from now on it is probed, and gone when its last process is. */
export function beginReplica({ replicas }: LinkContext, work: AttemptWork, running: Running): void {
  const { payload, admission } = work;
  const service = payload?.workload.service;
  if (service === undefined || admission === undefined) return;
  const { sensitivity } = admission.label.body;
  const replica = replicas.begin({ id: work.id, service, sensitivity, connect: running.connectInbound });
  work.replica = replica;
  const end = (): void => replicas.end(replica);
  running.exited.then(end, end);
}

/** Stops an attempt within `graceMs`: a replica's requests finish first, then SIGTERM. Calling it again only ever shortens the wait. */
export async function stopAfterDrain(work: AttemptWork, running: Running, graceMs: number): Promise<SandboxExit> {
  // At once, not a turn later: the lease may be about to end.
  if (work.replica === undefined) return running.stop(graceMs);
  const forTerm = Math.min(TERM_MS, graceMs / 4);
  await work.replica.drain(graceMs - forTerm);
  return running.stop(forTerm);
}
