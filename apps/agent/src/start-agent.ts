import { errorFields, type AgentId, type Clock, type Log, type Rng } from '@ringfence/base';
import { startAdminServer } from '@ringfence/client/admin-server';
import { AgentError } from './agent-error.ts';
import { pruneAttempts } from './attempt/attempt-folder.ts';
import type { RunConfig } from './config.ts';
import { rootsRefusal } from './data-in-place/data-folder.ts';
import type { Fault } from './fault-points.ts';
import { prometheusText } from './gateway/prometheus.ts';
import { sealKey } from './identity/seal-key.ts';
import { AgentLink } from './link/agent-link.ts';
import { readLinks, type JoinedLink } from './link/joined-link.ts';
import type { DroppedLog } from './logs/log-quota.ts';
import { attemptsToSeal } from './logs/log-to-seal.ts';
import { openMachine, type Machine } from './machine/machine.ts';
import { AgentMetrics } from './metrics.ts';

/** A running agent. */
export interface RunningAgent {
  /** Fields of the ready line. */
  readonly ready: { readonly agent: AgentId; readonly admin: string };
  close(): Promise<void>;
}

/** Jobs whose logs and endings are kept. */
const JOBS_KEPT = 500;
const PRUNE_EVERY_MS = 3_600_000;

/** Starts the agent: leftovers end first, then every link that was joined is taken up. Throws AgentError, SandboxError, ClientError. */
export async function startAgent(parts: {
  config: RunConfig;
  clock: Clock;
  rng: Rng;
  log: Log;
  fault: Fault;
  /** Called when a journal can be written no more: nothing may be started or told without it. */
  onJournalFailed?: (error: Error) => void;
}): Promise<RunningAgent> {
  const { config, clock, rng, log } = parts;
  const { state, reconnectWithin, stopWithin } = config;
  const joined = linksToServe(config);
  const [first] = joined;
  const key = sealKey(state, config.sealKeyFile, rng);
  const metrics = new AgentMetrics();
  const onLogDropped = ({ folder, bytes }: DroppedLog): void => {
    metrics.logDropped(bytes);
    log.info('log.dropped', { ...folder.id, bytes, reason: 'log-quota' });
  };
  const machine = await openMachine({ ...config, onLogDropped, clock, rng });
  reportMachine(machine, log);
  const links: AgentLink[] = [];
  const onState = (): void => metrics.links(links.filter((link) => link.state === 'up').length);
  for (const link of joined)
    links.push(
      new AgentLink({
        ...parts,
        state,
        link,
        key,
        machine,
        metrics,
        reconnectWithin,
        stopWithin,
        retention: config.retention,
        onState,
        gateway: config.gateway,
      }),
    );
  const stopPruning = repeat(clock, PRUNE_EVERY_MS, () => dropOldAttempts(machine, links, log));
  await Promise.all(links.map((link) => link.start()));
  const admin = await startAdminServer({
    ...config.admin,
    notReady: () => (links.some((link) => link.state === 'up') ? undefined : 'no control link is up'),
    metrics: async () => {
      const { contentType, body } = await metrics.text();
      return { contentType, body: body + prometheusText(links.flatMap((link) => link.endpointCounts)) };
    },
  });
  return {
    ready: { agent: first.agent, admin: admin.url },
    async close() {
      stopPruning();
      await Promise.all(links.map((link) => link.stop()));
      await admin.close();
    },
  };
}

/** Drops what is kept of the oldest jobs, but for those of which somebody has still to be told or given something. */
function dropOldAttempts({ state, logQuota }: Machine, links: readonly AgentLink[], log: Log): void {
  try {
    const unsealed = attemptsToSeal(state).map(({ id }) => id.job);
    pruneAttempts(state, JOBS_KEPT, new Set([...unsealed, ...links.flatMap((link) => [...link.jobs])]));
    logQuota.forgetRemoved();
  } catch (error) {
    log.error('attempts.not-pruned', errorFields(error));
  }
}

/** What was joined, one at least; throws AgentError `not-joined`, `bad-config`. */
function linksToServe({ state, gateway, dataRoots }: RunConfig): readonly [JoinedLink, ...JoinedLink[]] {
  const [first, ...others] = readLinks(state);
  if (first === undefined)
    throw new AgentError('not-joined', `${state} has not joined an organisation`, {
      next: `run: ringfence-agent join --state ${state}`,
    });
  if (gateway?.listen !== undefined && others.length > 0)
    throw new AgentError('bad-config', '--gateway-listen serves one organisation, and this agent has joined several', {
      next: 'start an agent of its own for the gateway',
    });
  const orgs = [first, ...others].map(({ org }) => org);
  const refusal = rootsRefusal(dataRoots, orgs);
  if (refusal !== undefined) throw refusal;
  return [first, ...others];
}

/** Runs now and after each `every` milliseconds, until the returned function is called. */
function repeat(clock: Clock, every: number, run: () => void): () => void {
  run();
  let cancel = clock.after(every, again);
  function again(): void {
    run();
    cancel = clock.after(every, again);
  }
  return () => cancel();
}

function reportMachine(
  { capabilities, gpus, images, network }: Awaited<ReturnType<typeof openMachine>>,
  log: Log,
): void {
  const { sandbox, container, gvisor, limits } = capabilities;
  if (network.allowLocal.size > 0)
    log.warn('egress.local-allowed', {
      reason: [...network.allowLocal].join(),
      next: 'jobs that list these places reach this machine itself',
    });
  if (gpus.problem !== undefined)
    log.warn('gpu.missing', { reason: gpus.problem, next: 'run nvidia-smi: its driver does not answer' });
  for (const { model, count } of gpus.offered) log.info('gpu', { state: model, count });
  if (sandbox.available) log.info('sandbox', { version: sandbox.version, state: limits.driver });
  else log.warn('sandbox.missing', { reason: sandbox.reason, next: sandbox.remedy });
  for (const registry of images.insecure) log.warn('registry.insecure', { reason: registry });
  for (const level of [container, gvisor])
    if (level.available) log.info('containers', { reason: level.runtime, version: level.version });
    else log.info('containers.missing', { reason: level.reason, next: level.remedy });
  if (limits.remedy !== null) log.warn('limits.weak', { state: limits.driver, next: limits.remedy });
}
