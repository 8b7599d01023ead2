import { errorFields, utf8 } from '@ringfence/base';
import type { GrantPayload } from '@ringfence/protocol/payload';
import type { AttemptWork } from '../attempt/attempt-work.ts';
import { refusedFor } from '../attempt/step-error.ts';
import type { LinkContext } from '../link/link-context.ts';
import { DataError } from './data-error.ts';

type GrantedMount = GrantPayload['mounts'][number];

/**
 * For each mount of data in place the folder of this machine, once it is found to be what was registered; undefined for the others. Throws
 * AttemptEnd `data-changed`, with the reason and the remedy in the job's own log.
 */
export async function dataInPlace(
  context: LinkContext,
  work: AttemptWork,
  mounts: readonly GrantedMount[],
): Promise<readonly (string | undefined)[]> {
  const folders: (string | undefined)[] = [];
  for (const mount of mounts) folders.push('place' in mount ? await folderOf(context, work, mount) : undefined);
  return folders;
}

async function folderOf(
  { machine, link, log }: LinkContext,
  work: AttemptWork,
  { path, place }: Extract<GrantedMount, { place: object }>,
): Promise<string> {
  const tell = (problem: string): void => {
    const dataset = work.payload?.workload.mounts.find((mount) => mount.path === path)?.dataset ?? 'NAME';
    const next = `if it is meant: ringfence dataset add ${dataset} --at SITE:${place.path} --label …`;
    work.log?.write('setup', utf8(`ringfence: the data of ${path} ${problem}; ${next}\n`));
    work.failure = { class: 'setup' };
  };
  // No mount there would keep the job from writing to it.
  if (work.level === 'process') {
    tell('lies in place, which isolation process cannot keep from being changed');
    throw refusedFor('isolation', ['data-in-place']);
  }
  const { signal } = work.cancelling;
  const found = await machine.data.index(place.path, { org: link.org, signal }).catch((error: unknown) => {
    if (!(error instanceof DataError) || error.code === 'aborted') throw error;
    log.warn('data.refused', { ...work.id, ...errorFields(error) });
    tell(`is not as it was registered: ${error.message}`);
    throw refusedFor('data-changed', [error.code], error);
  });
  if (found.path === place.path && found.manifest === place.manifest) return found.path;
  tell('has changed since it was registered');
  throw refusedFor('data-changed', ['manifest']);
}
