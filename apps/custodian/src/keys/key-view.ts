import { epochMs } from '@ringfence/base';
import type { KeysAnswer } from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import type { KeyOwner, ProjectKeys } from './project-keys.ts';

type Provider = KeysAnswer['providers'][number];

/** What may be known of the hierarchy of keys; asks each provider how it is. */
export async function viewKeys(context: CustodianContext, { org, project }: KeyOwner): Promise<KeysAnswer> {
  const { store, projectKeys, rotation, keys } = context;
  const rows = await store.withOrg(
    org,
    async (tx) => ({
      chosen: (await tx.selectFrom('organisation').select('kek_provider').executeTakeFirstOrThrow()).kek_provider,
      keks: await tx.selectFrom('project_kek').selectAll().where('project', '=', project).orderBy('version').execute(),
      rotation: await tx
        .selectFrom('key_rotation')
        .selectAll()
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst(),
      tombstones: await tx.selectFrom('tombstone').select('envelope').where('envelope', 'is not', null).execute(),
    }),
    { readOnly: true },
  );
  const last = rows.rotation;
  return {
    org,
    project,
    providers: await providersNow(projectKeys, rows.chosen),
    projectKeys: rows.keks.map(({ version, state, provider, key_version, made_at, destroyed_at }) => ({
      version,
      state,
      provider,
      keyVersion: key_version,
      madeAt: epochMs(made_at),
      destroyedAt: destroyed_at === null ? null : epochMs(destroyed_at),
    })),
    rotation:
      last === undefined
        ? null
        : {
            version: last.version,
            cause: last.cause,
            startedAt: epochMs(last.started_at),
            finishedAt: last.finished_at === null ? null : epochMs(last.finished_at),
            done: last.rows_done,
            total: last.rows_total,
            stalled: last.finished_at === null ? (rotation.stalled ?? null) : null,
          },
    tombstones: rows.tombstones.flatMap(({ envelope }) => (envelope === null ? [] : [envelope])),
    transportKey: keys.seal.publicKey,
  };
}

function providersNow(projectKeys: ProjectKeys, chosen: string): Promise<Provider[]> {
  return Promise.all(
    [...projectKeys.providers].map(async ([name, provider]): Promise<Provider> => {
      const health = await provider.health();
      return {
        name,
        kind: provider.kind,
        chosen: name === chosen,
        keyVersion: health.usable ? health.keyVersion : null,
        failure: health.usable ? null : health.code,
      };
    }),
  );
}
