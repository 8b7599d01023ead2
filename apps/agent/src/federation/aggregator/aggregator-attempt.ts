import { errorFields, utf8 } from '@ringfence/base';
import { startingFact } from '../../attempt/attempt-facts.ts';
import type { AttemptWork } from '../../attempt/attempt-work.ts';
import type { LinkContext } from '../../link/link-context.ts';
import { SandboxError, type Running, type SandboxExit } from '../../sandbox/index.ts';
import { federationSumFact } from '../federation-facts.ts';
import type { GrantedFederation } from '../granted-federation.ts';
import { roundCalls } from '../round-leave.ts';
import { AggregatorRole } from './aggregator-role.ts';

/** An attempt of the aggregator: no process of a job, but like one it runs, is stopped, and ends. Journals the start first. */
export async function startAggregation(
  context: LinkContext,
  work: AttemptWork,
  { terms }: GrantedFederation,
): Promise<Running> {
  const { clock, rng, log, identity, federations, fault, record } = context;
  fault('start-before-journal');
  const say = (line: string): void => work.log?.write('out', utf8(`ringfence: ${line}\n`));
  const role = new AggregatorRole({
    terms,
    identity: identity.sign,
    desk: federations.desk,
    checkpoint: federations.checkpointOf(terms.digest),
    ...roundCalls(context, work, terms),
    summed: (round, transcript) => record(federationSumFact(terms.digest, round, transcript)),
    say,
    fault,
    clock,
    rng,
    log,
  });
  await record(startingFact(work.id));
  fault('start-after-journal');
  work.enter('running', { startedAt: clock.now() });
  return runningRole(context, work, { role, say });
}

/** The role as what a sandbox would be. */
function runningRole(
  { clock, log }: LinkContext,
  { id, payload }: AttemptWork,
  { role, say }: { role: AggregatorRole; say: (line: string) => void },
): Running {
  const begun = clock.monotonic();
  const stopping = new AbortController();
  let ended: SandboxExit['ended'] = 'stopped';
  const cancel = clock.after(payload?.workload.maxDurationMs ?? Number.MAX_SAFE_INTEGER, () => {
    ended = 'timed-out';
    stopping.abort();
  });
  const run = async (): Promise<SandboxExit> => {
    try {
      const end = await role.run(stopping.signal);
      if (end === 'aborted') return exitOf(ended, null);
      say(`the federation is over: ${end}`);
      return exitOf('exited', end === 'finished' ? 0 : 1);
    } catch (error) {
      log.error('federation.failed', { ...id, ...errorFields(error) });
      say('the aggregator failed');
      return exitOf('exited', 1);
    } finally {
      cancel();
    }
  };
  const exitOf = (how: SandboxExit['ended'], code: number | null): SandboxExit => {
    const wallMs = clock.monotonic() - begun;
    return { ended: how, code, signal: null, oom: null, peakMemoryBytes: null, cpuMs: null, wallMs };
  };
  const exited = run();
  return {
    id: `${id.job}-${id.attempt}`,
    pid: process.pid,
    ...NO_PROCESS,
    stop: () => {
      stopping.abort();
      return exited;
    },
    exited,
  };
}

const NO_PROCESS: Pick<Running, 'processes' | 'init' | 'join' | 'killed' | 'usage' | 'now' | 'connectInbound'> = {
  processes: () => [],
  init: () => null,
  join: () => {},
  killed: () => false,
  usage: () => null,
  now: () => ({ cpuMs: 0, memoryBytes: 0, processes: 0 }),
  connectInbound: () => Promise.reject(new SandboxError('no-inbound', 'an aggregator has no service')),
};
