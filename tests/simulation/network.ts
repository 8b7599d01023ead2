import type { Chance } from './chance.ts';
import type { Timeline } from './timeline.ts';

/** Who sends and receives: an agent's id, or one of the two servers. */
export type Party = string;

/** How bad the network is; percentages of single sendings. */
export interface Weather {
  readonly dropPercent: number;
  readonly duplicatePercent: number;
  /** Now and then a sending takes this long instead, so that later ones overtake it. */
  readonly straggleMs: number;
}

const USUAL_MS = 40;
const AGAIN_MS = 3_000;

/**
 * Messages between parties: dropped, doubled, delayed and so reordered, cut by partitions, lost when the receiver is down. A `sure` one is sent again until a sending
 * arrived and its receipt came back, as a control link's outbox does; it arrives at least once, and in no order, which is worse than the real link.
 */
export class Network {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #down = new Set<Party>();
  readonly #cut = new Set<string>();
  weather: Weather;

  constructor(timeline: Timeline, chance: Chance, weather: Weather) {
    this.#timeline = timeline;
    this.#chance = chance;
    this.weather = weather;
  }

  /** Sends once; whether it arrives is the weather's. */
  send(from: Party, to: Party, arrive: () => void): void {
    const { dropPercent, duplicatePercent } = this.weather;
    const copies = this.#chance.percent(duplicatePercent) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.#chance.percent(dropPercent)) continue;
      this.#timeline.after(this.#delay(), () => {
        if (this.#reaches(from, to)) arrive();
      });
    }
  }

  /** Sends until it arrived, also through deaths of either side: what is sure is on the sender's disk. */
  sure(from: Party, to: Party, arrive: () => void): void {
    let known = false;
    const again = (): void => {
      if (known) return;
      if (!this.#down.has(from))
        this.send(from, to, () => {
          arrive();
          this.send(to, from, () => {
            known = true;
          });
        });
      this.#timeline.after(AGAIN_MS + this.#chance.below(AGAIN_MS), again);
    };
    again();
  }

  setDown(party: Party, down: boolean): void {
    if (down) this.#down.add(party);
    else this.#down.delete(party);
  }

  setCut(a: Party, b: Party, cut: boolean): void {
    for (const pair of [`${a} ${b}`, `${b} ${a}`]) {
      if (cut) this.#cut.add(pair);
      else this.#cut.delete(pair);
    }
  }

  /** No partition any more. */
  heal(): void {
    this.#cut.clear();
  }

  #reaches(from: Party, to: Party): boolean {
    return !this.#down.has(to) && !this.#cut.has(`${from} ${to}`);
  }

  #delay(): number {
    const straggles = this.#chance.oneIn(50);
    return 1 + this.#chance.below(straggles ? this.weather.straggleMs : USUAL_MS);
  }
}
