import type { MonotonicMs } from '@ringfence/base';
import {
  checkListenProof,
  type ListenOccasion,
  type ListenProof,
  type RelayAddress,
  type RelayCloseReason,
  type RelayMessage,
  type RelayTicket,
} from '@ringfence/client/relay-protocol';
import type { RelayLimits } from './limits.ts';

/** Names one WebSocket for the life of the process. */
export type Connection = number;

/** What a connection is at the moment. */
type Party =
  | { readonly kind: 'proving'; readonly occasion: ListenOccasion; readonly until: number }
  | { readonly kind: 'listener'; readonly address: RelayAddress }
  | { readonly kind: 'caller'; readonly address: RelayAddress; readonly ticket: RelayTicket; readonly until: number }
  | { readonly kind: 'linked'; readonly address: RelayAddress; readonly called: boolean };

/** What happens at the relay. `until` of the parties is counted from `now`, by the monotonic clock. */
export type SwitchboardEvent =
  | { readonly type: 'listen'; readonly from: Connection; readonly occasion: ListenOccasion; readonly now: MonotonicMs }
  | { readonly type: 'proof'; readonly from: Connection; readonly proof: ListenProof | undefined }
  | {
      readonly type: 'dial';
      readonly from: Connection;
      readonly address: RelayAddress;
      readonly ticket: RelayTicket;
      readonly now: MonotonicMs;
    }
  | { readonly type: 'accept'; readonly from: Connection; readonly ticket: RelayTicket; readonly now: MonotonicMs }
  | { readonly type: 'gone'; readonly from: Connection }
  | { readonly type: 'tick'; readonly now: MonotonicMs };

/** What the relay has to do. */
export type SwitchboardCommand =
  | { readonly type: 'send'; readonly to: Connection; readonly message: RelayMessage }
  | { readonly type: 'close'; readonly to: Connection; readonly reason: RelayCloseReason }
  | { readonly type: 'join'; readonly caller: Connection; readonly taker: Connection; readonly address: RelayAddress };

/**
 * Who listens, who calls, who is joined. Deterministic and without any input or output of its own: chance and time come
 * in with the events. `step` changes the board in place, since copying thousands of entries a step would not pay.
 */
export class Switchboard {
  readonly #limits: RelayLimits;
  readonly #parties = new Map<Connection, Party>();
  readonly #listeners = new Map<RelayAddress, Connection>();
  readonly #callers = new Map<RelayTicket, Connection>();
  readonly #calls = new Map<RelayAddress, number>();
  readonly #links = new Map<RelayAddress, number>();
  #linked = 0;

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  /** Addresses that are listened on, waiting calls, joined links. */
  get counts(): { readonly listeners: number; readonly calls: number; readonly links: number } {
    return { listeners: this.#listeners.size, calls: this.#callers.size, links: this.#linked };
  }

  /** Takes one event in and says what to do about it. */
  step(event: SwitchboardEvent): readonly SwitchboardCommand[] {
    switch (event.type) {
      case 'listen':
        return this.#listen(event);
      case 'proof':
        return this.#proof(event.from, event.proof);
      case 'dial':
        return this.#dial(event);
      case 'accept':
        return this.#accept(event);
      case 'gone':
        return this.#gone(event.from);
      case 'tick':
        return this.#tick(event.now);
    }
  }

  #listen(event: Extract<SwitchboardEvent, { type: 'listen' }>): readonly SwitchboardCommand[] {
    const { from, occasion } = event;
    this.#parties.set(from, { kind: 'proving', occasion, until: event.now + this.#limits.answerWithin });
    return [{ type: 'send', to: from, message: { type: 'challenge', challenge: occasion.challenge } }];
  }

  #proof(from: Connection, proof: ListenProof | undefined): readonly SwitchboardCommand[] {
    const party = this.#parties.get(from);
    if (party?.kind !== 'proving' || proof === undefined) return this.#close(from, 'bad-message');
    const checked = checkListenProof(proof, party.occasion);
    if (!checked.allow) return this.#close(from, 'proof-refused');
    const { address } = checked;
    const before = this.#listeners.get(address);
    // Forget the older one first: its `gone` must not take the newer one's place away.
    const replaced = before === undefined ? [] : this.#close(before, 'replaced');
    this.#parties.set(from, { kind: 'listener', address });
    this.#listeners.set(address, from);
    return [...replaced, { type: 'send', to: from, message: { type: 'listening' } }];
  }

  #dial(event: Extract<SwitchboardEvent, { type: 'dial' }>): readonly SwitchboardCommand[] {
    const { from, address, ticket } = event;
    const listener = this.#listeners.get(address);
    if (listener === undefined) return [{ type: 'close', to: from, reason: 'peer-offline' }];
    const calls = this.#calls.get(address) ?? 0;
    const links = this.#links.get(address) ?? 0;
    const { callsPerAddress, linksPerAddress } = this.#limits;
    if (calls >= callsPerAddress || calls + links >= linksPerAddress)
      return [{ type: 'close', to: from, reason: 'peer-busy' }];
    if (this.#linked + this.#callers.size >= this.#limits.links)
      return [{ type: 'close', to: from, reason: 'too-many' }];
    this.#parties.set(from, { kind: 'caller', address, ticket, until: event.now + this.#limits.answerWithin });
    this.#callers.set(ticket, from);
    this.#calls.set(address, calls + 1);
    return [{ type: 'send', to: listener, message: { type: 'incoming', ticket } }];
  }

  #accept(event: Extract<SwitchboardEvent, { type: 'accept' }>): readonly SwitchboardCommand[] {
    const { from: taker, ticket } = event;
    const caller = this.#callers.get(ticket);
    const party = caller === undefined ? undefined : this.#parties.get(caller);
    if (caller === undefined || party?.kind !== 'caller' || event.now >= party.until)
      return [{ type: 'close', to: taker, reason: 'ticket-refused' }];
    const { address } = party;
    this.#forget(caller);
    this.#parties.set(caller, { kind: 'linked', address, called: false });
    this.#parties.set(taker, { kind: 'linked', address, called: true });
    this.#links.set(address, (this.#links.get(address) ?? 0) + 1);
    this.#linked += 1;
    return [{ type: 'join', caller, taker, address }];
  }

  #gone(from: Connection): readonly SwitchboardCommand[] {
    const party = this.#forget(from);
    if (party?.kind !== 'listener') return [];
    return this.#callersOf(party.address).flatMap((caller) => this.#close(caller, 'peer-offline'));
  }

  #tick(now: MonotonicMs): readonly SwitchboardCommand[] {
    const late = [...this.#parties].filter(([, party]) => 'until' in party && now >= party.until);
    return late.flatMap(([from, party]) => this.#close(from, party.kind === 'caller' ? 'no-answer' : 'proof-refused'));
  }

  #close(to: Connection, reason: RelayCloseReason): readonly SwitchboardCommand[] {
    this.#forget(to);
    return [{ type: 'close', to, reason }];
  }

  #callersOf(address: RelayAddress): Connection[] {
    return [...this.#callers.values()].filter((caller) => {
      const party = this.#parties.get(caller);
      return party?.kind === 'caller' && party.address === address;
    });
  }

  /** Takes a connection off the board, whatever it was. */
  #forget(from: Connection): Party | undefined {
    const party = this.#parties.get(from);
    this.#parties.delete(from);
    if (party?.kind === 'listener' && this.#listeners.get(party.address) === from)
      this.#listeners.delete(party.address);
    if (party?.kind === 'caller') {
      this.#callers.delete(party.ticket);
      decrease(this.#calls, party.address);
    }
    // A link is counted once, by the side that was called.
    if (party?.kind === 'linked' && party.called) {
      decrease(this.#links, party.address);
      this.#linked -= 1;
    }
    return party;
  }
}

function decrease(counts: Map<RelayAddress, number>, address: RelayAddress): void {
  const left = (counts.get(address) ?? 1) - 1;
  if (left > 0) counts.set(address, left);
  else counts.delete(address);
}
