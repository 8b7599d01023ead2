import { sealPack } from '@ringfence/client/pack';
import { DedupeKey } from '@ringfence/crypto/seal';
import type { AttemptWork } from '../attempt/attempt-work.ts';
import { withCustodian } from '../attempt/with-custodian.ts';
import type { LinkContext } from '../link/link-context.ts';
import type { SeenFile } from './look-at-folder.ts';

const WITHIN_MS = 600_000;

/**
 * Seals a copied checkpoint and has the custodian keep it in place of the one before; nothing counts until it has said so. False when this
 * attempt may store none any more. Throws what the link throws.
 */
export async function uploadCheckpoint(
  context: LinkContext,
  work: AttemptWork,
  { folder, files, signal }: { folder: string; files: readonly SeenFile[]; signal: AbortSignal },
): Promise<boolean> {
  const { payload, id } = work;
  if (payload === undefined) throw new TypeError('only a granted attempt has checkpoints');
  const { link, rng } = context;
  const within = { within: WITHIN_MS, signal };
  const entries = files.map(({ path, executable }) => ({ kind: 'file', path, executable }) as const);
  const sealing = { folder, entries, org: link.org, project: payload.project, rng, signal };
  // What arrived before a link was cut does not travel again.
  const going = { dedupeKey: DedupeKey.generate(rng), arrived: new Map() };
  const { pack, bytes } = await withCustodian(context, within, (custodian) =>
    sealPack({ ...sealing, ...going, custodian }),
  );
  const request = { ...id, pack, files: files.length, bytes };
  const answer = await withCustodian(context, within, (custodian) => custodian.storeCheckpoint(request));
  if (answer.result === 'stored') {
    context.log.info('checkpoint.stored', { ...id, count: files.length, bytes });
    return true;
  }
  context.log.warn('checkpoint.refused', { ...id, reason: answer.reason });
  return false;
}
