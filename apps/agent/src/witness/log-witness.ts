import { errorFields, utf8, type Clock, type Log } from '@ringfence/base';
import { ApiRefusal, entriesReader, tileReader } from '@ringfence/client/api';
import type { Fact } from '@ringfence/client/control-link';
import type { CustodianClient } from '@ringfence/client/custodian';
import { deriveNoteKey } from '@ringfence/crypto/note';
import { parseDigest, type Digest, type SigningKey } from '@ringfence/crypto/sign';
import {
  consistencyRanges,
  epochOfOrigin,
  formatVerifierKey,
  judgeOffer,
  offerOf,
  OmissionCheck,
  openCheckpoint,
  originOf,
  readAuditEntry,
  TILE_WIDTH,
  TileNodes,
  TreeView,
  trustInLog,
  verifierKey,
  type CheckpointOffer,
  type CheckpointTrust,
  type HeldCheckpoint,
  type NoteSigner,
  type TreeHead,
  type VerifierKey,
  type WitnessedStatement,
} from '@ringfence/ledger/tlog';
import type { LogAccusation } from '@ringfence/protocol/payload';
import { inTurn } from '../link/in-turn.ts';
import type { JoinedLink } from '../link/joined-link.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { HeldLogs } from './held-logs.ts';
import { judgeEpoch } from './shown-epoch.ts';

/** What a witness works with. */
export interface LogWitnessParts {
  readonly link: Pick<JoinedLink, 'agent' | 'org' | 'controlPlane' | 'custodian'>;
  readonly held: HeldLogs;
  readonly key: SigningKey;
  readonly custodian: Pick<CustodianClient, 'audit' | 'auditTile' | 'auditWord'>;
  readonly epoch: {
    /** The newest that the keyring's signed head stated; undefined before a head was accepted. */
    readonly known: () => number | undefined;
    /** The same, asked anew; undefined where the head that came is not accepted. */
    readonly ask: () => Promise<number | undefined>;
  };
  readonly record: (fact: Fact) => Promise<unknown>;
  readonly metrics: Pick<AgentMetrics, 'logAccused'>;
  readonly clock: Clock;
  readonly log: Log;
}

type Found = Omit<LogAccusation, 'origin' | 'at'>;
type Word = Parameters<CustodianClient['auditWord']>[0];

/** Grants younger than that may still be on their way into the log. */
const GRACE_MS = 60_000;
/** A custodian that shows ever new epochs fills neither the disk nor the journal. */
const MOST_ACCUSED = 16;

/**
 * Watches both logs: the control plane's as its link shows it, the custodian's as this agent asks for it. Each checkpoint has to continue the
 * one before; it is stored durably, then cosigned; the cosignature goes to the custodian. What is found wrong is stored durably, too, until the
 * journal and the custodian have it.
 */
export class LogWitness {
  readonly #parts: LogWitnessParts;
  readonly #signer: NoteSigner;
  readonly #key: VerifierKey;
  /** Grants that this process journaled and that no entry has shown yet. */
  readonly #grants = new Map<Digest, WitnessedStatement>();
  readonly #shown = new Set<string>();
  /** Cosignatures that could not be handed in yet. */
  readonly #cosigned = new Map<string, Word>();
  readonly #telling = inTurn();

  constructor(parts: LogWitnessParts) {
    this.#parts = parts;
    this.#signer = { name: parts.link.agent, key: deriveNoteKey(parts.key, 'witness') };
    this.#key = verifierKey(parts.link.agent, 'cosignature', this.#signer.key.publicKey);
  }

  /** Takes what the control plane shows of its log. */
  take(offer: CheckpointOffer): void {
    const { controlPlane, org } = this.#parts.link;
    this.#judge(originOf(controlPlane.id, org, 1), offer);
    void this.#tell().catch((error: unknown) => this.#parts.log.info('audit.not_told', errorFields(error)));
  }

  /** A fact is about to be journaled: a grant in it has to be in the custodian's log, too. */
  note(fact: Fact): void {
    const { body } = fact;
    if (fact.name !== 'granted' || typeof body !== 'object' || body === null || !('grant' in body)) return;
    const { grant } = body;
    const digest = typeof grant === 'string' ? parseDigest(grant) : undefined;
    if (digest !== undefined) this.#grants.set(digest, { digest, at: this.#parts.clock.now() });
  }

  /** Asks the custodian for its log, holds it against what is held and journaled, and hands in what waits. Never throws. */
  async look(): Promise<void> {
    try {
      await this.#lookAtCustodian();
    } catch (error) {
      // An older custodian keeps no log; a custodian that is away is asked again.
      this.#parts.log.info('audit.not_looked', errorFields(error));
    }
    // Whatever came of it: what an earlier process found waits, too.
    await this.#tell().catch((error: unknown) => this.#parts.log.info('audit.not_told', errorFields(error)));
  }

  /** To the journal first. What cannot be told now is told at the next look, also by another process: at worst twice. */
  #tell(): Promise<void> {
    const { held, record } = this.#parts;
    return this.#telling(async () => {
      for (const { accusation, journaled } of held.untold) {
        if (journaled) continue;
        await record({ name: 'log-accused', body: JSON.parse(JSON.stringify(accusation)) });
        held.noteJournaled(accusation);
      }
      for (const { accusation } of held.untold)
        if (await this.#handIn({ word: 'accuses', accusation })) held.noteTold(accusation);
      for (const [origin, word] of this.#cosigned)
        if ((await this.#handIn(word)) && this.#cosigned.get(origin) === word) this.#cosigned.delete(origin);
    });
  }

  /** Whether the custodian took it; what it refuses keeps nothing else from it. */
  async #handIn(word: Word): Promise<boolean> {
    try {
      await this.#parts.custodian.auditWord(word);
      return true;
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      this.#parts.log.info('audit.not_told', errorFields(error));
      return false;
    }
  }

  async #lookAtCustodian(): Promise<void> {
    const { custodian, held, link, epoch } = this.#parts;
    // Before the log is asked for: what is stated by then, no honest answer is behind.
    const before = epoch.known();
    if (before === undefined) return;
    const { origin, key, checkpoint } = await custodian.audit();
    const trust = trustInLog(key);
    if (checkpoint === null || trust?.origin !== origin || !origin.startsWith(`ringfence/${link.custodian}/`)) return;
    const [logKey] = trust.logKeys;
    if (logKey === undefined) return;
    const offer = offerOf(checkpoint, logKey, { oldSize: 0, proof: [] });
    const shown = epochOfOrigin(origin, link.custodian, link.org);
    const after = shown === undefined || shown > before ? await epoch.ask() : before;
    const verdict = judgeEpoch(shown, { before, after });
    if (verdict === 'unknown') return this.#ignore('unknown-epoch');
    if (verdict !== 'stated') return this.#accuseEpoch(verdict, before, { origin, trust, note: checkpoint });
    const oldSize = Math.min(held.of(origin)?.size ?? 0, offer.size);
    const proof = await this.#proof(oldSize, offer.size);
    this.#judge(origin, { ...offer, oldSize, proof });
    await this.#findOmissions(origin, trust);
  }

  /** Of a log that the keyring does not state, only what it signed counts. */
  #accuseEpoch(
    fault: 'unstated-epoch' | 'old-epoch',
    stated: number,
    { origin, trust, note }: { readonly origin: string; readonly trust: CheckpointTrust; readonly note: string },
  ): void {
    const { held, link } = this.#parts;
    const opened = openCheckpoint(utf8(note), trust);
    const [logKey] = trust.logKeys;
    if (!opened.ok || logKey === undefined) return this.#ignore('malformed');
    if (held.of(origin)?.accused === true || held.accused >= MOST_ACCUSED) return;
    const { size } = opened.signed.checkpoint;
    const of = held.of(originOf(link.custodian, link.org, stated));
    const found = { fault, index: 0, until: size, offered: note, ...(of === undefined ? {} : { held: of.note }) };
    this.#accuse(origin, found, { key: logKey.publicKey, size, note });
  }

  #ignore(code: string): void {
    this.#parts.log.warn('audit.offer_ignored', { code });
  }

  /** From the tiles that the custodian gives out: whether they are of the signed tree, the proof shows. */
  async #proof(oldSize: number, size: number): Promise<string[]> {
    if (oldSize === 0 || oldSize === size) return [];
    const read = tileReader(this.#parts.custodian);
    const nodes = new TileNodes();
    for (const tile of nodes.missing(consistencyRanges(oldSize, size), size)) nodes.add(tile, await read(tile));
    return new TreeView(nodes, size)
      .proveConsistency(oldSize)
      .map((hash) => Buffer.from(hash, 'latin1').toString('base64url'));
  }

  #judge(origin: string, offer: CheckpointOffer): void {
    const { held, clock } = this.#parts;
    const before = held.of(origin);
    if (before?.accused === true) return;
    const verdict = judgeOffer(before, offer, {
      origin,
      witness: this.#signer,
      seconds: Math.floor(clock.now() / 1_000),
    });
    if (verdict.do === 'ignore') this.#ignore(verdict.code);
    if (verdict.do === 'cosign' && verdict.held.size > (before?.size ?? 0)) {
      held.keep(origin, verdict.held);
      const { size } = verdict.held;
      const key = formatVerifierKey(this.#key);
      this.#cosigned.set(origin, { word: 'cosigned', key, size, checkpoint: verdict.checkpoint });
    }
    if (verdict.do !== 'accuse') return;
    const { do: _, ...found } = verdict;
    this.#accuse(origin, found);
  }

  /** Reads the entries that are new, and looks for grants of this agent's journal that none of them has. */
  async #findOmissions(origin: string, trust: CheckpointTrust): Promise<void> {
    const { held } = this.#parts;
    const before = held.of(origin);
    if (before === undefined || before.accused || before.read >= before.size) return;
    // What was checked and stored, not what was offered: that may have been ignored.
    const opened = openCheckpoint(utf8(before.note), trust);
    if (!opened.ok) return;
    const check = new OmissionCheck(this.#grants.values());
    if (!(await this.#readEntries(opened.signed.checkpoint, before.read, check))) return;
    // An entry may be read before the grant that it is about is journaled.
    for (const digest of this.#grants.keys()) if (this.#shown.delete(digest)) this.#grants.delete(digest);
    const omitted = check.end(GRACE_MS).filter(({ statement }) => this.#grants.has(statement.digest as Digest));
    const [first] = omitted;
    if (first === undefined) return held.readUpTo(origin, before.size);
    const statements = omitted.slice(0, 16).flatMap(({ statement }) => parseDigest(statement.digest) ?? []);
    this.#accuse(origin, { fault: 'omitted', index: first.before, until: first.before + 1, statements });
  }

  /** Whether all entries from number `from` on could be read; entries that do not lead to the signed root count for nothing. */
  async #readEntries(head: TreeHead, from: number, check: OmissionCheck): Promise<boolean> {
    const { custodian, link, log } = this.#parts;
    const read = entriesReader(custodian, head);
    for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < head.size; index += 1) {
      const entries = await read(index);
      if (entries === undefined) {
        log.warn('audit.entries_unproven', { seq: index * TILE_WIDTH });
        return false;
      }
      for (const bytes of entries) {
        const entry = readAuditEntry(bytes);
        if (entry === undefined) continue;
        check.take(entry);
        if (entry.objects.includes(link.agent)) for (const digest of entry.statements) this.#shown.add(digest);
      }
    }
    return true;
  }

  #accuse(origin: string, found: Found, shown?: HeldCheckpoint): void {
    const { held, clock, log, metrics } = this.#parts;
    held.accuse({ origin, at: clock.now(), ...found }, shown);
    metrics.logAccused();
    log.error('audit.accused', { code: found.fault, seq: found.index });
  }
}
