import { sleep, toHex, type AgentId } from '@ringfence/base';
import { parseDigest, sha256Hex, type Digest, type Envelope } from '@ringfence/crypto/sign';
import { FlError } from '@ringfence/fl/error';
import type { AggregatorPhase } from '@ringfence/fl/secagg';
import { countGroups } from '@ringfence/keyring';
import type { RoundTask } from '@ringfence/protocol/federation';
import { PASSING_ROUND_REFUSALS, type RoundReport } from '@ringfence/protocol/payload';
import { littleEndianBytes } from '../job-socket/read-update.ts';
import { evaluationOf, evaluationRound } from '../round/evaluation.ts';
import { memberOf, roundOf, sumOf } from '../round/federation-terms.ts';
import type { RoundFigures } from '../round/figures.ts';
import type { OpenDesk } from '../transport/federation-desk.ts';
import {
  readMessage,
  writeMessage,
  type FederationMessage,
  type FederationWord,
} from '../transport/federation-message.ts';
import { AggregatorRound, type AggregatorRoundEnd } from './aggregator-round.ts';
import type { AggregatorRoleParts } from './aggregator-role-parts.ts';
import { Evaluations } from './evaluations.ts';
import { Gathering } from './gathering.ts';
import { GlobalModel } from './global-model.ts';
import { WakeableWait } from './wakeable-wait.ts';
import { Withdrawals } from './withdrawals.ts';

/** Why there are no more rounds. */
export type AggregatorRoleEnd = 'finished' | 'withdrawn' | 'expired' | 'refused';

/** Between two polls a client is away for a moment. */
const PRESENT_MS = 5_000;
/** A phase of secure aggregation in which nobody computes for long. */
const PHASE_MS = 60_000;
/** How long the first round waits for clients beyond the fewest. */
const GATHER_MS = 30_000;
/** How long clients have to come for the final model; no longer than a round. */
const FAREWELL_MS = 120_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** A round that is to come, and what it is for. */
interface NextRound {
  readonly round: number;
  readonly task: RoundTask;
}

interface Summing {
  readonly number: number;
  readonly round: AggregatorRound;
  /** Members that may take part. */
  readonly members: ReadonlySet<number>;
}

/**
 * The aggregator of one contract: round after round from its last checkpoint, until the contract's rounds are used up, somebody's withdrawal ends it, or it
 * expires. It sees sums and nothing else of anybody's data.
 */
export class AggregatorRole {
  readonly #parts: AggregatorRoleParts;
  readonly #model: GlobalModel;
  readonly #evaluations: Evaluations;
  readonly #withdrawals: Withdrawals;
  readonly #left = new Set<AgentId>();
  #open: OpenDesk | undefined;
  #round: number;
  #summed: number;
  #offered: { readonly digest: Digest; readonly bytes: Uint8Array };
  #gathering: Gathering | undefined;
  /** Why there are no more rounds, once that is so. */
  #end: AggregatorRoleEnd | undefined;
  #summing: Summing | undefined;
  readonly #wait: WakeableWait;

  /** Goes on from the checkpoint where there is one; throws AgentError `bad-state`. */
  constructor(parts: AggregatorRoleParts) {
    this.#parts = parts;
    this.#wait = new WakeableWait(parts.clock);
    const { terms } = parts;
    this.#withdrawals = new Withdrawals(parts);
    const kept = parts.checkpoint.read();
    const read = kept === undefined ? undefined : Evaluations.read(terms.contract, kept.state);
    this.#evaluations = read?.evaluations ?? new Evaluations(terms.contract);
    this.#model = read === undefined ? GlobalModel.first(terms) : GlobalModel.read(terms, read.state);
    this.#round = kept?.round ?? 0;
    this.#summed = kept?.summed ?? 0;
    this.#offered = offerOf(this.#model.weights);
  }

  /** Runs the rounds; ends early, without a word to the clients but the closed desk, when `signal` aborts. */
  async run(signal: AbortSignal): Promise<AggregatorRoleEnd | 'aborted'> {
    const { terms, desk } = this.#parts;
    this.#open = desk.open({
      contract: terms.digest,
      peers: terms.contract.clients.map(({ agent, tls }) => ({ agent, tls })),
      onSession: (agent) => this.#joined(agent),
      onMessage: (agent, bytes) => this.#take(agent, bytes),
      model: (digest) => (digest === this.#offered.digest ? this.#offered.bytes : undefined),
    });
    try {
      const end = await this.#rounds(signal);
      if (end !== 'aborted') await this.#farewell(end, signal);
      return end;
    } finally {
      this.#summing?.round.stop();
      this.#open.close();
    }
  }

  async #rounds(signal: AbortSignal): Promise<AggregatorRoleEnd | 'aborted'> {
    const { terms, clock, say } = this.#parts;
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      if (this.#withdrawals.areTheEnd) return 'withdrawn';
      if (clock.now() >= terms.contract.notAfter) return 'expired';
      const task = this.#evaluations.next(this.#summed);
      if (task === undefined) return 'finished';
      if (!(await this.#awaitClients(signal))) continue;
      const went = await this.#next({ round: this.#round + 1, task }, signal);
      if (went === 'refused') return 'refused';
      if (went === 'summed') pause = FIRST_PAUSE_MS;
      else if (!signal.aborted && !this.#withdrawals.areTheEnd) {
        say(`round ${this.#round + 1}: next try in ${pause / 1_000} s`);
        await sleep(clock, pause, AbortSignal.any([signal, this.#withdrawals.ending]));
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      }
    }
    return 'aborted';
  }

  /** Waits until the fewest are there, and for the first round a little for the others; false when something else has to be looked at. */
  async #awaitClients(signal: AbortSignal): Promise<boolean> {
    const { terms, clock } = this.#parts;
    const deadline =
      clock.monotonic() + (this.#summed === 0 ? Math.min(GATHER_MS, terms.contract.rounds.longestMs) : 0);
    while (!signal.aborted && !this.#withdrawals.areTheEnd && clock.now() < terms.contract.notAfter) {
      const here = this.#present();
      const all = here.length === this.#withdrawals.staying().length;
      const enough = countGroups(terms.contract, here) >= terms.contract.minOrganisations;
      if (enough && (all || clock.monotonic() >= deadline)) return true;
      await this.#wait.upTo(LOOK_EVERY_MS, signal);
    }
    return false;
  }

  async #next({ round, task }: NextRound, signal: AbortSignal): Promise<'summed' | 'not-summed' | 'refused'> {
    const { terms, clock, say } = this.#parts;
    const leave = await this.#leave(round, signal);
    if (leave !== 'leave') return leave;
    const model = { digest: this.#offered.digest, bytes: this.#offered.bytes.length };
    this.#gathering = new Gathering({
      contract: terms.contract,
      round,
      present: () => this.#present(),
      announce: (agent) =>
        this.#say(agent, { kind: 'announce', round, model, ...(task === 'evaluate' ? { task } : {}) }),
      within: terms.contract.rounds.longestMs,
      clock,
    });
    const gathered = await this.#gathering.run(AbortSignal.any([signal, this.#withdrawals.ending]));
    this.#gathering = undefined;
    if (gathered.outcome === 'too-few' || signal.aborted || this.#withdrawals.areTheEnd) {
      say(`round ${round}: too few are ready`);
      if (gathered.outcome === 'too-few' && gathered.burned) this.#burn(round);
      this.#tellAll({ kind: 'over', round, outcome: 'aborted', reason: 'too-few-ready' });
      return 'not-summed';
    }
    this.#burn(round);
    const end = await this.#sum({ round, task }, gathered.agents, signal);
    if (end.outcome !== 'summed') {
      const reason = end.code;
      say(`round ${round}: aborted: ${reason}`);
      this.#tellAll({ kind: 'over', round, outcome: 'aborted', reason });
      this.#report({ round, task }, [], { outcome: 'aborted', why: reason });
      return 'not-summed';
    }
    await this.#step({ round, task }, end.of);
    return 'summed';
  }

  /** From here on this number is used, whatever becomes of this process. */
  #burn(round: number): void {
    const { fault } = this.#parts;
    fault('federation-before-burn');
    this.#round = round;
    this.#keep(round);
    fault('federation-after-burn');
  }

  #keep(round: number): void {
    const state = this.#evaluations.keep(this.#model.write());
    this.#parts.checkpoint.write({ round, summed: this.#summed, state });
  }

  async #sum(
    { round: number, task }: NextRound,
    agents: readonly AgentId[],
    signal: AbortSignal,
  ): Promise<AggregatorRoundEnd> {
    const { terms, identity, rng, fault, clock, log } = this.#parts;
    const { contract } = terms;
    const short = Math.min(PHASE_MS, contract.rounds.longestMs);
    const members = new Set(agents.flatMap((agent) => memberOf(terms, agent)?.member ?? []));
    const send = (member: number, frame: Uint8Array): void => {
      const agent = contract.clients[member]?.agent;
      if (agent !== undefined && members.has(member))
        this.#open?.send(agent, writeMessage({ kind: 'frame', round: number, frame }));
    };
    const phaseMs = (phase: AggregatorPhase): number => (phase === 'vectors' ? contract.rounds.longestMs : short);
    let round: AggregatorRound;
    try {
      round = new AggregatorRound(
        (task === 'evaluate' ? evaluationRound : roundOf)(terms, number, this.#offered.digest),
        { identity, rng },
        { send, phaseMs, fault, clock, log, expected: members },
      );
    } catch (error) {
      if (!(error instanceof FlError)) throw error;
      return { outcome: 'aborted', code: error.code };
    }
    this.#summing = { number, round, members };
    const stop = (): void => round.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) round.stop();
    for (const agent of agents) this.#say(agent, { kind: 'begin', round: number });
    const end = await round.ended;
    signal.removeEventListener('abort', stop);
    this.#summing = undefined;
    return end;
  }

  async #step(
    { round, task }: NextRound,
    { sum, included, transcriptRoot }: Extract<AggregatorRoundEnd, { outcome: 'summed' }>['of'],
  ): Promise<void> {
    const { terms, summed, say, fault } = this.#parts;
    const clients = included.length;
    const result = task === 'train' ? sumOf(terms, round, sum, clients) : undefined;
    const figures = result === undefined ? evaluationOf(terms, sum, clients) : result.figures;
    const transcript = parseDigest(toHex(transcriptRoot));
    if (transcript === undefined) throw new TypeError('a transcript has a root of 32 bytes');
    await summed(round, transcript);
    if (result !== undefined) this.#model.apply(result);
    else if (figures !== undefined) this.#evaluations.take(this.#summed, this.#model.weights, figures);
    fault('federation-before-checkpoint');
    if (result !== undefined) this.#summed += 1;
    this.#keep(round);
    fault('federation-after-checkpoint');
    this.#offered = offerOf(this.#model.weights);
    say(
      `round ${round}: ${task === 'evaluate' ? 'tested by ' : ''}${clients} clients${wordsOf(figures)}; transcript ${transcript}`,
    );
    this.#tellAll({ kind: 'over', round, outcome: 'summed', ...(figures === undefined ? {} : { figures }) });
    this.#report({ round, task }, included, { outcome: 'summed', ...figures });
  }

  #report(
    { round, task }: NextRound,
    included: readonly number[],
    report: Omit<RoundReport, 'survivors' | 'missing' | 'task'>,
  ): void {
    this.#parts.report(round, { ...this.#named(included), ...report, ...(task === 'evaluate' ? { task } : {}) });
  }

  /** Clients that are among these members, and those that are not. */
  #named(included: readonly number[]): Pick<RoundReport, 'survivors' | 'missing'> {
    const { clients } = this.#parts.terms.contract;
    const isIn = (_: unknown, member: number): boolean => included.includes(member);
    return {
      survivors: clients.filter(isIn).map(({ agent }) => agent),
      missing: clients.filter((client, member) => !isIn(client, member)).map(({ agent }) => agent),
    };
  }

  /** What the aggregator's own custodian says of a round that is to begin. */
  async #leave(round: number, signal: AbortSignal): Promise<'leave' | 'not-summed' | 'refused'> {
    const answer = await this.#parts.leave(round, signal);
    if (answer?.result === 'leave') return 'leave';
    this.#parts.say(`round ${round}: no leave from the custodian: ${answer?.reason ?? 'it is away'}`);
    for (const withdrawal of answer?.withdrawals ?? []) this.#withdraw(withdrawal as Envelope);
    // Given before this process: burned.
    if (answer?.reason === 'round-over') this.#burn(round);
    return answer === undefined || PASSING_ROUND_REFUSALS.has(answer.reason) || this.#withdrawals.areTheEnd
      ? 'not-summed'
      : 'refused';
  }

  /**
   * Tells everybody that it is over, and waits until they have the model: whoever is away may be dialling, and so may all of them after a restart.
   */
  async #farewell(end: AggregatorRoleEnd, signal: AbortSignal): Promise<void> {
    const { terms, clock } = this.#parts;
    this.#end = end;
    if (end === 'finished') this.#offered = offerOf(this.#evaluations.final(this.#model.weights));
    const clients = this.#withdrawals.staying();
    for (const agent of clients) this.#tellEnd(agent, end);
    const deadline = clock.monotonic() + Math.min(FAREWELL_MS, terms.contract.rounds.longestMs);
    while (!signal.aborted && clock.monotonic() < deadline && clients.some((agent) => !this.#left.has(agent)))
      await this.#wait.upTo(LOOK_EVERY_MS, signal);
    // The answer to the last word is on its way.
    await sleep(clock, LOOK_EVERY_MS, signal);
  }

  #tellEnd(agent: AgentId, end: AggregatorRoleEnd): void {
    const { clients, outputs } = this.#parts.terms.contract;
    const org = clients.find((client) => client.agent === agent)?.org;
    const isRecipient = outputs.some(({ recipients }) => recipients.some((recipient) => recipient === org));
    const model = { digest: this.#offered.digest, bytes: this.#offered.bytes.length };
    if (end === 'finished') this.#say(agent, { kind: 'end', outcome: end, ...(isRecipient ? { model } : {}) });
    else this.#say(agent, { kind: 'end', outcome: end === 'withdrawn' ? end : 'ended' });
  }

  #joined(agent: AgentId): void {
    this.#left.delete(agent);
    this.#gathering?.joined(agent);
    if (this.#end !== undefined) this.#tellEnd(agent, this.#end);
    this.#wait.wake();
  }

  #take(agent: AgentId, bytes: Uint8Array): void {
    const message = readMessage(bytes);
    if (message === undefined) return this.#parts.log.warn('federation.no-message', { agent });
    if (message.kind === 'frame') {
      const member = memberOf(this.#parts.terms, agent)?.member;
      if (member === undefined || this.#summing?.number !== message.round || !this.#summing.members.has(member)) return;
      return this.#summing.round.take(member, message.frame);
    }
    this.#takeWord(agent, message);
    this.#wait.wake();
  }

  #takeWord(agent: AgentId, message: Exclude<FederationMessage, { kind: 'frame' }>): void {
    const { say } = this.#parts;
    switch (message.kind) {
      case 'ready':
        return this.#gathering?.ready(agent, message.round);
      case 'decline':
        say(`round ${message.round}: ${agent} takes no part: ${message.reason}`);
        return this.#gathering?.declined(agent, message.round, message.reason);
      case 'withdrawal':
        return this.#withdraw(message.withdrawal as Envelope);
      case 'bye':
        this.#left.add(agent);
        return;
      case 'announce':
      case 'begin':
      case 'over':
      case 'end':
        return this.#parts.log.warn('federation.no-message', { agent });
    }
  }

  /** A party's own signed word, whoever hands it on. */
  #withdraw(envelope: Envelope): void {
    const org = this.#withdrawals.take(envelope);
    if (org === undefined) return;
    this.#parts.say(`${org} has withdrawn`);
    if (this.#withdrawals.areTheEnd) return;
    for (const { agent } of this.#parts.terms.contract.clients.filter((client) => client.org === org))
      this.#say(agent, { kind: 'end', outcome: 'withdrawn' });
  }

  #present(): readonly AgentId[] {
    const here = new Set(this.#open?.present(PRESENT_MS) ?? []);
    return this.#withdrawals.staying().filter((agent) => here.has(agent) && !this.#left.has(agent));
  }

  #say(agent: AgentId, word: FederationWord): boolean {
    return this.#open?.send(agent, writeMessage(word)) ?? false;
  }

  #tellAll(word: FederationWord): void {
    for (const agent of this.#withdrawals.staying()) this.#say(agent, word);
  }
}

function offerOf(model: Float32Array): { readonly digest: Digest; readonly bytes: Uint8Array } {
  const bytes = littleEndianBytes(model);
  return { digest: sha256Hex(bytes), bytes };
}

function wordsOf(figures: RoundFigures | undefined): string {
  return Object.entries(figures?.metrics ?? {})
    .map(([name, value]) => `, ${name} ${value.toPrecision(4)}`)
    .join('');
}
