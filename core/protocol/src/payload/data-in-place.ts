import { z } from 'zod';
import { sha256, whole } from '../fields.ts';
import { packPath } from './pack.ts';

/** An absolute, normalised path on a machine of a site. */
export const sitePath = z
  .string()
  .max(4096)
  .regex(/^(?:\/[^/\p{Cc}]+)+$/u)
  .refine((path) => path.split('/').every((step) => step !== '.' && step !== '..'), 'not a normalised path');

/** Data that stays where it lies: its folder at the site, and the digest of the manifest that it had when it was registered. */
export const dataPlace = z.strictObject({ path: sitePath, manifest: sha256 });

/** What the digest of a manifest begins with. */
export const DATA_MANIFEST_HEAD = 'ringfence-data-manifest/1\n';

/**
 * One entry of a folder's manifest. The manifest's digest is SHA-256 over {@link DATA_MANIFEST_HEAD} and each entry in canonical JSON with a
 * newline behind it, sorted by `path` in UTF-16 code units. Folders, modes and times are no part of it.
 */
export const dataEntry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('file'),
    path: packPath,
    sha256,
    size: whole(0, Number.MAX_SAFE_INTEGER),
  }),
  /** A symbolic link that stays inside the folder. */
  z.strictObject({ kind: z.literal('link'), path: packPath, target: z.string().min(1).max(4096) }),
]);

/** `POST /v1/data/index` at an agent of the site: answered by lines of {@link dataIndexLine}. */
export const dataIndexRequest = z.strictObject({ path: sitePath });
/** Progress while it reads, then the entries in order, then the end; or why it cannot be registered. */
export const dataIndexLine = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('progress'), files: whole(0, 1_000_000), bytes: whole(0, Number.MAX_SAFE_INTEGER) }),
  ...dataEntry.options,
  z.strictObject({
    kind: z.literal('end'),
    /** Of the folder as it is found when links above it are followed. */
    path: sitePath,
    manifest: sha256,
    files: whole(0, 1_000_000),
    bytes: whole(0, Number.MAX_SAFE_INTEGER),
  }),
  z.strictObject({ kind: z.literal('refused'), code: z.string().max(40), message: z.string().max(4096) }),
]);

export type DataEntry = z.infer<typeof dataEntry>;
export type DataIndexLine = z.infer<typeof dataIndexLine>;
