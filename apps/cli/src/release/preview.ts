import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPack, readManifest, readObject } from '@ringfence/client/pack';
import type { PackReference } from '@ringfence/protocol/payload';
import type { Session } from '../session.ts';

/** One file of what is to be released; its beginning where it is text. */
export interface PreviewedFile {
  readonly path: string;
  readonly bytes: number;
  readonly text?: string;
}

/** A larger pack is listed and not opened. */
const LARGEST_OPENED = 64 * 1_048_576;
const MOST_FILES = 100;
const MOST_TEXTS = 10;
const LONGEST_TEXT = 2_000;

/** The files of a pack with the beginning of those that are text; nothing of it stays on this machine. */
export async function previewPack(
  { custodian, profile }: Session,
  {
    pack,
    project,
    bytes,
  }: { pack: PackReference; project: Parameters<typeof readManifest>[0]['project']; bytes: number },
): Promise<PreviewedFile[]> {
  const fetch = async (digest: Parameters<typeof custodian.object>[0]) => readObject(await custodian.object(digest));
  const parts = { pack, org: profile.org, project, fetch };
  const { files } = await readManifest(parts);
  const listed = files.slice(0, MOST_FILES).map(({ path, size }) => ({ path, bytes: size }));
  if (bytes > LARGEST_OPENED) return listed;
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-review-'));
  try {
    await openPack({ ...parts, folder });
    return listed.map((file, index) => {
      const text = index < MOST_TEXTS ? beginningOf(join(folder, file.path)) : undefined;
      return text === undefined ? file : { ...file, text };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The beginning of a text file; undefined for other bytes. */
function beginningOf(path: string): string | undefined {
  const bytes = readFileSync(path);
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).slice(0, LONGEST_TEXT);
  } catch {
    return undefined;
  }
}
