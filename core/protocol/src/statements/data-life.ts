import { z } from 'zod';
import { idOf, moment, sha256, whole } from '../fields.ts';

const count = whole(0, Number.MAX_SAFE_INTEGER);

/** One version that was erased, or that was made of one. Names are erased too, so it has none. */
export const erasedVersion = z.strictObject({
  artifact: idOf('artifact'),
  version: whole(1, 1_000_000),
  manifest: sha256,
});

/** A list that stands beside the statement: how many, and SHA-256 of its canonical JSON. */
const list = z.strictObject({ count, digest: sha256 });

/** The custodian's word that what opened these versions is destroyed, signed by its enrolment key. */
export const erasureStatement = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  custodian: idOf('custodian'),
  /** Who ordered it. */
  device: idOf('device'),
  at: moment,
  versions: list,
  /** Sealed objects that nothing else names; and those that something else does, which stay. */
  objects: count,
  shared: count,
  /** Kept logs, and sealed grants. */
  logs: count,
  grants: count,
  /** What jobs made of it and stays. */
  derived: list,
  derivedLogs: count,
  /** Versions whose files lie at their sites: only the entry is gone. */
  inPlace: count,
});

/** The custodian's word that nothing tells any more whose a member's id was, signed by its enrolment key. */
export const memberErasureStatement = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  custodian: idOf('custodian'),
  device: idOf('device'),
  at: moment,
  member: idOf('member'),
  /** Links to devices, factors and recovery codes that are gone; and whether the key of what the log said of the member is. */
  devices: count,
  factors: count,
  subjectKey: z.boolean(),
});

/** The custodian's word over what it wrote of all that an organisation has, signed by its enrolment key. */
export const exportStatement = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  custodian: idOf('custodian'),
  device: idOf('device'),
  at: moment,
  /** Lines before this one, and the SHA-256 of their bytes, line feeds included. */
  lines: list,
});

/** The word of the device that wrote an export over all files in its folder, by the SHA-256 of their list, and over what is not there. */
export const exportManifestStatement = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  device: idOf('device'),
  at: moment,
  files: list,
  /** Absent of earlier releases. */
  withheld: list.optional(),
});

export type ErasedVersion = z.infer<typeof erasedVersion>;
export type ErasureStatement = z.infer<typeof erasureStatement>;
export type MemberErasureStatement = z.infer<typeof memberErasureStatement>;
export type ExportStatement = z.infer<typeof exportStatement>;
