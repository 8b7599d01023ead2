import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '@ringfence/base';
import { syncFolder, writeFileAtomic } from '@ringfence/base/platform';
import { sha256Hex } from '@ringfence/crypto/sign';
import { envelope, idOf, sha256, signKey } from '@ringfence/protocol';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';

const schema = z.strictObject({
  v: z.literal(1),
  /** False while key files are being written: nothing was sent, and those of them that are there are worthless. */
  ready: z.boolean(),
  name: z.string(),
  org: idOf('org'),
  orgRoot: signKey,
  device: idOf('device'),
  keyring: z.array(envelope),
  /** Both codes are secrets, each good for one use, and gone with this file. */
  claimCode: z.string(),
  registration: z.string(),
  rootKeyFile: z.string(),
  kitFile: z.string().nullable(),
  /** SHA-256 of what each key file holds. */
  files: z.array(z.strictObject({ path: z.string(), digest: sha256 })),
});

/** An organisation whose custodian may or may not have taken its claim: sent again as it is, it gets the same answer. */
export type PendingClaim = z.infer<typeof schema>;

/** A key file to be written. */
export interface KeyFile {
  readonly path: string;
  readonly content: Uint8Array | string;
}

function fileOf(home: string): string {
  return join(home, 'pending-claim.json');
}

/**
 * Stores a claim (0600) and its key files so that a crash leaves either a claim that can be sent, or files that the next try clears away.
 * Throws CliError `bad-file` when a key file exists.
 */
export function storePendingClaim(
  home: string,
  claim: Omit<PendingClaim, 'v' | 'ready' | 'files'>,
  keyFiles: readonly KeyFile[],
): PendingClaim {
  for (const { path } of keyFiles)
    if (existsSync(path))
      throw new CliError('bad-file', `${path} exists`, { next: 'name another file; keys are never overwritten' });
  const files = keyFiles.map(({ path, content }) => ({ path, digest: digestOf(content) }));
  write(home, { ...claim, v: 1, ready: false, files });
  for (const { path, content } of keyFiles) writeFileAtomic(path, content);
  const ready = { ...claim, v: 1 as const, ready: true, files };
  write(home, ready);
  return ready;
}

/** Puts another registration code into a claim that its control plane refused. */
export function replaceRegistration(home: string, pending: PendingClaim, registration: string): PendingClaim {
  const replaced = { ...pending, registration };
  write(home, replaced);
  return replaced;
}

/** The claim of an interrupted `org init`; one that was never ready is cleared away with its own files. Throws CliError `no-profile`. */
export function readPendingClaim(home: string): PendingClaim | undefined {
  const path = fileOf(home);
  if (!existsSync(path)) return undefined;
  const pending = parse(path);
  if (pending.ready) return pending;
  for (const { path: file, digest } of pending.files)
    if (existsSync(file) && digestOf(readFileSync(file)) === digest) rmSync(file);
  removePendingClaim(home);
  return undefined;
}

/** Forgets the claim; its codes are gone with it. */
export function removePendingClaim(home: string): void {
  rmSync(fileOf(home), { force: true });
  syncFolder(home);
}

function write(home: string, pending: PendingClaim): void {
  writeFileAtomic(fileOf(home), `${JSON.stringify(pending)}\n`);
}

function parse(path: string): PendingClaim {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new CliError('no-profile', `${path} is damaged`, {
      cause,
      next: 'ask the custodian’s `status` whether it is claimed; if it is not, delete this file and its root key file, and start again',
    });
  }
}

function digestOf(content: Uint8Array | string): z.infer<typeof sha256> {
  return sha256Hex(typeof content === 'string' ? utf8(content) : content);
}
