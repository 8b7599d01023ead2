import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, EpochMs } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { Digest, Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import {
  checkHead,
  extendKeyring,
  foldKeyring,
  headMark,
  headMaxAge,
  readStatement,
  type HeadMark,
  type Keyring,
} from '@ringfence/keyring';
import { envelope } from '@ringfence/protocol';
import { z } from 'zod';
import { AgentError } from '../agent-error.ts';

const stored = z.strictObject({
  v: z.literal(1),
  statements: z.array(envelope).min(1),
  head: envelope,
  seen: z.strictObject({ seq: z.int().min(0), epoch: z.int().min(1), digest: z.string() }).nullable(),
});

/** This agent's copy of its organisation's keyring: pinned to the root of the join code, never going back. */
export class KeyringCopy {
  readonly #path: string;
  readonly #clock: Clock;
  #statements: Envelope[];
  #keyring: Keyring;
  #head: Envelope;
  #seen: HeadMark | undefined;
  #refreshing: Promise<void> | undefined;
  #refused = false;

  private constructor(
    path: string,
    clock: Clock,
    parts: { statements: Envelope[]; keyring: Keyring; head: Envelope; seen: HeadMark | undefined },
  ) {
    this.#path = path;
    this.#clock = clock;
    this.#statements = parts.statements;
    this.#keyring = parts.keyring;
    this.#head = parts.head;
    this.#seen = parts.seen;
  }

  /** Writes the first copy, as the join brought it. Throws KeyringError for statements that do not lead from `root`. */
  static create(
    folder: string,
    given: { statements: readonly Envelope[]; head: Envelope; root: SigningPublicKey; clock: Clock },
  ): KeyringCopy {
    const keyring = foldKeyring(given.statements, given.root);
    const { statements, head, clock } = given;
    const copy = new KeyringCopy(pathOf(folder), clock, {
      statements: [...statements],
      keyring,
      head,
      seen: undefined,
    });
    copy.#accept(head);
    copy.#store();
    return copy;
  }

  /** The copy in `folder`; throws AgentError `bad-state`. */
  static open(folder: string, root: SigningPublicKey, clock: Clock): KeyringCopy {
    const path = pathOf(folder);
    try {
      const { statements, head, seen } = stored.parse(JSON.parse(readFileSync(path, 'utf8')));
      const mark = seen === null ? undefined : { ...seen, digest: seen.digest as Digest };
      return new KeyringCopy(path, clock, { statements, keyring: foldKeyring(statements, root), head, seen: mark });
    } catch (cause) {
      throw new AgentError('bad-state', `${path} cannot be read`, {
        cause,
        next: 'restore the state folder from a backup',
      });
    }
  }

  static exists(folder: string): boolean {
    return existsSync(pathOf(folder));
  }

  get keyring(): Keyring {
    return this.#keyring;
  }

  /** The newest head that was fetched. */
  get head(): Envelope {
    return this.#head;
  }

  /** The newest head that was accepted. */
  get seen(): HeadMark | undefined {
    return this.#seen;
  }

  /** When the custodian signed the head; 0 for one that does not read. */
  get headAt(): EpochMs {
    return readStatement('keyring-head', this.#head).claimed.at;
  }

  /** Whether the custodian said within `maxAge` milliseconds that this copy is the newest: who was removed since may still stand in an older one. */
  isCurrent(maxAge: number): boolean {
    return checkHead(this.#keyring, this.#head, { now: this.#clock.now(), maxAge, seen: this.#seen }).allow;
  }

  /** Fetches what is new; calls at the same time share one request. Resolves true when the keyring changed. */
  async refresh(custodian: CustodianClient): Promise<boolean> {
    const before = this.#keyring;
    this.#refreshing ??= this.#fetch(custodian).finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
    return this.#keyring !== before;
  }

  /** The epoch that the custodian's head states now; undefined where this copy does not accept that head. */
  async statedEpoch(custodian: CustodianClient): Promise<number | undefined> {
    await this.refresh(custodian);
    // The first may have been on its way before this was asked.
    await this.refresh(custodian);
    return this.#refused ? undefined : this.#seen?.epoch;
  }

  async #fetch(custodian: CustodianClient): Promise<void> {
    const { statements, head } = await custodian.keyring(this.#keyring.head.seq);
    let keyring = this.#keyring;
    for (const statement of statements) keyring = extendKeyring(keyring, statement, this.#clock.now());
    const changed = keyring !== this.#keyring;
    this.#keyring = keyring;
    this.#statements.push(...statements);
    const moved = this.#accept(head);
    // A head that only got younger is fetched again after a restart.
    if (changed || moved) this.#store();
  }

  /** A head that went back or forked is kept out: the one before stays, and gets stale in time. */
  #accept(head: Envelope): boolean {
    const rule = { now: this.#clock.now(), maxAge: headMaxAge('public'), seen: this.#seen };
    const checked = checkHead(this.#keyring, head, rule);
    this.#refused = !checked.allow;
    if (!checked.allow) return false;
    const mark = headMark(checked.head);
    const moved = mark.seq !== this.#seen?.seq || mark.epoch !== this.#seen.epoch;
    this.#head = head;
    this.#seen = mark;
    return moved;
  }

  #store(): void {
    const value = { v: 1, statements: this.#statements, head: this.#head, seen: this.#seen ?? null };
    writeFileAtomic(this.#path, `${JSON.stringify(value)}\n`);
  }
}

function pathOf(folder: string): string {
  return join(folder, 'keyring.json');
}
