import { z } from 'zod';
import { envelope, idOf, moment, sha256, whole } from '../fields.ts';
import { erasedVersion } from '../statements/data-life.ts';
import { payloadName } from './workload.ts';

const count = whole(0, Number.MAX_SAFE_INTEGER);

/** The longest that a rule keeps something, in milliseconds: a hundred years. */
const LONGEST_KEPT_MS = 3_153_600_000_000;

/** What a rule of retention is about. */
const retained = z.union([z.strictObject({ name: payloadName }), z.strictObject({ logs: z.literal(true) })]);

/** `POST /v1/retention`: a rule, or that there is none any more. */
export const retentionRequest = z.strictObject({ of: retained, keepMs: whole(3_600_000, LONGEST_KEPT_MS).nullable() });
/** One rule. */
export const retentionRow = z.strictObject({
  of: retained,
  keepMs: whole(1, LONGEST_KEPT_MS),
  device: idOf('device'),
  at: moment,
});
export const retentionAnswer = z.strictObject({ rules: z.array(retentionRow) });

const namedVersion = z.strictObject({ name: payloadName, version: whole(1, 1_000_000) });
/** The lists whose digests an erasure's statement signs. */
export const erasureLists = z.strictObject({ versions: z.array(erasedVersion), derived: z.array(erasedVersion) });
/** A signed report with its lists, as `ringfence erase --out FILE` writes it. */
export const erasureReport = z.strictObject({ report: envelope, ...erasureLists.shape });
/** `POST /v1/erasures`. */
export const erasureRequest = z.strictObject({ name: payloadName, derived: z.boolean(), dryRun: z.boolean() });
/** What goes, and what was made of it and stays. */
export const erasureAnswer = z.strictObject({
  goes: z.strictObject({ versions: z.array(namedVersion), logs: count }),
  stays: z.strictObject({ versions: z.array(namedVersion), logs: count }),
  /** Absent for a dry run. */
  done: erasureReport.optional(),
});
/** `GET /v1/erasures`: the newest 1,000. */
export const erasuresAnswer = z.strictObject({
  erasures: z.array(z.strictObject({ at: moment, digest: sha256, ...erasureReport.shape })),
});

/** `POST /v1/members/MEMBER/erase`: the signed report. */
export const memberErasureAnswer = z.strictObject({ report: envelope });

/** One file of an export, by its path in the folder. */
const exportedFile = z.strictObject({ path: z.string().min(1).max(8_192), bytes: count, sha256 });
/** `manifest.json` of an export: SHA-256 of the canonical JSON of `files`, and that of `withheld`, are what the device signed. */
export const exportManifest = z.strictObject({
  signed: envelope,
  files: z.array(exportedFile),
  /** What the organisation has and is not in the folder. */
  withheld: z.array(
    z.strictObject({
      what: z.string().max(512),
      why: z.enum(['in-place', 'refused', 'not-asked', 'never-read-back', 'not-at-custodian']),
    }),
  ),
});

export type RetentionRow = z.infer<typeof retentionRow>;
export type ErasureAnswer = z.infer<typeof erasureAnswer>;
export type ExportManifest = z.infer<typeof exportManifest>;
