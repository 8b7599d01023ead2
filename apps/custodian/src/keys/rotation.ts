import {
  errorFields,
  RingfenceError,
  type Clock,
  type DeviceId,
  type Log,
  type Rng,
  type Secret,
} from '@ringfence/base';
import type { Selectable } from 'kysely';
import { CustodianError } from '../custodian-error.ts';
import type { Fault } from '../fault-points.ts';
import type { RecordEvent } from '../ledger/record-event.ts';
import type { KeyRotationTable } from '../store/key-tables.ts';
import type { CustodianStore, Tx } from '../store/open-store.ts';
import { BUILT_IN } from './built-in-provider.ts';
import { kekError } from './kek-provider.ts';
import type { OrganisationRing } from './organisation-ring.ts';
import type { KeyOwner, ProjectKeys } from './project-keys.ts';
import { rewrapBatch } from './rewrap.ts';
import { countWrapped, liesUnder } from './wrapped-tables.ts';

/** What rotating works with. */
export interface RotationParts {
  readonly store: Pick<CustodianStore, 'withOrg'>;
  readonly projectKeys: ProjectKeys;
  readonly ring: OrganisationRing;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly record: RecordEvent;
  readonly fault: Fault;
}

/** How the organisation's KEK changes: its provider makes a version, takes the one that was imported, or another provider has it from now on. */
export type RotationWish =
  | { readonly cause: 'rotated' }
  | { readonly cause: 'imported'; readonly key: Secret }
  | { readonly cause: 'moved'; readonly provider: string };

type Row = Selectable<KeyRotationTable>;

/** Wrapping again goes on after a failure when so many milliseconds have passed. */
const AGAIN_MS = 30_000;

/**
 * Gives the organisation and its project new keys, and wraps every data key again in the background: batch after batch, each with the place that
 * it reached in one transaction, so that a process which died goes on where it was. Old versions are destroyed when nothing lies under them.
 */
export class Rotation {
  readonly #parts: RotationParts;
  #owner: KeyOwner | undefined;
  #turn: Promise<void> = Promise.resolve();
  #tail: Promise<unknown> = Promise.resolve();
  #cancelAgain = (): void => {};
  #stopped = false;
  #stalled: string | undefined;

  constructor(parts: RotationParts) {
    this.#parts = parts;
  }

  /** The organisation is there: goes on with what an earlier process began, and with what an earlier release left. */
  start(owner: KeyOwner): void {
    this.#owner = owner;
    this.#goOn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelAgain();
    await this.#turn;
  }

  /** Resolves when what runs in the background is done, or failed. */
  settled(): Promise<void> {
    return this.#turn;
  }

  /**
   * Begins a rotation; wrapping again follows in the background. Throws CustodianError `conflict` while another one is under way, `kek-…`. A move
   * to another provider takes over from one that does not go on: its keys stay until nothing lies under them.
   */
  begin(owner: KeyOwner, wish: RotationWish, device: DeviceId): Promise<void> {
    return this.exclusively(() => this.#begin(owner, wish, device));
  }

  /** Runs changes of keys one at a time. */
  exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(run, run);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #begin(owner: KeyOwner, wish: RotationWish, device: DeviceId): Promise<void> {
    const { store, projectKeys, record, fault, clock } = this.#parts;
    const takesOver = wish.cause === 'moved' && this.#stalled !== undefined;
    if (!takesOver) await store.withOrg(owner.org, (tx) => refuseTwo(tx));
    const provider = await this.#newVersion(owner, wish);
    fault('rotation-after-provider');
    await store.withOrg(owner.org, async (tx) => {
      // Before the keys, as a batch of wrapping again locks them.
      if (takesOver) await endRotation(tx, clock.now());
      const before = await projectKeys.retire(tx, owner);
      const row = await projectKeys.make(owner, before + 1, provider);
      await tx.insertInto('project_kek').values(row).execute();
      await tx.updateTable('organisation').set({ kek_provider: provider }).where('org', '=', owner.org).execute();
      await insertRotation(tx, owner, { version: row.version, cause: wish.cause, at: clock.now() });
      await record(tx, owner.org, { type: 'kek-changed', cause: wish.cause, version: row.version, device });
      fault('rotation-before-commit');
    });
    fault('rotation-after-commit');
    this.#goOn();
  }

  /** Destroys versions of the built-in key under which no project's key lies any more. */
  async tidy(owner: KeyOwner): Promise<void> {
    const { store, ring, fault } = this.#parts;
    const { used, chosen } = await store.withOrg(owner.org, async (tx) => ({
      used: await tx
        .selectFrom('project_kek')
        .select('key_version')
        .where('provider', '=', BUILT_IN)
        .where('box', 'is not', null)
        .execute(),
      chosen: await chosenProvider(tx, owner),
    }));
    const inUse = new Set(used.map(({ key_version }) => Number(key_version)));
    // The one to wrap with next stays; there is none when somebody else holds the key.
    if (chosen === BUILT_IN && ring.current !== undefined) inUse.add(ring.current);
    for (const version of ring.live)
      if (!inUse.has(version)) {
        fault('kek-before-destroy');
        ring.destroy(version);
        fault('kek-after-destroy');
      }
  }

  /** Replaces the built-in key where it has one, and destroys the versions before that nothing lies under. */
  async renewBuiltIn(owner: KeyOwner): Promise<void> {
    const { ring } = this.#parts;
    if (ring.current !== undefined) ring.add();
    await this.tidy(owner);
  }

  /** Why wrapping again does not go on; undefined when it does. */
  get stalled(): string | undefined {
    return this.#stalled;
  }

  async #newVersion(owner: KeyOwner, wish: RotationWish): Promise<string> {
    const { store, projectKeys, ring } = this.#parts;
    if (wish.cause === 'moved') {
      const health = await projectKeys.provider(wish.provider).health();
      if (!health.usable) throw kekError(health.code);
      return wish.provider;
    }
    if (wish.cause === 'imported') {
      ring.add(wish.key);
      return BUILT_IN;
    }
    const chosen = await store.withOrg(owner.org, (tx) => chosenProvider(tx, owner));
    try {
      await projectKeys.provider(chosen).rotate();
    } catch (error) {
      // Its owner rotates it there; the project's key is exchanged all the same.
      if (!(error instanceof CustodianError && error.code === 'kek-denied')) throw error;
      this.#parts.log.info('rotation.version-kept', errorFields(error));
    }
    return chosen;
  }

  #goOn(): void {
    this.#turn = this.#turn.then(() => this.#run());
  }

  async #run(): Promise<void> {
    const { projectKeys } = this.#parts;
    const owner = this.#owner;
    if (owner === undefined || this.#stopped) return;
    this.#cancelAgain();
    try {
      await this.#upgrade(owner);
      while (!this.#stopped && (await this.#step(owner)));
      await this.tidy(owner);
      // What a rotation destroyed in its row is not to stay in memory.
      projectKeys.forget();
      this.#stalled = undefined;
    } catch (error) {
      this.#stalled = error instanceof RingfenceError ? error.code : 'failed';
      this.#parts.log.warn('rotation.failed', errorFields(error));
      if (!this.#stopped) this.#cancelAgain = this.#parts.clock.after(AGAIN_MS, () => this.#goOn());
    }
  }

  /** Rows of a release without keys of projects lie under the one key that it had. */
  async #upgrade(owner: KeyOwner): Promise<void> {
    const { store, projectKeys, clock } = this.#parts;
    await store.withOrg(owner.org, async (tx) => {
      if (!(await liesUnder(tx, projectKeys.earlier.id))) return;
      if ((await openRotation(tx)) !== undefined) return;
      const { version } = await projectKeys.current(tx, owner);
      await insertRotation(tx, owner, { version, cause: 'upgraded', at: clock.now() });
    });
  }

  /** Wraps one batch again, or ends the rotation; whether there may be more to do. */
  async #step(owner: KeyOwner): Promise<boolean> {
    const { store, fault } = this.#parts;
    const more = await store.withOrg(owner.org, async (tx) => {
      const rotation = await openRotation(tx);
      if (rotation === undefined) return false;
      const goesOn =
        (await rewrapBatch(this.#parts, tx, { owner, rotation })) || !(await this.#finish(tx, owner, rotation));
      fault('rewrap-before-commit');
      return goesOn;
    });
    fault('rewrap-after-commit');
    return more;
  }

  /** Whether it is over. */
  async #finish(tx: Tx, owner: KeyOwner, { version }: Row): Promise<boolean> {
    const { clock, record } = this.#parts;
    // Nothing was wrapped under an older version since the rotation began; that none is left is looked at all the same before they go.
    const { total, stale } = await countWrapped(tx, owner, version);
    if (stale > 0) {
      const again = { at_table: 0, at_page: 0, rows_total: total, rows_done: total - stale };
      await tx.updateTable('key_rotation').set(again).where('version', '=', version).execute();
      return false;
    }
    const at = clock.now();
    await tx
      .updateTable('project_kek')
      .set({ state: 'destroyed', box: null, destroyed_at: at })
      .where('project', '=', owner.project)
      .where('version', '<', version)
      .where('state', '=', 'retiring')
      .execute();
    await tx
      .updateTable('key_rotation')
      .set({ finished_at: at, rows_done: total, rows_total: total })
      .where('version', '=', version)
      .execute();
    await record(tx, owner.org, { type: 'kek-rewrapped', version, keys: total });
    return true;
  }
}

/** The provider that holds the organisation's key. */
async function chosenProvider(tx: Tx, { org }: KeyOwner): Promise<string> {
  const row = await tx
    .selectFrom('organisation')
    .select('kek_provider')
    .where('org', '=', org)
    .executeTakeFirstOrThrow();
  return row.kek_provider;
}

/** The rotation that is under way. */
export function openRotation(tx: Tx): Promise<Row | undefined> {
  return tx.selectFrom('key_rotation').selectAll().where('finished_at', 'is', null).forUpdate().executeTakeFirst();
}

/** The rotation that is under way is over, whether it was done or not. */
export async function endRotation(tx: Tx, at: number): Promise<void> {
  await openRotation(tx);
  await tx.updateTable('key_rotation').set({ finished_at: at }).where('finished_at', 'is', null).execute();
}

async function refuseTwo(tx: Tx): Promise<void> {
  if ((await openRotation(tx)) === undefined) return;
  throw new CustodianError('conflict', 'keys are being wrapped again already', {
    next: 'wait until `ringfence key status` says that it is done',
  });
}

async function insertRotation(
  tx: Tx,
  owner: KeyOwner,
  { version, cause, at }: { version: number; cause: Row['cause']; at: number },
): Promise<void> {
  const { total } = await countWrapped(tx, owner, version);
  const begun = { cause, started_at: at, rows_total: total, finished_at: null };
  const from = { rows_done: 0, at_table: 0, at_page: 0 };
  await tx
    .insertInto('key_rotation')
    .values({ org: owner.org, project: owner.project, version, ...begun })
    .onConflict((conflict) => conflict.columns(['org', 'project', 'version']).doUpdateSet({ ...begun, ...from }))
    .execute();
}
