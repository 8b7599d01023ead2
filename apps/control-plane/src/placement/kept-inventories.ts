import type { OrgId } from '@ringfence/base';
import { LeastUsed } from '@ringfence/policy/placement';
import { KeptInventory, type KeptLimits } from './kept-inventory.ts';

const MOST_KEPT = 64;

/** The inventories of the organisations that were asked about last, as many as fit. */
export class KeptInventories {
  readonly #kept = new LeastUsed<OrgId, KeptInventory>(MOST_KEPT);
  readonly #limits: KeptLimits;

  constructor(limits: KeptLimits) {
    this.#limits = limits;
  }

  /** The inventory of `org`; its caller brings it up to date. */
  of(org: OrgId): KeptInventory {
    const kept = this.#kept.get(org) ?? new KeptInventory(this.#limits);
    this.#kept.set(org, kept);
    return kept;
  }

  /** Forgets one that may know what was never committed. */
  forget(org: OrgId): void {
    this.#kept.delete(org);
  }
}
