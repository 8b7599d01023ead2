import { clientNetwork } from '@ringfence/base';

/** An address may be a site's whose many agents dial at once when a control plane comes back. */
const MOST = { inAll: 2_048, eachAddress: 256 } as const;

/** Counts sockets whose party is not known yet: whoever they are, they have no more than these places, and keep nobody out who said its name. */
export class SilentSockets {
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  /** How many have a place. */
  get count(): number {
    return this.#count;
  }

  /** Takes a place for a socket from `address`; what it gives leaves it, once. Undefined when there is none. */
  enter(address: string): (() => void) | undefined {
    const network = clientNetwork(address);
    const here = this.#byAddress.get(network) ?? 0;
    if (this.#count >= MOST.inAll || here >= MOST.eachAddress) return undefined;
    this.#byAddress.set(network, here + 1);
    this.#count += 1;
    let left = false;
    return () => {
      if (!left) this.#leave(network);
      left = true;
    };
  }

  #leave(network: string): void {
    this.#count -= 1;
    const others = (this.#byAddress.get(network) ?? 0) - 1;
    if (others > 0) this.#byAddress.set(network, others);
    else this.#byAddress.delete(network);
  }
}
