import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, jsonOf, type EpochMs } from '@ringfence/base';
import { foldKeyring, readStatement, verifyStatement, type Keyring } from '@ringfence/keyring';
import { exportManifest, type ExportManifest } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { Profile } from '../home/profile.ts';
import { checkManifest } from './export-manifest.ts';
import { keyringLine, lastLine, MANIFEST_FILE, ORGANISATION_FILE } from './exported-line.ts';
import { linesOf, listFiles } from './write-export.ts';

/** What holds of an export. */
export interface VerifiedExport {
  readonly files: number;
  readonly lines: number;
  readonly at: EpochMs;
}

/**
 * Checks a folder of an export without a network: its keyring folds from the pinned root, a device of it signed the lists of files and of what is withheld, each file is the
 * one that was listed and none is missing or added, and the custodian signed its lines. Throws CliError `check-failed`, naming the first file that differs.
 */
export async function verifyExport(folder: string, profile: Profile): Promise<VerifiedExport> {
  try {
    const lines = linesOf(readFileSync(join(folder, ORGANISATION_FILE), 'utf8'));
    const keyring = keyringOf(lines, profile);
    const manifest = readManifest(folder);
    const at = checkManifest(manifest, keyring);
    requireFiles(manifest.files, await listFiles(folder));
    return { files: manifest.files.length, lines: signedLines(lines, keyring), at };
  } catch (cause) {
    const what = cause instanceof TypeError ? cause.message : 'a file or a signature of it does not hold';
    throw new CliError('check-failed', `this is not the export as it was signed: ${what}`, {
      cause,
      next: 'export again, or ask whoever handed it over; RINGFENCE_HOME has to name a profile of the same organisation',
    });
  }
}

function keyringOf(lines: readonly string[], { orgRoot, org }: Profile): Keyring {
  const statements = lines
    .flatMap((line) => keyringLine.safeParse(jsonOf(line)).data ?? [])
    .toSorted((a, b) => a.seq - b.seq);
  const keyring = foldKeyring(
    statements.map(({ envelope }) => envelope),
    orgRoot,
  );
  if (keyring.org !== org) throw new TypeError('it is of another organisation');
  return keyring;
}

function readManifest(folder: string): ExportManifest {
  const text = readFileSync(join(folder, MANIFEST_FILE), 'utf8');
  const manifest = exportManifest.parse(jsonOf(text));
  if (`${canonicalJson(manifest)}\n` !== text) throw new TypeError(`${MANIFEST_FILE} is spelt in another way`);
  return manifest;
}

function requireFiles(signed: ExportManifest['files'], found: ExportManifest['files']): void {
  const there = new Map(found.map((file) => [file.path, file]));
  for (const file of signed) {
    const now = there.get(file.path);
    if (now === undefined) throw new TypeError(`${file.path} is missing`);
    if (now.sha256 !== file.sha256 || now.bytes !== file.bytes) throw new TypeError(`${file.path} was changed`);
    there.delete(file.path);
  }
  for (const path of there.keys()) throw new TypeError(`${path} was added`);
}

function signedLines(lines: readonly string[], keyring: Keyring): number {
  const last = lastLine.safeParse(jsonOf(lines.at(-1) ?? ''));
  if (!last.success) throw new TypeError(`${ORGANISATION_FILE} does not end with the custodian’s statement`);
  const read = readStatement('export', last.data.export);
  const { body } = verifyStatement(read, keyring.delegatedKeys('label', read.claimed.at, read.claimed.custodian));
  const before = lines.slice(0, -1);
  const hash = createHash('sha256').update(before.map((line) => `${line}\n`).join(''));
  if (body.lines.count !== before.length || body.lines.digest !== hash.digest('hex'))
    throw new TypeError(`the lines of ${ORGANISATION_FILE} are not those that the custodian signed`);
  return before.length;
}
