import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlaneId } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import { idOf, signKey } from '@ringfence/protocol';
import { z } from 'zod';

/** Whose signatures a journal's frames have to bear: public, and kept beside it so that it can be verified on its own. */
export interface LinkKeys {
  readonly controlPlane: ControlPlaneId;
  /** The control plane's root, as it was pinned at the join. */
  readonly root: SigningPublicKey;
  /** The party's own frame key. */
  readonly party: SigningPublicKey;
}

const NAME = 'link-keys.json';
const stored = z.strictObject({ v: z.literal(1), controlPlane: idOf('controlPlane'), root: signKey, party: signKey });

/** Keeps the keys in the link's folder. */
export function writeLinkKeys(folder: string, { controlPlane, root, party }: LinkKeys): void {
  const text = `${JSON.stringify({ v: 1, controlPlane, root, party })}\n`;
  const path = join(folder, NAME);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileAtomic(path, text);
}

/** The keys in a link's folder; undefined when the file is missing or damaged. */
export function readLinkKeys(folder: string): LinkKeys | undefined {
  try {
    return stored.parse(JSON.parse(readFileSync(join(folder, NAME), 'utf8')));
  } catch {
    return undefined;
  }
}
