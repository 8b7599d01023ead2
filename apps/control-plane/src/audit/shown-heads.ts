import { errorFields, type MonotonicMs, type OrgId } from '@ringfence/base';
import type { AcceptedLink } from '@ringfence/client/control-link';
import { offerOf, type CheckpointOffer } from '@ringfence/ledger/tlog';
import { logSigner, logVerifierKey } from '@ringfence/store/audit-log';
import { sql } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { PartyId } from '../store/tables.ts';

/** How often a party is shown the log, and how often this process looks who is due. */
const SHOW_EVERY_MS = 300_000;
const LOOK_EVERY_MS = 60_000;
/** Sizes that are remembered of a party: one of them is what it holds, unless connection after connection broke before it kept one. */
const REMEMBERED = 4;

interface Watching {
  readonly link: AcceptedLink;
  /** What this connection was shown last. */
  size: number | undefined;
  at: MonotonicMs | undefined;
}

/**
 * Shows the parties whose links this replica holds the signed heads of their organisation's log, each with the proof that it continues what they
 * hold. Nothing comes back over the link: what a witness finds, it tells its organisation.
 */
export class ShownHeads {
  readonly #context: ControlPlaneContext;
  readonly #watching = new Map<PartyId, Watching>();
  #tail: Promise<void> = Promise.resolve();
  #cancel: () => void;
  #closed = false;

  constructor(context: ControlPlaneContext) {
    this.#context = context;
    this.#cancel = context.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  /** A link is up: it is shown the head with a proof from each size that the party may hold. */
  greet(link: AcceptedLink): void {
    const watching: Watching = { link, size: undefined, at: undefined };
    this.#watching.set(link.party.id, watching);
    this.#show(watching);
  }

  /** A link is over. */
  leave(link: AcceptedLink): void {
    if (this.#watching.get(link.party.id)?.link === link) this.#watching.delete(link.party.id);
  }

  /** The log of an organisation has grown: parties that were shown nothing yet see it now. */
  grown(org: OrgId): void {
    for (const watching of this.#watching.values())
      if (watching.link.party.org === org && watching.at === undefined) this.#show(watching);
  }

  /** Resolves when nothing is shown any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#tail;
  }

  #look(): void {
    const now = this.#context.clock.monotonic();
    for (const watching of this.#watching.values())
      if (now - (watching.at ?? -Infinity) >= SHOW_EVERY_MS) this.#show(watching);
    this.#cancel = this.#context.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  /** One after the other: a fleet that comes back at once has more urgent things to ask the database. */
  #show(watching: Watching): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#closed || this.#watching.get(watching.link.party.id) !== watching) return;
      try {
        await this.#offer(watching);
      } catch (error) {
        this.#context.log.warn('audit.not_shown', errorFields(error));
      }
    });
  }

  async #offer(watching: Watching): Promise<void> {
    const { logs, clock } = this.#context;
    const { party } = watching.link;
    const head = await logs.served.head(party.org);
    if (head === undefined || head.size === watching.size) return;
    const known = await this.#remember(party, head.size);
    const since = watching.size === undefined ? new Set([...known, 0]) : [watching.size];
    const offers: CheckpointOffer[] = [];
    for (const size of since) {
      // A log that was rolled back proves nothing; whoever holds more sees that.
      const oldSize = size > head.size ? 0 : size;
      const proof = oldSize === 0 ? [] : await logs.served.proveConsistency(party.org, oldSize, head.size);
      offers.push(
        offerOf(head.note, logVerifierKey(logSigner(logs.identity, party.org, head.epoch)), { oldSize, proof }),
      );
    }
    watching.size = head.size;
    watching.at = clock.monotonic();
    for (const { proof, ...offer } of offers) watching.link.show({ ...offer, proof: [...proof] });
  }

  /** Notes before it is shown that the party may hold this size from now on; what it may have held before. */
  async #remember({ id, org }: AcceptedLink['party'], size: number): Promise<readonly number[]> {
    const rows = await this.#context.store.queryOrg(org, (db) =>
      sql<{ before: string[] }>`
        with before as (select sizes from audit_shown where party = ${id})
        insert into audit_shown (org, party, sizes) values (${org}, ${id}, array[${size}::bigint])
        on conflict (party) do update
          set sizes = case when audit_shown.sizes[1] = ${size} then audit_shown.sizes else (${size}::bigint || audit_shown.sizes)[1:${REMEMBERED}::int] end
        returning coalesce((select sizes from before), '{}') as before`.compile(db),
    );
    return (rows[0]?.before ?? []).map(Number);
  }
}
