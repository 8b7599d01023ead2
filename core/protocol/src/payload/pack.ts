import { z } from 'zod';
import { bytes32, sha256, whole } from '../fields.ts';

/** A path inside a pack: relative, `/`-separated, without `.` or `..` steps, control characters or back-slashes. */
export const packPath = z
  .string()
  .min(1)
  .max(4096)
  .refine(
    (path) =>
      !path.startsWith('/') &&
      !/[\p{Cc}\\]/u.test(path) &&
      path.split('/').every((step) => step !== '' && step !== '.' && step !== '..'),
    'not a plain relative path',
  );

/** One sealed chunk: keyed hash of its plaintext, digest of the sealed object, its data key, plaintext bytes. */
export const chunkReference = z.strictObject({ id: sha256, digest: sha256, key: bytes32, size: whole(0, 1_048_576) });

/** A folder as sealed chunks of at most 1 MiB; itself stored as one sealed object. */
export const packManifest = z.strictObject({
  v: z.literal(1),
  files: z
    .array(
      z.strictObject({
        path: packPath,
        executable: z.boolean(),
        size: whole(0, Number.MAX_SAFE_INTEGER),
        chunks: z.array(chunkReference),
      }),
    )
    .max(1_000_000),
  /** Symbolic links that stay inside the pack. */
  links: z.array(z.strictObject({ path: packPath, target: z.string().min(1).max(4096) })).max(100_000),
});

/** Where a pack's manifest lies and the key that opens it. */
export const packReference = z.strictObject({ manifest: sha256, key: bytes32 });

export type ChunkReference = z.infer<typeof chunkReference>;
export type PackManifest = z.infer<typeof packManifest>;
export type PackReference = z.infer<typeof packReference>;
