import { existsSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { RingfenceError, utf8 } from '@ringfence/base';
import { parseImageSource, type Workload } from '@ringfence/protocol/payload';
import type { LinkContext } from '../link/link-context.ts';
import { checkAllowed, openImage } from '../oci/fetch-image.ts';
import { imageProcess, type ImageProcess } from '../oci/image-command.ts';
import { OciError } from '../oci/oci-error.ts';
import type { RuntimeMount } from '../sandbox/index.ts';
import type { AttemptWork } from './attempt-work.ts';
import { AttemptEnd } from './step-error.ts';

/** What a job's root file system is, when it is not the site's default. */
export interface JobRoot {
  /** Unpacked image: where it lies, and what it says of its process. */
  readonly image: { readonly folder: string; readonly process: ImageProcess } | null;
  /** The Python that the job named, first in its PATH. */
  readonly python: RuntimeMount | null;
}

const INTERPRETERS = ['/usr/bin', '/usr/local/bin'];

/** Fetches the image or finds the Python that the job names. Throws AttemptEnd with the reason in the job's own log. */
export async function rootOfJob(context: LinkContext, work: AttemptWork, workload: Workload): Promise<JobRoot> {
  try {
    return {
      image: await imageOf(context, work, workload),
      python: workload.python === undefined ? null : pythonOf(context, workload.python),
    };
  } catch (error) {
    if (!(error instanceof RingfenceError) || work.cancelling.signal.aborted) throw error;
    const next = error.next === undefined ? '' : `; ${error.next}`;
    work.log?.write('setup', utf8(`ringfence: ${error.message}${next}\n`));
    work.failure = { class: 'setup' };
    throw new AttemptEnd({ outcome: 'setup-failed', reasons: [String(error.code)], cause: error });
  }
}

async function imageOf(
  { machine, link }: LinkContext,
  work: AttemptWork,
  { image, run }: Workload,
): Promise<JobRoot['image']> {
  if (image === undefined) return null;
  if (work.level !== 'container' && work.level !== 'gvisor')
    throw new OciError('not-allowed', 'an image needs isolation container or gvisor', {
      next: 'launch the job anew: the order was made without it',
    });
  const source = parseImageSource(image);
  if (source === undefined) throw new OciError('bad-source', 'the image is not named with its digest');
  const { signal } = work.cancelling;
  const access = machine.images.access(link.outer);
  await checkAllowed(source, access);
  work.log?.write('setup', utf8(`ringfence: image ${source.digest}\n`));
  const used = await machine.images.store.use(source.digest, () => openImage(source, access, signal), signal);
  work.releaseImage = () => used.release();
  const process = imageProcess(used.config);
  if (run === undefined && process.command === null)
    throw new OciError('no-command', 'the image names no command', { next: 'add a run line to the job file' });
  return { folder: used.root, process };
}

/** An interpreter of this version that the site's operator installed, and a folder in which `python` and `python3` are that one. */
function pythonOf({ machine }: LinkContext, version: string): RuntimeMount {
  const program = INTERPRETERS.map((folder) => `${folder}/python${version}`).find((path) => existsSync(path));
  if (program === undefined)
    throw new OciError('not-found', `this site has no Python ${version}`, {
      next: `ask its operator for python${version} in /usr/bin, name another version, or use an image`,
    });
  const folder = join(machine.folders.runtimes, `python-${version}`);
  mkdirSync(join(folder, 'bin'), { recursive: true, mode: 0o755 });
  for (const name of ['python', 'python3']) {
    const path = join(folder, 'bin', name);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) symlinkSync(program, path);
  }
  return { hostPath: folder, sandboxPath: '/opt/ringfence/python' };
}
