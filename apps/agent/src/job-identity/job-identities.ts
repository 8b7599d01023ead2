import { errorFields, sleep, type Clock, type Log } from '@ringfence/base';
import type { identityAnswer, IdentityRefusal } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { STOP_BEFORE_MS } from '../attempt/attempt-machine.ts';
import { isPassing } from '../attempt/with-custodian.ts';
import type { IdentityFiles } from './identity-files.ts';

/** How long until the next try when there was no answer, or the lease gives no time. */
const TRY_AGAIN_MS = 1_000;
/** How long until the next try while a lock holds. */
const LOCKED_AGAIN_MS = 15_000;
/** Refusals that pass by themselves. */
const PASSING: readonly IdentityRefusal[] = ['lease-over', 'too-often'];

/** What the tokens of one attempt are made with. */
export interface IdentityParts {
  /** Audiences by the names of their files. */
  readonly audiences: Readonly<Record<string, string>>;
  readonly files: Pick<IdentityFiles, 'write' | 'remove'>;
  /** Asks the custodian for a token for so many milliseconds at the most. */
  readonly ask: (audience: string, leaseMs: number) => Promise<z.output<typeof identityAnswer>>;
  /** When the lease ends by the monotonic clock, as it is known now. */
  readonly leaseEnd: () => number;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** Why an attempt has no token: the custodian's reasons, or that its lease gives no time for one. */
export class NoIdentity extends Error {
  readonly file: string;
  readonly reasons: readonly IdentityRefusal[];

  constructor(file: string, reasons: readonly IdentityRefusal[]) {
    super(`no identity: ${reasons.join(', ')}`);
    this.file = file;
    this.reasons = reasons;
  }
}

/** When a token ends, and when the next one is asked for; by the monotonic clock. */
interface Held {
  readonly renewAt: number;
  readonly until: number;
}

/** The tokens of one attempt: there before it starts, renewed at half life while it runs, gone with its lease. */
export class JobIdentities {
  readonly #parts: IdentityParts;
  readonly #closing = new AbortController();
  /** What was written last, by file. */
  readonly #newest = new Map<string, Held>();

  constructor(parts: IdentityParts) {
    this.#parts = parts;
  }

  /** Writes the first token of each audience, asked for during `within` milliseconds, and renews them from then on. Throws NoIdentity, and what asking throws. */
  async begin(within: number): Promise<void> {
    const { audiences, clock } = this.#parts;
    const by = clock.monotonic() + within;
    try {
      const first = await Promise.all(
        Object.entries(audiences).map(async ([file, audience]) => {
          return { file, audience, held: await this.#first({ file, audience, by }) };
        }),
      );
      for (const { file, audience, held } of first) void this.#keep(file, audience, held);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The attempt is over: nothing is renewed any more, and no token stays. */
  close(): void {
    this.#closing.abort();
    for (const file of Object.keys(this.#parts.audiences)) this.#parts.files.remove(file);
  }

  async #first({ file, audience, by }: { file: string; audience: string; by: number }): Promise<Held> {
    const { clock } = this.#parts;
    const { signal } = this.#closing;
    for (;;) {
      const held = await this.#next(file, audience);
      if (held !== undefined) return held;
      if (clock.monotonic() + TRY_AGAIN_MS <= by) await sleep(clock, TRY_AGAIN_MS, signal);
      else throw new NoIdentity(file, ['lease-over']);
      if (signal.aborted) throw new NoIdentity(file, ['stopped']);
    }
  }

  async #keep(file: string, audience: string, first: Held): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#closing;
    let at = first.renewAt;
    for (;;) {
      await sleep(clock, Math.max(0, at - clock.monotonic()), signal);
      if (signal.aborted) return;
      const next = await this.#renewed(file, audience);
      if (signal.aborted || next === 'refused') return;
      at =
        next === 'locked' ? clock.monotonic() + LOCKED_AGAIN_MS : (next?.renewAt ?? clock.monotonic() + TRY_AGAIN_MS);
    }
  }

  /** Undefined where it is to be tried again soon, `locked` where later. */
  async #renewed(file: string, audience: string): Promise<Held | 'refused' | 'locked' | undefined> {
    const { files, log } = this.#parts;
    try {
      return await this.#next(file, audience);
    } catch (error) {
      if (this.#closing.signal.aborted || isPassing(error)) return undefined;
      files.remove(file);
      const reasons = error instanceof NoIdentity ? error.reasons : undefined;
      log.warn('identity.ended', reasons === undefined ? errorFields(error) : { reason: reasons.join() });
      return reasons?.every((reason) => reason === 'locked') === true ? 'locked' : 'refused';
    }
  }

  /** Undefined where the lease gives no time, the answer came too late to end within it, or the refusal passes. */
  async #next(file: string, audience: string): Promise<Held | undefined> {
    const { ask, clock, files, leaseEnd } = this.#parts;
    const asked = clock.monotonic();
    // What runs is told to end by then, and an answer may take as long as is left.
    const leaseMs = Math.floor(leaseEnd() - STOP_BEFORE_MS - asked);
    if (leaseMs < 1_000) return undefined;
    const answer = await ask(audience, leaseMs);
    if (answer.result === 'refused') {
      if (answer.reasons.every((reason) => PASSING.includes(reason))) return undefined;
      throw new NoIdentity(file, answer.reasons);
    }
    const { token, lifetimeMs } = answer;
    const late = clock.monotonic() + lifetimeMs > leaseEnd();
    if (late || this.#closing.signal.aborted) return undefined;
    files.write(file, token);
    const held = { renewAt: asked + lifetimeMs / 2, until: asked + lifetimeMs };
    this.#newest.set(file, held);
    void this.#removeAtEnd(file, held);
    return held;
  }

  /** Whatever asking for the next one does meanwhile. */
  async #removeAtEnd(file: string, held: Held): Promise<void> {
    const { clock, files } = this.#parts;
    const { signal } = this.#closing;
    await sleep(clock, Math.max(0, held.until - clock.monotonic()), signal);
    if (!signal.aborted && this.#newest.get(file) === held) files.remove(file);
  }
}
