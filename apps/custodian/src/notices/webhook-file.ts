import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { jsonOf, Secret } from '@ringfence/base';
import { z } from 'zod';
import { CustodianError } from '../custodian-error.ts';

/** Where notices go, as the operator wrote it down. */
export interface Webhook {
  readonly url: string;
  readonly secret: Secret;
  /** Whether a notice tells the name of its job. */
  readonly names: boolean;
  readonly caFile: string | undefined;
}

const entry = z.strictObject({
  url: z.url({ protocol: /^https$/ }).refine((url) => new URL(url).username === '' && new URL(url).password === ''),
  secretFile: z.string().min(1),
  names: z.boolean().optional(),
  caFile: z.string().min(1).optional(),
});
const file = z.array(entry).max(8);

/**
 * Reads `--webhooks FILE`: a JSON list of places, each with the file of its secret (`whsec_…`, Standard Webhooks), which nobody else may
 * read. Paths are those of the file's folder. Throws CustodianError `bad-config`.
 */
export function readWebhooks(path: string | undefined): readonly Webhook[] {
  if (path === undefined) return [];
  const parsed = file.safeParse(jsonOf(textOf(path)));
  if (!parsed.success)
    throw bad(
      '--webhooks is not a list of webhooks',
      'write [{"url": "https://…", "secretFile": "…"}], as docs/operate/custodian.md says',
    );
  return parsed.data.map(({ url, secretFile, names = false, caFile }) => ({
    url,
    secret: readSecret(resolve(dirname(path), secretFile)),
    names,
    caFile: caFile === undefined ? undefined : resolve(dirname(path), caFile),
  }));
}

function readSecret(path: string): Secret {
  const text = textOf(path).trim();
  if ((statSync(path).mode & 0o077) !== 0)
    throw bad('the secret of a webhook can be read by others', `chmod 600 ${path}`);
  const bytes = /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text.slice(6), 'base64') : Buffer.alloc(0);
  if (bytes.length >= 24 && bytes.length <= 64) return new Secret(bytes);
  throw bad(
    'the secret of a webhook is not whsec_ and 24 to 64 bytes in base64',
    'printf "whsec_%s" "$(openssl rand -base64 32)"',
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw bad('a file of --webhooks cannot be read', 'check the path and who may read it', cause);
  }
}

function bad(message: string, next: string, cause?: unknown): CustodianError {
  return new CustodianError('bad-config', message, { next, cause });
}
