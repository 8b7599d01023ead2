import { chmodSync, chownSync, lchownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPack, readManifest, readObject, type OpenPackOptions } from '@ringfence/client/pack';
import type { Digest } from '@ringfence/crypto/sign';
import type { GrantPayload, PackManifest, PackReference } from '@ringfence/protocol/payload';
import { restoreCheckpoint } from '../checkpoints/restore-checkpoint.ts';
import { dataInPlace } from '../data-in-place/mounted-data.ts';
import { hostIdentity, type HostIdentity, type Mount } from '../sandbox/index.ts';
import { setupKey } from '../setup/setup-cache.ts';
import { attemptRoom } from '../machine/work-folder.ts';
import { packedFiles } from '../failure/packed-files.ts';
import type { LinkContext } from '../link/link-context.ts';
import type { AttemptWork } from './attempt-work.ts';
import { rootOfJob, type JobRoot } from './job-root.ts';
import { withCustodian } from './with-custodian.ts';

/** Where the code of a job lies, and where it starts. */
export const CODE_PATH = '/work';
const FETCH_WITHIN_MS = 60_000;

/** What an attempt sees, by its place on the host. */
export interface LaidOut {
  readonly code: Mount;
  readonly data: readonly Mount[];
  readonly outputs: readonly Mount[];
  /** The name of what its setup makes of the code; null when there is no setup, or none whose result can be used again. */
  readonly setup: Digest | null;
  /** The code lies there as an earlier setup left it. */
  readonly isSetUp: boolean;
  readonly root: JobRoot;
}

/** Fetches and opens code and data side by side, and makes the folders of the outputs; the code belongs to the job, data is read-only. */
export async function layOut(context: LinkContext, work: AttemptWork): Promise<LaidOut> {
  const { payload } = work;
  const slot = work.place?.slot;
  if (payload === undefined || slot === undefined) throw new TypeError('only a granted attempt is laid out');
  const user = jobUser(context, slot);
  const folder = attemptRoom(context.machine.folders, work.id);
  mkdirSync(folder, { mode: 0o700 });
  work.folder = folder;
  if (user !== null) chownSync(folder, 0, user.gid);
  chmodSync(folder, 0o750);
  const inPlace = await dataInPlace(context, work, payload.mounts);
  const laidOut = places(folder, payload, inPlace);
  const root = await rootOfJob(context, work, payload.workload);
  const { code } = payload.workload;
  const setup = work.level !== 'process' ? await setupOf(context, work, payload) : null;
  const isSetUp =
    setup !== null && (await context.machine.setups.restore(setup.key, laidOut.code.hostPath, work.cancelling.signal));
  const fetched = laidOut.data.filter((_, index) => inPlace[index] === undefined);
  for (const { hostPath } of [...(isSetUp ? [] : [laidOut.code]), ...fetched, ...laidOut.outputs])
    mkdirSync(hostPath, { mode: 0o755 });
  const open = (pack: PackReference, into: string): Promise<PackManifest> =>
    openPack({ ...packOf(context, work, pack), folder: into });
  const [packed] = await Promise.all([
    isSetUp ? setup.code : code === undefined ? NOTHING : open(code, laidOut.code.hostPath),
    ...payload.mounts.flatMap((mount, index) =>
      'pack' in mount ? [open(mount.pack, join(folder, `data-${index}`))] : [],
    ),
  ]);
  work.packed = packedFiles(packed);
  await restoreCheckpoint(payload, laidOut.outputs, open);
  if (user !== null) for (const { hostPath } of [laidOut.code, ...laidOut.outputs]) giveAll(hostPath, user);
  return { ...laidOut, setup: setup?.key ?? null, isSetUp, root };
}

function places(
  folder: string,
  { mounts, outputs }: GrantPayload,
  inPlace: readonly (string | undefined)[],
): Pick<LaidOut, 'code' | 'data' | 'outputs'> {
  return {
    code: { hostPath: join(folder, 'work'), sandboxPath: CODE_PATH, mode: 'rw' },
    data: mounts.map(({ path }, index) => ({
      hostPath: inPlace[index] ?? join(folder, `data-${index}`),
      sandboxPath: path,
      mode: 'ro',
    })),
    outputs: outputs.map(({ path }, index) => ({
      hostPath: join(folder, `out-${index}`),
      sandboxPath: path,
      mode: 'rw',
    })),
  };
}

const NOTHING: PackManifest = { v: 1, files: [], links: [] };

/** Paths of the host are in what a setup leaves at level process, so that alone never uses it again. */
async function setupOf(
  context: LinkContext,
  work: AttemptWork,
  payload: GrantPayload,
): Promise<{ key: Digest; code: PackManifest } | null> {
  const { setup, code, image = '', python = '' } = payload.workload;
  if (setup === undefined) return null;
  const manifest = code === undefined ? NOTHING : await readManifest(packOf(context, work, code));
  const { link, machine } = context;
  const level = work.level ?? 'process';
  const on = { level, image, python, platform: machine.capabilities.seccomp ?? '' };
  const key = setupKey({ org: link.org, project: payload.project, setup, code: manifest, on });
  return { key, code: manifest };
}

function packOf(context: LinkContext, work: AttemptWork, pack: PackReference): OpenPackOptions {
  const { link, machine } = context;
  const { signal } = work.cancelling;
  const project = work.payload?.project;
  if (project === undefined) throw new TypeError('only a granted attempt fetches');
  return {
    pack,
    org: link.org,
    project,
    fetch: (digest) =>
      machine.cache.get(digest, () =>
        withCustodian(context, { within: FETCH_WITHIN_MS, signal }, async (custodian) =>
          readObject(await custodian.object(digest)),
        ),
      ),
  };
}

/** The host user of a job, null where it is the agent's own. */
export function jobUser({ machine }: LinkContext, slot: number): HostIdentity | null {
  const { users } = machine.capabilities;
  return users.kind === 'dedicated' ? hostIdentity(users, slot) : null;
}

/** Nothing of it was touched by a job yet, so no link in it leads anywhere but where its pack said; links themselves are not followed. */
function giveAll(path: string, user: HostIdentity): void {
  lchownSync(path, user.uid, user.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) giveAll(below, user);
    else lchownSync(below, user.uid, user.gid);
  }
}
