import { equalBytes, Secret, type Clock, type OrgId, type ProjectId, type Rng } from '@ringfence/base';
import { KeyEncryptionKey } from '@ringfence/crypto/seal';
import type { Selectable } from 'kysely';
import { CustodianError } from '../custodian-error.ts';
import type { ProjectKekTable } from '../store/key-tables.ts';
import type { Tx } from '../store/open-store.ts';
import { kekError, type KekAad, type KekProvider, type KekProviders } from './kek-provider.ts';

/** What the keys of projects are made and opened with. */
export interface ProjectKeyParts {
  readonly providers: KekProviders;
  /** The key that wrapped data keys before projects had keys of their own. */
  readonly earlier: KeyEncryptionKey;
  readonly clock: Clock;
  readonly rng: Rng;
}

/** Whose keys. */
export interface KeyOwner {
  readonly org: OrgId;
  readonly project: ProjectId;
}

type Row = Selectable<ProjectKekTable>;

/**
 * The key-encryption keys (KEK) of projects: each under the organisation's KEK in its row, and unwrapped in memory for as long as its provider
 * allows. Data keys are wrapped under the current one, in a transaction that holds it: a rotation waits for those that began before it, so
 * nothing comes to lie under a key that is being retired.
 */
export class ProjectKeys {
  readonly #parts: ProjectKeyParts;
  readonly #kept = new Map<string, { readonly key: KeyEncryptionKey; readonly until: number }>();
  /** Raised by {@link forget}: what was looked up before is kept no more, however late its provider answers. */
  #generation = 0;
  /** What one transaction unwrapped serves it to its end, however short a provider lets keys be kept. */
  readonly #ofTx = new WeakMap<Tx, Map<string, Promise<KeyEncryptionKey>>>();

  constructor(parts: ProjectKeyParts) {
    this.#parts = parts;
  }

  /** The key to wrap under, held to the end of `tx`; a project's first one is made. Throws CustodianError `shredded`, `kek-…`. */
  current(tx: Tx, owner: KeyOwner): Promise<KeyEncryptionKey> {
    return this.#once(tx, 'current', async () => {
      const generation = this.#generation;
      const row = (await heldRow(tx, owner)) ?? (await this.#first(tx, owner));
      // A first key may have been made while its project was shredded.
      if (await isShredded(tx)) throw shredded();
      return this.#opened(tx, owner, { row, generation });
    });
  }

  /** The key that a row names, to unwrap with. Throws CustodianError `kek-…`. */
  async named(tx: Tx, owner: KeyOwner, { kek, version }: { kek: string; version: number }): Promise<KeyEncryptionKey> {
    const { earlier } = this.#parts;
    if (kek === earlier.id && version === earlier.version)
      return this.#once(tx, 'named earlier', async () => {
        await refuseDestroyed(tx);
        return earlier;
      });
    if (kek !== owner.project) throw kekError('kek-tampered');
    return this.#once(tx, `named ${version}`, async () => {
      const generation = this.#generation;
      await refuseDestroyed(tx);
      // Before what is kept: a key that is destroyed opens nothing, wherever it may still lie.
      const row = await tx
        .selectFrom('project_kek')
        .selectAll()
        .where('project', '=', owner.project)
        .where('version', '=', version)
        .executeTakeFirst();
      if (row === undefined) throw kekError('kek-tampered');
      return this.#opened(tx, owner, { row, generation });
    });
  }

  /** Takes the current key out of use, after those who wrap under it now; the newest version so far, 0 without any. Throws CustodianError `shredded`. */
  async retire(tx: Tx, owner: KeyOwner): Promise<number> {
    const row = await tx
      .updateTable('project_kek')
      .set({ state: 'retiring' })
      .where('project', '=', owner.project)
      .where('state', '=', 'current')
      .returning('version')
      .executeTakeFirst();
    if (row === undefined || (await isShredded(tx))) await refuseShredded(tx, owner);
    return row?.version ?? 0;
  }

  /**
   * A fresh key as the row of the next version, wrapped by `provider`'s current version, and seen to unwrap again: what comes to lie under a
   * key that nobody can open is lost. Throws CustodianError `kek-…`.
   */
  async make(owner: KeyOwner, version: number, provider: string): Promise<Row> {
    const { rng, clock } = this.#parts;
    using key = new Secret(rng.bytes(32));
    const holder = this.provider(provider);
    const { keyVersion, wrapped } = await holder.wrap(key, aadOf(owner, version));
    using again = await holder.unwrap({ keyVersion, wrapped }, aadOf(owner, version));
    if (!equalBytes(key.expose(), again.expose())) throw kekError('kek-tampered');
    const { org, project } = owner;
    return {
      org,
      project,
      version,
      provider,
      key_version: keyVersion,
      box: Buffer.from(wrapped),
      state: 'current',
      made_at: clock.now(),
      destroyed_at: null,
    };
  }

  /** The provider called `name`. Throws CustodianError `kek-unavailable` for one that the configuration lacks. */
  provider(name: string): KekProvider {
    const found = this.#parts.providers.get(name);
    if (found === undefined) throw kekError('kek-unavailable');
    return found;
  }

  /** The key of a release without keys of projects. */
  get earlier(): KeyEncryptionKey {
    return this.#parts.earlier;
  }

  /** The names of all providers. */
  get providers(): KekProviders {
    return this.#parts.providers;
  }

  /** Forgets what is unwrapped in memory: after a key was destroyed, or when its owner says so. */
  forget(): void {
    // Not wiped: a transaction that has one must not wrap under zeros.
    this.#kept.clear();
    this.#generation += 1;
  }

  async #first(tx: Tx, owner: KeyOwner): Promise<Row> {
    const { kek_provider } = await tx
      .selectFrom('organisation')
      .select('kek_provider')
      .where('org', '=', owner.org)
      .executeTakeFirstOrThrow();
    if (await hadKeys(tx, owner)) {
      // Made by somebody else since the look before, or destroyed.
      const made = await heldRow(tx, owner);
      if (made === undefined) throw shredded();
      return made;
    }
    if (await isShredded(tx)) throw shredded();
    const row = await this.make(owner, 1, kek_provider);
    await tx
      .insertInto('project_kek')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const held = await heldRow(tx, owner);
    if (held === undefined) throw new Error('the key of a project was not stored');
    return held;
  }

  #opened(
    tx: Tx,
    owner: KeyOwner,
    { row, generation }: { readonly row: Row; readonly generation: number },
  ): Promise<KeyEncryptionKey> {
    return this.#once(tx, `opened ${row.version}`, async () => {
      if (row.box === null) throw kekError('kek-destroyed');
      const kept = this.#fresh(owner, row.version);
      if (kept !== undefined) return kept;
      const provider = this.provider(row.provider);
      const wrapped = { keyVersion: row.key_version, wrapped: row.box };
      const asked = this.#parts.clock.monotonic();
      const secret = await provider.unwrap(wrapped, aadOf(owner, row.version));
      const key = new KeyEncryptionKey(owner.project, row.version, secret);
      // From before the answer: what was revoked meanwhile is kept no longer than allowed.
      if (provider.keepFor > 0 && generation === this.#generation)
        this.#kept.set(nameOf(owner, row.version), { key, until: asked + provider.keepFor });
      return key;
    });
  }

  #fresh(owner: KeyOwner, version: number): KeyEncryptionKey | undefined {
    const name = nameOf(owner, version);
    const kept = this.#kept.get(name);
    if (kept === undefined || this.#parts.clock.monotonic() < kept.until) return kept?.key;
    this.#kept.delete(name);
    return undefined;
  }

  #once(tx: Tx, name: string, load: () => Promise<KeyEncryptionKey>): Promise<KeyEncryptionKey> {
    const known = this.#ofTx.get(tx) ?? new Map<string, Promise<KeyEncryptionKey>>();
    this.#ofTx.set(tx, known);
    const found = known.get(name) ?? load();
    known.set(name, found);
    return found;
  }
}

/** What a project's key is bound to when the organisation's wraps it. */
export function aadOf({ org, project }: KeyOwner, version: number): KekAad {
  return { org, project, object: 'project-kek', version };
}

/** The current key's row, held. Who waited for a rotation finds the row that it waited for retired, and the new one with the next look only. */
async function heldRow(tx: Tx, { project }: KeyOwner): Promise<Row | undefined> {
  for (let look = 0; look < LOOKS; look += 1) {
    const row = await tx
      .selectFrom('project_kek')
      .selectAll()
      .where('project', '=', project)
      .where('state', '=', 'current')
      .forShare()
      .executeTakeFirst();
    if (row !== undefined) return row;
  }
  return undefined;
}

/** One rotation at a time: a second one begins only after the first has ended. */
const LOOKS = 3;

function nameOf({ project }: KeyOwner, version: number): string {
  return `${project}:${version}`;
}

/** A project without a current key that had one is shredded, for good. */
async function refuseShredded(tx: Tx, owner: KeyOwner): Promise<void> {
  if ((await hadKeys(tx, owner)) || (await isShredded(tx))) throw shredded();
}

async function hadKeys(tx: Tx, { project }: KeyOwner): Promise<boolean> {
  const had = await tx.selectFrom('project_kek').select('version').where('project', '=', project).limit(1).execute();
  return had.length > 0;
}

/** Whether a tombstone is written, signed or not: nothing opens after it, under whichever key it may lie. */
async function isShredded(tx: Tx): Promise<boolean> {
  const written = await tx.selectFrom('tombstone').select('kind').limit(1).execute();
  return written.length > 0;
}

async function refuseDestroyed(tx: Tx): Promise<void> {
  if (await isShredded(tx)) throw kekError('kek-destroyed');
}

function shredded(): CustodianError {
  return new CustodianError(
    'shredded',
    'the keys of this project are destroyed: nothing is sealed under them any more',
    { next: 'found a new organisation with a new custodian' },
  );
}
