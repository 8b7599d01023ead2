import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { readLinkKeys } from '@ringfence/client/control-link';
import { JournalReader, readSessionKeys, wireVerify, type JournalRecord, type WireReport } from '@ringfence/ledger';
import { CliError } from '../cli-error.ts';
import type { JournalFolder } from './journal-folders.ts';

/** What one journal proves, and where it lies. */
export interface VerifiedLink extends WireReport {
  /** The link's folder below the state folder. */
  readonly link: string;
  /** The control plane and its root that the frames were checked against. */
  readonly controlPlane: string;
  readonly root: string;
  /** The profile knows this control plane by another root: the frames were checked against keys that are not its. */
  readonly otherRoot: boolean;
}

/** The control plane as the CLI's profile pinned it. */
export interface KnownControlPlane {
  readonly id: string;
  readonly root: string;
}

/** Several links together. */
export interface VerifiedLinks {
  readonly ok: boolean;
  readonly frames: number;
  readonly bytes: number;
  readonly links: readonly VerifiedLink[];
}

const PIECE = 1_048_576;

/**
 * Verifies everything that crossed these links; a link with the `known` control plane must have its root. Throws CliError `bad-file`,
 * LedgerError `broken-journal`.
 */
export function verifyLinks(folders: readonly JournalFolder[], known?: KnownControlPlane): VerifiedLinks {
  const links = folders.map((folder) => verifyLink(folder, known));
  const frames = links.flatMap(({ connections }) => connections).map(({ framesIn, framesOut }) => framesIn + framesOut);
  return {
    ok: links.every(({ ok }) => ok),
    frames: frames.reduce((sum, count) => sum + count, 0),
    bytes: links.reduce((sum, { bytesIn, bytesOut }) => sum + bytesIn + bytesOut, 0),
    links,
  };
}

function verifyLink({ place, journal, sessions }: JournalFolder, known?: KnownControlPlane): VerifiedLink {
  const keys = readLinkKeys(dirname(journal));
  if (keys === undefined)
    throw new CliError('bad-file', `${dirname(journal)} has no readable link-keys.json`, {
      next: 'start the party once: it writes down the public keys that its frames are checked against',
    });
  const report = wireVerify({ records: recordsOf(journal), sessions: readSessionKeys(readText(sessions)), keys });
  const { controlPlane, root } = keys;
  const otherRoot = known?.id === controlPlane && known.root !== root;
  return { ...report, ok: report.ok && !otherRoot, link: place, controlPlane, root, otherRoot };
}

/** The records piece by piece: a journal may be larger than memory. */
function* recordsOf(path: string): Generator<JournalRecord> {
  const reader = new JournalReader();
  const handle = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(PIECE);
    for (let size = readSync(handle, piece); size > 0; size = readSync(handle, piece))
      for (const { record } of reader.read(piece.subarray(0, size))) yield record;
    // The party may be writing its next line just now.
    reader.end();
  } finally {
    closeSync(handle);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Without the file every connection shows as one whose keys are missing.
    return '';
  }
}
