import { journalLines, journalParts, readHandshakeSeed, readLinkKeys } from '@ringfence/client/control-link';
import { wireVerify, type WireReport } from '@ringfence/ledger';
import { CliError } from '../cli-error.ts';
import { readFrameKey, whyNoFrameKey } from './frame-key.ts';
import type { JournalFolder } from './journal-folders.ts';
import { sessionKeysIn } from './session-keys-file.ts';

/** What one journal proves, and where it lies. */
export interface VerifiedLink extends WireReport {
  /** The link's folder below the state folder. */
  readonly link: string;
  /** The control plane and its root that the frames were checked against. */
  readonly controlPlane: string;
  readonly root: string;
  /** The profile knows this control plane by another root: the frames were checked against keys that are not its. */
  readonly otherRoot: boolean;
  /** Why signatures could not be made again; null when they could. */
  readonly noFrameKey: string | null;
}

/** The control plane as the CLI's profile pinned it. */
export interface KnownControlPlane {
  readonly id: string;
  readonly root: string;
}

/** What else a verification looks at. */
export interface VerifyOptions {
  /** The control plane that the CLI's profile knows. */
  readonly known?: KnownControlPlane | undefined;
  /** The file that unseals an agent's identity, so that its signatures can be made again. */
  readonly sealKeyFile: string;
}

/** Several links together. */
export interface VerifiedLinks {
  readonly ok: boolean;
  readonly frames: number;
  readonly bytes: number;
  readonly links: readonly VerifiedLink[];
}

/**
 * Verifies everything that crossed these links; a link with the `known` control plane must have its root. Throws CliError `bad-file`,
 * LedgerError `broken-journal`.
 */
export function verifyLinks(folders: readonly JournalFolder[], options: VerifyOptions): VerifiedLinks {
  const links = folders.map((folder) => verifyLink(folder, options));
  const frames = links.flatMap(({ connections }) => connections).map(({ framesIn, framesOut }) => framesIn + framesOut);
  return {
    ok: links.every(({ ok }) => ok),
    frames: frames.reduce((sum, count) => sum + count, 0),
    bytes: links.reduce((sum, { bytesIn, bytesOut }) => sum + bytesIn + bytesOut, 0),
    links,
  };
}

function verifyLink({ place, folder, sessions }: JournalFolder, { known, sealKeyFile }: VerifyOptions): VerifiedLink {
  const keys = readLinkKeys(folder);
  if (keys === undefined)
    throw new CliError('bad-file', `${folder} has no readable link-keys.json`, {
      next: 'start the party once: it writes down the public keys that its frames are checked against',
    });
  const parts = journalParts(folder);
  const signing = readFrameKey(folder, sealKeyFile, keys.party);
  const report = wireVerify({
    records: journalLines(parts),
    sessions: sessionKeysIn(sessions),
    keys: { ...keys, seed: readHandshakeSeed(folder), signing },
    removed: new Set(parts.removed.flatMap(({ conns }) => conns)),
  });
  const { controlPlane, root } = keys;
  const otherRoot = known?.id === controlPlane && known.root !== root;
  const noFrameKey = signing === undefined ? whyNoFrameKey(folder, sealKeyFile) : null;
  return { ...report, ok: report.ok && !otherRoot, link: place, controlPlane, root, otherRoot, noFrameKey };
}
