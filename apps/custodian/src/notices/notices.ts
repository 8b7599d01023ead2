import { errorFields, toHex, type Clock, type JobId, type Log, type Rng } from '@ringfence/base';
import { HttpsExchange } from '@ringfence/client/api';
import type { NotifyEvent } from '@ringfence/protocol/payload';
import type { Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianKeys } from '../identity/custodian-keys.ts';
import { openWorkload } from '../jobs/open-workload.ts';
import type { CustodianStore, Tx } from '../store/open-store.ts';
import type { ColumnSeal } from '../store/sealed-column.ts';
import { JOB_NAME } from '../store/sealed-columns.ts';
import type { NoticeTable } from '../store/tables.ts';
import { noticeRequest, waitAfter } from './notice-message.ts';
import type { Webhook } from './webhook-file.ts';

/** What notices are made of and sent with. */
export interface NoticeParts {
  readonly webhooks: readonly Webhook[];
  readonly store: CustodianStore;
  readonly keys: CustodianKeys;
  readonly columns: ColumnSeal;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly outer: { readonly caFile: string | undefined; readonly proxy: string | undefined };
}

const AT_ONCE = 16;
const LONGEST_NAP_MS = 60_000;

/**
 * Tells the operator's webhooks when jobs end that ask for it. A notice is stored in the transaction of the end itself and sent until it was
 * taken: at least once, never to a place that is not in the configuration, and no redirect is followed.
 */
export class Notices {
  readonly #parts: NoticeParts;
  readonly #exchanges: readonly HttpsExchange[];
  readonly #stopping = new AbortController();
  #claimed: ClaimedOrganisation | undefined;
  #cancelNap = (): void => {};
  #sending: Promise<void> | undefined;
  #again = false;

  constructor(parts: NoticeParts) {
    this.#parts = parts;
    const { clock, outer } = parts;
    this.#exchanges = parts.webhooks.map(
      ({ url, caFile = outer.caFile }) =>
        new HttpsExchange({
          url: new URL(url).origin,
          clock,
          proxy: outer.proxy,
          ...(caFile === undefined ? {} : { caFile }),
        }),
    );
  }

  /** Stores what is to be told of a job that ends in `tx`; it is sent after {@link wake}. */
  async note(tx: Tx, claimed: ClaimedOrganisation, job: JobId, outcome: NotifyEvent): Promise<void> {
    const { webhooks, clock, rng } = this.#parts;
    if (webhooks.length === 0) return;
    const row = await tx.selectFrom('job').select('workload').where('job', '=', job).executeTakeFirst();
    const workload = row === undefined ? undefined : await openWorkload(this.#parts, claimed.org, job, row.workload);
    if (workload?.notify?.includes(outcome) !== true) return;
    const at = clock.now();
    const rows = webhooks.map((_, webhook) => ({
      id: `msg_${toHex(rng.bytes(16))}`,
      org: claimed.org,
      job,
      webhook,
      outcome,
      at,
      next_at: at,
    }));
    await tx.insertInto('notice').values(rows).execute();
  }

  /** The organisation is there: sends what waits. */
  start(claimed: ClaimedOrganisation): void {
    this.#claimed = claimed;
    this.wake();
  }

  /** Something may be due. */
  wake(): void {
    // Without an organisation or a webhook nothing is ever due, and a look that returns at once would be made again for ever.
    if (this.#claimed === undefined || this.#parts.webhooks.length === 0) return;
    this.#cancelNap();
    this.#again = true;
    this.#sending ??= this.#run().finally(() => {
      this.#sending = undefined;
      // What was stored while the last look was made.
      if (this.#again && !this.#stopping.signal.aborted) this.wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelNap();
    for (const exchange of this.#exchanges) await exchange.close();
    await this.#sending;
  }

  async #run(): Promise<void> {
    const { webhooks, clock, log } = this.#parts;
    const claimed = this.#claimed;
    if (claimed === undefined || webhooks.length === 0) return;
    try {
      while (this.#again && !this.#stopping.signal.aborted) {
        this.#again = false;
        const due = await this.#due(claimed);
        for (const notice of due) await this.#send(claimed, notice);
        if (due.length > 0) this.#again = true;
      }
    } catch (error) {
      log.warn('notice.waits', errorFields(error));
    }
    if (!this.#stopping.signal.aborted) this.#cancelNap = clock.after(LONGEST_NAP_MS, () => this.wake());
    await this.#napUntilDue(claimed).catch((error: unknown) => log.warn('notice.waits', errorFields(error)));
  }

  async #napUntilDue(claimed: ClaimedOrganisation): Promise<void> {
    const { store, clock } = this.#parts;
    const next = await store.withOrg(claimed.org, (tx) =>
      tx.selectFrom('notice').select('next_at').orderBy('next_at').limit(1).executeTakeFirst(),
    );
    if (next === undefined || this.#stopping.signal.aborted) return;
    this.#cancelNap();
    const wait = Math.min(LONGEST_NAP_MS, Math.max(0, next.next_at - clock.now()));
    this.#cancelNap = clock.after(wait, () => this.wake());
  }

  #due({ org }: ClaimedOrganisation): Promise<Selectable<NoticeTable>[]> {
    const { store, clock } = this.#parts;
    return store.withOrg(org, (tx) =>
      tx
        .selectFrom('notice')
        .selectAll()
        .where('next_at', '<=', clock.now())
        .orderBy('next_at')
        .limit(AT_ONCE)
        .execute(),
    );
  }

  async #send(claimed: ClaimedOrganisation, row: Selectable<NoticeTable>): Promise<void> {
    const { store, rng, log, clock } = this.#parts;
    const tries = row.tries + 1;
    const taken = await this.#try(claimed, row);
    const wait = waitAfter(tries, (rng.bytes(1)[0] ?? 0) / 255);
    log.info(taken ? 'notice.sent' : 'notice.not-taken', { job: row.job, count: tries });
    await store.withOrg(claimed.org, async (tx) => {
      if (taken || wait === undefined) await tx.deleteFrom('notice').where('id', '=', row.id).execute();
      else
        await tx
          .updateTable('notice')
          .set({ tries, next_at: clock.now() + wait })
          .where('id', '=', row.id)
          .execute();
    });
    if (!taken && wait === undefined) log.warn('notice.given-up', { job: row.job, count: tries });
  }

  /** Whether the webhook took it: any status of 2xx (and, of one that is not configured any more, always). */
  async #try(claimed: ClaimedOrganisation, row: Selectable<NoticeTable>): Promise<boolean> {
    const { webhooks, clock, log } = this.#parts;
    const webhook = webhooks[row.webhook];
    const exchange = this.#exchanges[row.webhook];
    if (webhook === undefined || exchange === undefined) return true;
    const name = webhook.names ? await this.#nameOf(claimed, row.job) : undefined;
    const { body, headers } = noticeRequest({ ...row, name }, webhook.secret, clock.now());
    const { pathname, search } = new URL(webhook.url);
    try {
      const { status } = await exchange.send({ method: 'POST', target: `${pathname}${search}`, headers, body });
      return status >= 200 && status < 300;
    } catch (error) {
      log.info('notice.failed', { job: row.job, ...errorFields(error) });
      return false;
    }
  }

  async #nameOf({ org }: ClaimedOrganisation, job: JobId): Promise<string | undefined> {
    const { store, columns } = this.#parts;
    const row = await store.withOrg(org, (tx) =>
      tx.selectFrom('job').select('name_box').where('job', '=', job).executeTakeFirst(),
    );
    return row === undefined ? undefined : columns.open(JOB_NAME, job, row.name_box);
  }
}
