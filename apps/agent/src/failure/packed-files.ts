import type { PackManifest } from '@ringfence/protocol/payload';

/** Files of a job's code as they were packed, with their bytes, by their path. What lies in the job's folder later is the job's own to write, so no name or length of it counts. */
export type PackedFiles = ReadonlyMap<string, number>;

/** The files of the code's manifest; links are none. */
export function packedFiles({ files }: Pick<PackManifest, 'files'>): PackedFiles {
  return new Map(files.map(({ path, size }) => [path, size]));
}

/** Whether a place can be one of the packed code: a file of it, and a line that so many bytes can have. */
export function isPackedPlace(packed: PackedFiles, path: string, line: number): boolean {
  const size = packed.get(path);
  return size !== undefined && line >= 1 && line <= size;
}
