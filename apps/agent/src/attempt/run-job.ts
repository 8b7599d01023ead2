import { errorFields, utf8 } from '@ringfence/base';
import type { Outcome } from '@ringfence/protocol/statements';
import { checkpointEvery } from '../checkpoints/checkpoint-pace.ts';
import { openClientFederation } from '../federation/client/client-attempt.ts';
import { trainedHere } from '../federation/trainer/trainer-command.ts';
import { gpuAccess } from '../gpu/gpu-access.ts';
import { failureEnvelope } from '../failure/failure-envelope.ts';
import { isPackedPlace } from '../failure/packed-files.ts';
import { withIdentities } from '../job-identity/with-identities.ts';
import type { LinkContext } from '../link/link-context.ts';
import { planSandbox, startSandbox, type Running, type SandboxExit, type SandboxSpec } from '../sandbox/index.ts';
import { startingFact } from './attempt-facts.ts';
import type { AttemptWork } from './attempt-work.ts';
import { showsSecret } from './job-secrets.ts';
import { runSpec, setupSpec, type JobParts } from './job-spec.ts';
import { openJobNetwork, runNetwork, setupNetwork } from './job-network.ts';
import { CODE_PATH, layOut, type LaidOut } from './lay-out.ts';
import { measure, withMetrics } from './measure-job.ts';
import { AttemptEnd, refusedFor } from './step-error.ts';

/** Code, data and outputs in place, and the job's setup done, now or by an earlier attempt. Throws AttemptEnd and what fetching throws. */
export async function prepare(context: LinkContext, work: AttemptWork): Promise<LaidOut> {
  work.enter('fetching');
  const laidOut = await layOut(context, work);
  context.fault('fetch-after-objects');
  const parts = partsOf(context, work, laidOut);
  if (parts.workload.setup === undefined) return laidOut;
  if (laidOut.isSetUp) {
    work.log?.write('setup', utf8('ringfence: the result of an earlier setup of this code is used\n'));
    return laidOut;
  }
  work.enter('setup');
  const network = await openJobNetwork(context, work, setupSpec(parts), setupNetwork(context));
  await runSetup(context, work, network.spec).finally(network.close);
  context.fault('setup-after-run');
  if (laidOut.setup !== null) {
    const kept = await context.machine.setups.keep(laidOut.setup, laidOut.code.hostPath, work.cancelling.signal);
    if (!kept) context.log.info('setup.not-kept', { ...work.id });
  }
  return laidOut;
}

async function runSetup(context: LinkContext, work: AttemptWork, spec: SandboxSpec): Promise<void> {
  const running = await startSpec(context, work, spec, 'setup');
  const { signal } = work.cancelling;
  const cancel = (): void => void running.stop(0).catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const exit = await running.exited;
  signal.removeEventListener('abort', cancel);
  if (exit.ended === 'exited' && exit.code === 0) return;
  work.exit = exit;
  work.failure = envelopeOf(work, exit, 'setup');
  throw new AttemptEnd({ outcome: 'setup-failed', reasons: [exit.ended] });
}

/** Journals the start, then lets the job go. Resolves when it runs. */
export async function start(context: LinkContext, work: AttemptWork, laidOut: LaidOut): Promise<Running> {
  const { clock, log, fault, metrics, record } = context;
  fault('start-before-journal');
  const [measured] = await Promise.all([
    withMetrics(context, work, runSpec(partsOf(context, work, laidOut))),
    record(startingFact(work.id)),
  ]);
  const spec = await withIdentities(context, work, measured);
  const granted = work.federation;
  const federation =
    granted === undefined ? undefined : await openClientFederation(context, work, { spec, granted, laidOut });
  const network = await openJobNetwork(context, work, federation?.spec ?? spec, runNetwork(work));
  fault('start-after-journal');
  work.enter('running', { startedAt: clock.now() });
  const running = await startSpec(context, work, network.spec, 'out').catch((error: unknown) => {
    network.close();
    federation?.close();
    throw error;
  });
  void running.exited
    .catch(() => {})
    .finally(() => {
      network.close();
      work.identities?.close();
    });
  measure(context, work, spec, running);
  const took = clock.monotonic() - work.leased.at;
  log.info('exec', { ...work.id, isolation: work.level ?? 'sandbox', duration_ms: Math.round(took) });
  metrics.started(took);
  fault('run-after-exec');
  return federation?.join(running) ?? running;
}

/** What the exit of a job means; a failure leaves its envelope in `work`. */
export function judgeExit(work: AttemptWork, exit: SandboxExit): Outcome {
  work.exit = exit;
  // A service that ends by itself has failed, whatever it says: it makes no results.
  const serves = work.admission?.job.body.type === 'serve';
  if (exit.ended === 'exited' && exit.code === 0 && !serves) return 'succeeded';
  const outcome = outcomeOf(exit);
  // It was told to: the signal that ended it says nothing of the job.
  if (outcome === 'stopped') return outcome;
  const own = outcome === 'failed' && exit.ended === 'exited';
  work.failure = envelopeOf(work, exit, own ? 'user-code' : exit.ended === 'not-started' ? 'platform' : 'resources');
  return outcome;
}

function outcomeOf(exit: SandboxExit): Outcome {
  if (exit.ended === 'timed-out') return 'timed-out';
  if (exit.ended === 'stopped') return 'stopped';
  if (exit.ended === 'not-started') return 'not-started';
  return exit.oom === true && exit.ended === 'exited' ? 'out-of-memory' : 'failed';
}

function envelopeOf(work: AttemptWork, exit: SandboxExit, kind: 'user-code' | 'setup' | 'resources' | 'platform') {
  return failureEnvelope({
    class: kind,
    exitCode: exit.code,
    signal: exit.signal,
    peakMemoryBytes: exit.peakMemoryBytes,
    stderr: work.log?.stderrTail ?? [],
    codeFolders: [CODE_PATH, ...(work.folder === undefined ? [] : [`${work.folder}/work`])],
    isOwnPlace: (path, line) => !showsSecret(work.secrets, path) && isPackedPlace(work.packed, path, line),
  });
}

function partsOf({ machine }: LinkContext, work: AttemptWork, laidOut: LaidOut): JobParts {
  const { id, payload, level, place, secrets } = work;
  if (payload === undefined || level === undefined || place === undefined)
    throw new TypeError('only a granted attempt runs');
  const everyMs = payload.workload.checkpoint === undefined ? undefined : checkpointEvery(work);
  return {
    id,
    workload: trainedHere(payload.workload, work.federation),
    level,
    slot: place.slot,
    gpus: gpuAccess(place.cards, level, machine.gpuFolder),
    laidOut,
    machine,
    secrets,
    checkpointSeconds: everyMs === undefined ? undefined : Math.round(everyMs / 1_000),
  };
}

async function startSpec(
  context: LinkContext,
  work: AttemptWork,
  spec: SandboxSpec,
  out: 'setup' | 'out',
): Promise<Running> {
  const { machine, clock, rng, log } = context;
  const planned = planSandbox(spec, machine.capabilities);
  if (!planned.ok)
    throw refusedFor(
      'isolation',
      planned.refusals.map(({ code, at }) => `${code}:${at}`),
    );
  const err = out === 'setup' ? 'setup' : 'err';
  try {
    return await startSandbox(planned.plan, {
      stateDir: machine.state,
      clock,
      rng,
      onStdout: (chunk) => work.log?.write(out, chunk),
      onStderr: (chunk) => work.log?.write(err, chunk),
    });
  } catch (cause) {
    log.error('sandbox.not-started', { ...work.id, ...errorFields(cause) });
    throw new AttemptEnd({ outcome: 'not-started', cause });
  }
}
