import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { jsonOf, parseDuration } from '@ringfence/base';
import { z } from 'zod';
import { CustodianError } from '../../custodian-error.ts';
import { BUILT_IN } from '../built-in-provider.ts';

const LONGEST_KEEPING_MS = 5 * 60_000;

const duration = (least: number, most: number) =>
  z
    .string()
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .refine((milliseconds) => milliseconds >= least && milliseconds <= most);
const text = z.string().min(1).max(512);
const path = z.string().min(1);
const segment = z.string().regex(/^[\w.-]{1,128}$/);
const https = z.url({ protocol: /^https$/ }).refine((url) => `${new URL(url).origin}/` === new URL(url).href);
const common = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/)
    .refine((name) => name !== BUILT_IN),
  budget: duration(10, 30_000).optional(),
  keepFor: duration(0, LONGEST_KEEPING_MS).optional(),
};
const mayDestroy = z.boolean().default(false);
const caFile = path.optional();

const entry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pkcs11'),
    ...common,
    module: path,
    token: z.string().min(1).max(32),
    key: text,
    pinFile: path,
    create: z.boolean().default(false),
    mayDestroy,
  }),
  z.strictObject({
    kind: z.literal('transit'),
    ...common,
    url: https,
    caFile,
    namespace: z
      .string()
      .regex(/^[\w./-]{1,256}$/)
      .optional(),
    mount: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)*$/)
      .default('transit'),
    key: segment,
    tokenFile: path.optional(),
    appRole: z.strictObject({ mount: segment.default('approle'), roleId: text, secretIdFile: path }).optional(),
    mayDestroy,
  }),
  z.strictObject({
    kind: z.literal('aws-kms'),
    ...common,
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
    endpoint: https.optional(),
    caFile,
    key: z
      .string()
      .regex(/^(alias\/[\w/-]{1,250}|arn:[\w-]+:kms:[\w-]+:\d{12}:(alias\/[\w/-]{1,250}|key\/[\w-]{1,64}))$/),
    credentialsFile: path.optional(),
    deletionDays: z.int().min(7).max(30).default(30),
    mayDestroy,
  }),
  z.strictObject({
    kind: z.literal('gcp-kms'),
    ...common,
    endpoint: https.optional(),
    caFile,
    key: z.string().regex(/^projects\/[\w:.-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/),
    credentialsFile: path,
    mayDestroy,
  }),
  z.strictObject({
    kind: z.literal('gateway'),
    ...common,
    url: https,
    caFile,
    certificateFile: path,
    keyFile: path,
  }),
]);
const file = z
  .array(
    entry.refine((each) => each.kind !== 'transit' || (each.tokenFile === undefined) !== (each.appRole === undefined)),
  )
  .max(8)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length);

/** A provider as the operator wrote it down, with paths from the root. */
export type ProviderEntry = z.output<typeof entry>;

/** Reads `--kek-providers FILE`: a JSON list. Paths in it are those of the file's folder. Throws CustodianError `bad-config`. */
export function readProviderFile(source: string): readonly ProviderEntry[] {
  const parsed = file.safeParse(jsonOf(textOf(source)));
  if (!parsed.success)
    throw new CustodianError('bad-config', `--kek-providers is not a list of providers${whereIn(parsed.error)}`, {
      next: 'write it as docs/operate/key-providers.md says',
    });
  const at = (relative: string): string => resolve(dirname(source), relative);
  return parsed.data.map((each) => withPaths(each, at));
}

/** The place of the first mistake, by positions and field names of ours alone: values may be secrets in the wrong place. */
function whereIn(error: z.ZodError): string {
  const [position, field] = error.issues[0]?.path ?? [];
  if (typeof position !== 'number') return '';
  return ` (entry ${position + 1}${typeof field === 'string' ? `, ${field}` : ''})`;
}

function withPaths(each: ProviderEntry, at: (relative: string) => string): ProviderEntry {
  const ca = 'caFile' in each && each.caFile !== undefined ? { caFile: at(each.caFile) } : {};
  if (each.kind === 'pkcs11') return { ...each, module: at(each.module), pinFile: at(each.pinFile) };
  if (each.kind === 'gateway')
    return { ...each, ...ca, certificateFile: at(each.certificateFile), keyFile: at(each.keyFile) };
  if (each.kind === 'gcp-kms') return { ...each, ...ca, credentialsFile: at(each.credentialsFile) };
  if (each.kind === 'aws-kms') {
    const { credentialsFile } = each;
    return { ...each, ...ca, ...(credentialsFile === undefined ? {} : { credentialsFile: at(credentialsFile) }) };
  }
  const { tokenFile, appRole } = each;
  return {
    ...each,
    ...ca,
    ...(tokenFile === undefined ? {} : { tokenFile: at(tokenFile) }),
    ...(appRole === undefined ? {} : { appRole: { ...appRole, secretIdFile: at(appRole.secretIdFile) } }),
  };
}

function textOf(source: string): string {
  try {
    return readFileSync(source, 'utf8');
  } catch (cause) {
    throw new CustodianError('bad-config', 'the file of --kek-providers cannot be read', {
      cause,
      next: 'check the path and who may read it',
    });
  }
}
