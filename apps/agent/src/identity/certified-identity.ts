import { durationMs, errorFields, type AgentId, type Clock, type Log, type Rng } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import { storedLinkIdentity, type LinkIdentity } from '@ringfence/client/payload-link';

/** What renewing needs. */
export interface CertifiedIdentityParts {
  readonly agent: AgentId;
  /** The key that the keyring names, under a certificate that nobody gave it. */
  readonly own: LinkIdentity;
  /** A client of the custodian over links of that identity. */
  readonly dial: (own: LinkIdentity) => Pick<CustodianClient, 'certify' | 'close'>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

interface Held {
  readonly identity: LinkIdentity;
  readonly lifetimeMs: number;
  /** At which part of its life it is renewed. */
  readonly renewAt: number;
  readonly wall: number;
  readonly monotonic: number;
}

/** A link that is older takes no further request: the certificate that opens one is good for half an hour at the least. */
export const LINK_RENEWED_AFTER_MS = durationMs(20 * 60_000);
/** A custodian of an earlier release, or one that refuses, is asked again after so long. */
const ASK_AGAIN_AFTER_MS = { unknown: 1_800_000, refused: 15_000 };

/**
 * Who this agent is to its custodian: its own key, under the certificate that the custodian gave it within the hour. It is held in memory alone: a
 * process that starts asks for its first one by its key. Renewed when a link is opened past half of its life (give or take a tenth), so that a
 * custodian that comes back after hours finds links that begin with a renewal, and nothing that waits for one.
 */
export class CertifiedIdentity {
  readonly #parts: CertifiedIdentityParts;
  #held: Held | undefined;
  #asking: Promise<LinkIdentity> | undefined;
  /** By the monotonic clock. */
  #notBefore = -Infinity;

  constructor(parts: CertifiedIdentityParts) {
    this.#parts = parts;
  }

  /**
   * The identity for the next link. Throws ClientError when the custodian cannot be reached and no certificate holds, and ApiRefusal when it cannot
   * answer; one that gives no certificates, or refuses this agent one, gets the key alone, and decides.
   */
  async current(): Promise<LinkIdentity> {
    const { own, clock, log } = this.#parts;
    const held = this.#held;
    if (held !== undefined && this.#ageOf(held) < held.renewAt * held.lifetimeMs) return held.identity;
    if (clock.monotonic() < this.#notBefore) return held?.identity ?? own;
    try {
      this.#asking ??= this.#renew().finally(() => (this.#asking = undefined));
      return await this.#asking;
    } catch (error) {
      if (held !== undefined && this.#ageOf(held) < held.lifetimeMs) return held.identity;
      if (!(error instanceof ApiRefusal) || error.status >= 500) throw error;
      const wait = error.status === 404 ? ASK_AGAIN_AFTER_MS.unknown : ASK_AGAIN_AFTER_MS.refused;
      this.#notBefore = clock.monotonic() + wait;
      if (error.status !== 404) log.warn('certificate.refused', errorFields(error));
      return own;
    }
  }

  /** The custodian takes the certificate no more, as when its clock went another way: the next link begins with another one. */
  lapsed(): void {
    this.#held = undefined;
  }

  async #renew(): Promise<LinkIdentity> {
    const { agent, own, dial, clock, rng } = this.#parts;
    const custodian = dial(own);
    try {
      const [wall, monotonic] = [clock.now(), clock.monotonic()];
      const { certificate, lifetimeMs } = await custodian.certify(agent);
      const identity = storedLinkIdentity(own.key, certificate);
      const [drawn = 0] = rng.bytes(1);
      this.#held = { identity, lifetimeMs, renewAt: 0.45 + drawn / 2_550, wall, monotonic };
      return identity;
    } finally {
      custodian.close();
    }
  }

  /** By the clock that went further: the one may be set back, the other stands still while the machine sleeps. */
  #ageOf({ wall, monotonic }: Held): number {
    const { clock } = this.#parts;
    return Math.max(clock.now() - wall, clock.monotonic() - monotonic);
  }
}
