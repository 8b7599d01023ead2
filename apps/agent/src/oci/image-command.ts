import type { ImageConfig } from './image-document.ts';
import { OciError } from './oci-error.ts';

/** What an image says of the process in it. */
export interface ImageProcess {
  /** Its entry point with its arguments; null when it names none. */
  readonly command: readonly string[] | null;
  readonly env: Readonly<Record<string, string>>;
  /** Where its own command starts. */
  readonly cwd: string;
}

/** PATH of an image that names none. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Reads Entrypoint, Cmd, Env and WorkingDir (OCI image-spec, config.md). Throws OciError `bad-image`. */
export function imageProcess({ config }: ImageConfig): ImageProcess {
  const command = [...(config?.Entrypoint ?? []), ...(config?.Cmd ?? [])];
  const cwd = config?.WorkingDir ?? '';
  const entries = (config?.Env ?? []).map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return equals < 1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  // A variable with a name that no shell could set, or one of Ringfence's own, is not worth failing the job.
  const usable = entries.filter(
    ([name]) => /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) && !/^(?:RINGFENCE_|PWD$)/.test(name),
  );
  return {
    command: command.length === 0 ? null : command,
    env: { PATH, ...Object.fromEntries(usable) },
    cwd: absolute(cwd),
  };
}

function absolute(cwd: string): string {
  const steps = cwd.split('/').filter((step) => step !== '' && step !== '.');
  if (steps.includes('..') || steps.some((step) => /\p{Cc}/u.test(step)))
    throw new OciError('bad-image', 'the working folder of the image is no path', { next: 'build the image anew' });
  return `/${steps.join('/')}`;
}
