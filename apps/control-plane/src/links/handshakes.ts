import type { Clock } from '@ringfence/base';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { PartyId } from '../store/tables.ts';
import { WaitingLine } from '../waiting-line.ts';

/**
 * More handshakes at once would end in time-outs on both sides, and be begun anew; a party that sent its open frame waits 10 s for the answer.
 */
const HANDSHAKES = { atOnce: 48, longestWaitMs: 5_000 } as const;

/** A connection whose open frame named a party. */
interface Shaking {
  /** Resolves when the handshake, or the connection, is over. */
  readonly over: Promise<void>;
  /** Ends the connection at once. */
  readonly cut: () => void;
}

/** Handshakes of known parties, so many at once, and one of each party: nothing proves yet that it is the party which dials. */
export class Handshakes {
  readonly #clock: Clock;
  readonly #line: WaitingLine;
  readonly #newest = new Map<PartyId, Shaking>();
  #busyUntil = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#line = new WaitingLine(clock, HANDSHAKES);
  }

  /** After how many seconds it is worth dialling, while more wait than can be answered in time. */
  get retryAfterS(): number | undefined {
    const leftMs = this.#busyUntil - this.#clock.monotonic();
    return leftMs > 0 ? Math.ceil(leftMs / 1_000) : undefined;
  }

  /** Waits for a handshake's turn, which lasts until it is over, and cuts an older one of the party; false when the turn would come too late. */
  turn(party: PartyId, shaking: Shaking): Promise<boolean> {
    this.#newest.get(party)?.cut();
    this.#newest.set(party, shaking);
    void shaking.over.then(() => this.#newest.get(party) === shaking && this.#newest.delete(party));
    return new Promise((resolve, reject) => {
      this.#line
        .run(() => {
          resolve(true);
          return shaking.over;
        })
        .catch((error: unknown) => {
          if (!(error instanceof ControlPlaneError)) return reject(error);
          this.#busyUntil = this.#clock.monotonic() + (error.retryAfterS ?? 1) * 1_000;
          resolve(false);
        });
    });
  }
}
