import type { Brand } from '@ringfence/base';
import { sandboxPath as schema } from '../payload/workload.ts';
import { refuse, text, type Place, type Read } from './read.ts';

/** An absolute, normalised path inside the sandbox. */
export type SandboxPath = Brand<string, 'SandboxPath'>;
/** A folder below that of the job file: `.` or normalised, without `..`. */
export type Workdir = Brand<string, 'Workdir'>;

/** Roots that belong to the sandbox itself; neither they nor anything below takes data or results. */
export const RESERVED_SANDBOX_ROOTS = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/home',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/proc',
  '/ringfence',
  '/root',
  '/run',
  '/sbin',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
  '/work',
  '/workdir',
] as const;

/** `value` as a sandbox path, or a noted refusal. */
export function parseSandboxPath(value: string, place: Place): SandboxPath | undefined {
  if (value === '/') return refuse(place, { code: 'reserved', message: 'the root of the sandbox is its own' });
  if (value.length > 256 || !schema.safeParse(value).success) {
    const message = 'this takes an absolute path in the sandbox such as /data, without . or .. steps or a / at the end';
    return refuse(place, { code: 'unsafe-path', message });
  }
  if (RESERVED_SANDBOX_ROOTS.some((root) => isWithin(value, root))) {
    return refuse(place, {
      code: 'reserved',
      message: 'this path belongs to the sandbox itself; /data and /out are free',
    });
  }
  return value as SandboxPath;
}

/** Whether `path` is `folder` or lies below it; both normalised. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

const readText = text((value) => value, 'a path');

/** A sandbox path as a value. */
export const sandboxPathValue: Read<SandboxPath> = (tree, place) => {
  const value = readText(tree, place);
  return value === undefined ? undefined : parseSandboxPath(value, place);
};

/** The folder whose files travel with the job, relative to the job file. */
export const workdirValue: Read<Workdir> = (tree, place) => {
  const value = readText(tree, place);
  if (value === undefined) return undefined;
  const steps = value
    .split('/')
    .filter((step, index, all) => step !== '.' && !(step === '' && index === all.length - 1));
  const unsafe =
    value.length > 1024 || /^~|[\\\p{Cc}]/u.test(value) || steps.some((step) => step === '' || step === '..');
  if (unsafe) {
    const message = 'this takes a folder below the one of the job file, such as . or src, without .. steps';
    return refuse(place, { code: 'unsafe-path', message });
  }
  return (steps.length === 0 ? '.' : steps.join('/')) as Workdir;
};
