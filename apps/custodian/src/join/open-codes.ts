import type { JoinCodeId, OrgId } from '@ringfence/base';
import type { CustodianStore } from '../store/open-store.ts';

/** Which join codes can still be spent, in memory: asked for each link of an unknown key, before a byte of HTTP is read. */
export class OpenCodes {
  readonly #expires = new Map<JoinCodeId, number>();

  /** Takes up the codes that nobody has spent. */
  async load(store: CustodianStore, org: OrgId): Promise<void> {
    const rows = await store.withOrg(org, (tx) =>
      tx.selectFrom('join_code').select(['id', 'expires_at']).where('spent_at', 'is', null).execute(),
    );
    for (const { id, expires_at } of rows) this.add(id, expires_at);
  }

  /** A code was made that can be spent before `expires`. */
  add(id: JoinCodeId, expires: number): void {
    this.#expires.set(id, expires);
  }

  /** A code was spent. */
  remove(id: JoinCodeId): void {
    this.#expires.delete(id);
  }

  /** Whether somebody may still come who is no member yet. */
  anyOpen(now: number): boolean {
    for (const [id, expires] of this.#expires) if (expires <= now) this.#expires.delete(id);
    return this.#expires.size > 0;
  }
}
