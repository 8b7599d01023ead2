import { preparsePolicySet } from '@cedar-policy/cedar-wasm/nodejs';
import { PolicyError } from '../policy-error.ts';
import type { CompiledPolicy } from './compiled-policy.ts';

/** How many parsed sets an authoriser keeps: as many as there are combinations of roles and actions in daily use. */
const MOST_SETS = 256;

// Cedar keeps parsed sets under a name for the life of the process: each keeper takes names of its own, and uses them again.
let keepers = 0;

/** Sets of policies, parsed when they are first asked for; the set that was asked for longest ago gives way. */
export class ParsedSets {
  readonly #keeper: number;
  readonly #names = new Map<string, string>();

  constructor() {
    keepers += 1;
    this.#keeper = keepers;
  }

  /** The name under which Cedar has exactly these policies. */
  nameOf(policies: readonly CompiledPolicy[]): string {
    const key = policies.map(({ id }) => id).join('\n');
    const known = this.#names.get(key);
    if (known !== undefined) {
      if (this.#names.size === MOST_SETS) this.#freshen(key, known);
      return known;
    }
    const name = this.#freeName();
    const parsed = preparsePolicySet(name, {
      staticPolicies: Object.fromEntries(policies.map(({ id, rest }) => [id, rest])),
    });
    if (parsed.type === 'failure') throw new PolicyError('bad-policy', 'the policies do not parse', { cause: parsed });
    this.#names.set(key, name);
    return name;
  }

  #freshen(key: string, name: string): void {
    this.#names.delete(key);
    this.#names.set(key, name);
  }

  #freeName(): string {
    const [oldest] = this.#names.size < MOST_SETS ? [] : this.#names;
    if (oldest === undefined) return `ringfence-${this.#keeper}-${this.#names.size}`;
    this.#names.delete(oldest[0]);
    return oldest[1];
  }
}
