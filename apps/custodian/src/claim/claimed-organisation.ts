import type { EpochMs, OrgId, ProjectId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { foldKeyring, readStatement, type Keyring } from '@ringfence/keyring';
import type { ControlPlaneRoute } from '@ringfence/protocol/payload';

/** The organisation as memory has it: written only after the transaction that changed the rows. */
export class ClaimedOrganisation {
  readonly org: OrgId;
  readonly project: ProjectId;
  readonly controlPlane: ControlPlaneRoute;
  readonly epoch: number;
  /** When its genesis was dated. */
  readonly foundedAt: EpochMs;
  #keyring: Keyring;
  #head: Envelope;
  #headAt: EpochMs;
  /** TLS keys of everybody who was ever a member: one that is none any more gets no link. */
  readonly #everMembers = new Set<string>();
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    org: OrgId;
    project: ProjectId;
    controlPlane: ControlPlaneRoute;
    epoch: number;
    statements: readonly Envelope[];
    head: Envelope;
    headAt: EpochMs;
  }) {
    this.org = parts.org;
    this.project = parts.project;
    this.controlPlane = parts.controlPlane;
    this.epoch = parts.epoch;
    const [genesis] = parts.statements;
    this.foundedAt = genesis === undefined ? parts.headAt : readStatement('keyring', genesis).claimed.at;
    this.#keyring = foldKeyring(parts.statements);
    this.#head = parts.head;
    this.#headAt = parts.headAt;
    for (const statement of parts.statements) this.#remember(statement);
  }

  get keyring(): Keyring {
    return this.#keyring;
  }

  /** The signed head of {@link keyring}. */
  get head(): Envelope {
    return this.#head;
  }

  get headAt(): EpochMs {
    return this.#headAt;
  }

  wasMember(tlsKey: string): boolean {
    return this.#everMembers.has(tlsKey);
  }

  /** Takes up what a committed transaction stored. */
  advance(to: { keyring: Keyring; head: Envelope; headAt: EpochMs; statement?: Envelope }): void {
    this.#keyring = to.keyring;
    this.#head = to.head;
    this.#headAt = to.headAt;
    if (to.statement !== undefined) this.#remember(to.statement);
  }

  /** Runs changes of the keyring one at a time: each continues the one before. */
  exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(run, run);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #remember(statement: Envelope): void {
    const { change } = readStatement('keyring', statement).claimed;
    if ('tls' in change) this.#everMembers.add(change.tls);
  }
}
