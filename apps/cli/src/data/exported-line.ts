import { envelope } from '@ringfence/protocol';
import { z } from 'zod';

/** Lines of `organisation.ndjson` that an export reads again; others are passed on as they are. */
export const lastLine = z.strictObject({ export: envelope });
export const keyringLine = z.looseObject({ table: z.literal('keyring_statement'), seq: z.int(), envelope });
export const attemptLine = z.looseObject({ table: z.literal('attempt'), job: z.string(), attempt: z.int() });
export const logLine = z.looseObject({ table: z.literal('attempt_log'), job: z.string(), attempt: z.int() });

/** Files at the top of an export. */
export const ORGANISATION_FILE = 'organisation.ndjson';
export const CONTROL_PLANE_FILE = 'control-plane.ndjson';
export const MANIFEST_FILE = 'manifest.json';
