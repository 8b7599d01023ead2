import { readFileSync } from 'node:fs';
import { jsonOf, Secret, utf8 } from '@ringfence/base';
import { z } from 'zod';
import { OciError } from './oci-error.ts';

const file = z.object({
  auths: z
    .record(
      z.string(),
      z.object({ auth: z.string().optional(), username: z.string().optional(), password: z.string().optional() }),
    )
    .optional(),
});

/**
 * Credentials, `Basic …` (RFC 7617), by registry (`host` or `host:port`) from a file in the format of Docker's config.json (`auths`). Throws OciError `bad-source`,
 * which names the file and nothing in it.
 */
export function readRegistryAuth(path: string): ReadonlyMap<string, Secret> {
  let parsed;
  try {
    parsed = file.parse(jsonOf(readFileSync(path)));
  } catch {
    // The cause would quote the file.
    throw new OciError('bad-source', `${path} is no file of registry credentials`, {
      next: 'make it with docker login, podman login --authfile or by hand: {"auths": {"HOST": {"auth": "…"}}}',
    });
  }
  const entries = Object.entries(parsed.auths ?? {}).flatMap(([name, { auth, username, password }]) => {
    const encoded =
      auth ?? (username === undefined ? undefined : Buffer.from(`${username}:${password ?? ''}`).toString('base64'));
    return encoded === undefined ? [] : [[registryName(name), new Secret(utf8(`Basic ${encoded}`))] as const];
  });
  return new Map(entries);
}

function registryName(name: string): string {
  const host = name.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return host === 'index.docker.io' ? 'docker.io' : host;
}
