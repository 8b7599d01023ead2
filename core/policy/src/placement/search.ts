import type { OfferId } from '@ringfence/base';
import { COMPARES_PRICE, type Amounts } from './amounts.ts';
import type { BestOffers } from './best-offers.ts';
import {
  FAN_OUT,
  LEAST_ID,
  LEAST_PRICE,
  MOST_CPU,
  MOST_DISK,
  MOST_MEMORY,
  MOST_SHARE,
  MOST_WHOLE,
  NODE,
} from './bound-tree.ts';
import type { ClassFit, FittedClass } from './class-fit.ts';
import type { Inventory } from './inventory.ts';
import { cell } from './offer-row-layout.ts';
import { scoreOf } from './score.ts';
import { fitsAt, scoreAt } from './scored-offer.ts';

/** What to look for, and where to put it. */
export interface SearchFor {
  readonly fit: ClassFit;
  readonly amounts: Amounts;
  /** How many of the best. */
  readonly most: number;
  /** Not these. */
  readonly except?: ReadonlySet<OfferId> | undefined;
  /** Holds only offers that fit and are not in `except`: beginning with good ones leaves out nearly everything else. */
  readonly best: BestOffers;
}

/** Finds the best offers of an inventory; exact, since only what cannot be among them is left out. */
export function searchBest(inventory: Inventory, wanted: SearchFor): void {
  const { fit, best, most } = wanted;
  best.begin(most);
  for (const [place, fitted] of fit.order(inventory).entries()) {
    // Classes come by home, then by bound: what follows cannot be better either.
    if (!best.mayRank(fitted.home, fit.boundAt(place))) break;
    const { levels } = fitted.offerClass.bounds;
    if (levels.length > 0 && fitted.offerClass.size > 0) visit(wanted, fitted, levels.length - 1, 0);
  }
  best.end();
}

function visit(wanted: SearchFor, fitted: FittedClass, level: number, node: number): void {
  const { levels } = fitted.offerClass.tree;
  const nodes = levels[level];
  if (nodes === undefined || !mayHold(wanted, fitted, nodes, node * NODE)) return;
  const first = node * FAN_OUT;
  if (level === 0) {
    const end = Math.min(fitted.offerClass.slots, first + FAN_OUT);
    for (let slot = first; slot < end; slot += 1) look(wanted, fitted, slot);
    return;
  }
  const end = Math.min((levels[level - 1]?.length ?? 0) / NODE, first + FAN_OUT);
  for (let child = first; child < end; child += 1) visit(wanted, fitted, level - 1, child);
}

/** Whether a node may hold an offer that fits and is among the best. */
function mayHold({ amounts, fit, best }: SearchFor, fitted: FittedClass, nodes: Float64Array, start: number): boolean {
  const { cpuMilli, memoryBytes, diskBytes, cards, share, priceLimit } = amounts;
  if (cell(nodes, start + MOST_CPU) < cpuMilli || cell(nodes, start + MOST_MEMORY) < memoryBytes) return false;
  if (cell(nodes, start + MOST_DISK) < diskBytes || cell(nodes, start + MOST_WHOLE) < cards) return false;
  if (cell(nodes, start + MOST_SHARE) < share) return false;
  if ((fitted.how & COMPARES_PRICE) !== 0 && cell(nodes, start + LEAST_PRICE) > priceLimit) return false;
  const bound = scoreOf(fit.requirement.weights, nodes, start + LEAST_PRICE, fitted.leastHaul);
  return best.mayHold(fitted, bound, cell(nodes, start + LEAST_ID));
}

function look({ fit, amounts, best, except }: SearchFor, fitted: FittedClass, slot: number): void {
  const score = scoreAt(fit.requirement, fitted, slot);
  if (!best.mayRank(fitted.home, score) || !fitsAt(amounts, fitted, slot) || best.has(fitted.number, slot)) return;
  const offer = except === undefined ? undefined : fitted.offerClass.offerAt(slot)?.offer;
  if (offer !== undefined && except?.has(offer) === true) return;
  best.add(fitted, slot, score);
}
