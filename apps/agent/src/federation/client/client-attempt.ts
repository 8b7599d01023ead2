import { join } from 'node:path';
import { errorFields, utf8 } from '@ringfence/base';
import { expectKeys, payloadAgent, routesTo, type PayloadAgent } from '@ringfence/client/payload-link';
import type { AttemptWork } from '../../attempt/attempt-work.ts';
import { jobUser, type LaidOut } from '../../attempt/lay-out.ts';
import { AttemptEnd, refusedFor } from '../../attempt/step-error.ts';
import { relayAccess } from '../../link/joined-link.ts';
import type { LinkContext } from '../../link/link-context.ts';
import type { Running, SandboxExit, SandboxSpec } from '../../sandbox/index.ts';
import { federationStepFact } from '../federation-facts.ts';
import type { GrantedFederation } from '../granted-federation.ts';
import { jobConfig } from '../job-config.ts';
import { JobSocket } from '../job-socket/job-socket.ts';
import { socketMount } from '../job-socket/socket-mount.ts';
import { emptyFolder, modelFile, writeModelFile } from '../model-file.ts';
import { roundCalls } from '../round-leave.ts';
import { trainerMounts } from '../trainer/trainer-command.ts';
import { AggregatorLine } from '../transport/aggregator-line.ts';
import { ClientRole, type ClientRoleEnd } from './client-role.ts';

/** An aggregator may be away for so long: its machine restarts, or its job is placed anew. */
const PATIENCE_MS = 3_600_000;
/** A job has so long to end by itself once it was told that there are no more rounds. */
const ENDS_WITHIN_MS = 60_000;
const STOP_GRACE_MS = 5_000;

/** A client's federation beside its sandbox. */
export interface ClientFederation {
  readonly spec: SandboxSpec;
  /** Joins what runs: the attempt has succeeded when the job has ended well *and* the federation is finished, the model in the output. */
  readonly join: (running: Running) => Running;
  readonly close: () => void;
}

/** Opens the job's socket and adds it to the sandbox. Throws AttemptEnd `isolation` where the job could not reach it. */
export async function openClientFederation(
  context: LinkContext,
  work: AttemptWork,
  { spec, granted, laidOut }: { spec: SandboxSpec; granted: GrantedFederation; laidOut: LaidOut },
): Promise<ClientFederation> {
  const { clock } = context;
  const { terms } = granted;
  if (work.folder === undefined) throw new TypeError('only a prepared attempt has a socket');
  const folder = join(work.folder, 'federation');
  const place = socketMount(folder, spec.level);
  if (place === undefined) throw refusedFor('isolation', ['socket-path-too-long']);
  const { parameters, contract } = terms;
  const socket = new JobSocket({ rounds: contract.rounds.count, parameters, clock });
  await socket.listenIn(folder, jobUser(context, spec.slot));
  const part = new ClientPart(context, work, { granted, socket, output: laidOut.outputs[0]?.hostPath });
  return {
    spec: {
      ...spec,
      mounts: [
        ...withoutOutputs(spec, laidOut),
        place.mount,
        ...trainerMounts(context.machine.folders.runtimes, granted),
      ],
      env: { ...spec.env, ...place.env },
    },
    join: (running) => part.join(running),
    close: () => socket.close(),
  };
}

/** The agent alone writes an output, the model: a job with the folder could copy its rows there, and no ledger counts what is made of them. */
function withoutOutputs({ mounts }: SandboxSpec, { outputs }: LaidOut): SandboxSpec['mounts'] {
  const folders = new Set(outputs.map(({ hostPath }) => hostPath));
  return mounts.filter(({ hostPath }) => !folders.has(hostPath));
}

interface Part {
  readonly granted: GrantedFederation;
  readonly socket: JobSocket;
  readonly output: string | undefined;
}

class ClientPart {
  readonly #context: LinkContext;
  readonly #work: AttemptWork;
  readonly #part: Part;
  readonly #stopping = new AbortController();

  constructor(context: LinkContext, work: AttemptWork, part: Part) {
    this.#context = context;
    this.#work = work;
    this.#part = part;
  }

  join(running: Running): Running {
    const { socket } = this.#part;
    const part = this.#take();
    const exited = this.#ended(running, part).finally(() => {
      this.#stopping.abort();
      socket.close();
    });
    return { ...running, stop: (graceMs) => this.#stop(running, graceMs, exited), exited };
  }

  #stop(running: Running, graceMs: number, exited: Promise<SandboxExit>): Promise<SandboxExit> {
    this.#stopping.abort();
    return running.stop(graceMs).then(() => exited);
  }

  /** Whatever ends first ends the other. */
  async #ended(running: Running, part: Promise<ClientRoleEnd | undefined>): Promise<SandboxExit> {
    const { clock } = this.#context;
    const { socket, output, granted } = this.#part;
    const over = part.then((end) => {
      socket.finish();
      const cancel = clock.after(ENDS_WITHIN_MS, () => void running.stop(STOP_GRACE_MS).catch(() => {}));
      void running.exited.catch(() => {}).finally(cancel);
      return end;
    });
    const first = await Promise.race([running.exited, over.then(() => undefined)]);
    // A job that ends while rounds are still to come takes no more part in them.
    if (first !== undefined && !socket.isDone) this.#stopping.abort();
    const [exit, end] = await Promise.all([running.exited, over]);
    if (exit.ended !== 'exited' || exit.code !== 0) return exit;
    if (end?.outcome !== 'finished') throw this.#failure(end);
    if (output === undefined) return exit;
    emptyFolder(output);
    if (end.model !== undefined) writeModelFile(output, modelFile(end.model, granted.terms));
    return exit;
  }

  #failure(end: ClientRoleEnd | undefined): AttemptEnd {
    const reason = end?.outcome === 'ended' ? end.reason : 'job-ended-early';
    this.#say(end === undefined ? 'the job ended before the last round' : `the federation is over: ${reason}`);
    this.#work.failure = { class: end === undefined ? 'user-code' : 'platform' };
    return new AttemptEnd({ outcome: 'failed', reasons: [`federation-${reason}`] });
  }

  /** The part in the federation; undefined when it was given up from here. Never rejects. */
  async #take(): Promise<ClientRoleEnd | undefined> {
    const { log } = this.#context;
    const line = this.#dial();
    try {
      return await this.#role(line).run(this.#stopping.signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return undefined;
      log.warn('federation.left', { ...this.#work.id, ...errorFields(error) });
      return { outcome: 'ended', reason: 'aggregator-away' };
    } finally {
      line.destroy();
    }
  }

  #role(agent: PayloadAgent): ClientRole {
    const { identity, clock, rng, log, federations, record } = this.#context;
    const { granted, socket } = this.#part;
    const { terms, member } = granted;
    if (member === undefined) throw new TypeError('only a client takes part');
    const { digest } = terms;
    const config = jobConfig(terms);
    return new ClientRole({
      terms,
      member,
      identity: identity.sign,
      line: (signal) => AggregatorLine.begin({ agent, contract: digest, clock, log, patience: PATIENCE_MS }, signal),
      ...roundCalls(this.#context, this.#work, terms),
      train: (round, signal) => socket.show({ ...round, config }, signal),
      sequence: () => federations.history.sequenceOf(digest),
      burn: async (sequence) => {
        const fact = federationStepFact(digest, sequence);
        federations.history.take(fact);
        this.#context.fault('federation-before-step');
        await record(fact);
        this.#context.fault('federation-after-step');
      },
      say: (text) => this.#say(text),
      clock,
      rng,
      log,
    });
  }

  #dial(): PayloadAgent {
    const { identity, link, clock } = this.#context;
    const { aggregator } = this.#part.granted.terms.contract;
    const routes = routesTo(aggregator, relayAccess(aggregator, link.outer));
    return payloadAgent({ routes, identity: identity.link, expect: expectKeys(aggregator.tls), clock });
  }

  #say(line: string): void {
    this.#work.log?.write('err', utf8(`ringfence: ${line}\n`));
  }
}
