import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, type FileHandle } from 'node:fs/promises';
import { fromUtf8 } from '@ringfence/base';
import { linkOutside } from '@ringfence/client/pack';
import { Sha256, type Digest } from '@ringfence/crypto/sign';
import { packPath, type DataEntry } from '@ringfence/protocol/payload';
import { DataError } from './data-error.ts';

/** What tells that a file is the one that was hashed before, without reading it; times in nanoseconds, as text. */
export interface FileMark {
  readonly size: number;
  readonly mtime: string;
  readonly ctime: string;
  readonly inode: string;
}

/** How a folder is read. */
export interface FolderReading {
  /** The digest that a file with this mark had when it was hashed last; undefined: read it. */
  readonly known: (path: string, mark: FileMark) => Digest | undefined;
  readonly onFile: (path: string, mark: FileMark, digest: Digest) => void;
  /** Bytes that were read. */
  readonly onBytes: (bytes: number) => void;
  /** Whoever owns nothing has to be able to read it all. */
  readonly forStrangers: boolean;
  readonly signal: AbortSignal;
}

const MOST_FILES = 1_000_000;
const DEEPEST = 64;
const PIECE = 1_048_576;

/**
 * Every file and link below `top` with its digest, sorted. Each step is taken from an open folder and follows no link, so nobody who may
 * write below can lead the agent, which may be root, elsewhere. Throws DataError.
 */
export async function readFolder(top: string, reading: FolderReading): Promise<DataEntry[]> {
  const entries: DataEntry[] = [];
  const handle = await openFolder(top);
  try {
    const { dev } = await handle.stat({ bigint: true });
    await readInto(entries, { handle, below: '', depth: 0, dev }, reading);
  } finally {
    await handle.close();
  }
  const links = entries.flatMap((entry) => (entry.kind === 'link' ? [entry] : []));
  const outside = linkOutside(links);
  if (outside !== undefined) throw refused('link-outside', outside.path, 'is a link that leads out of the folder');
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

interface OpenFolder {
  readonly handle: FileHandle;
  readonly below: string;
  readonly depth: number;
  readonly dev: bigint;
}

async function readInto(entries: DataEntry[], folder: OpenFolder, reading: FolderReading): Promise<void> {
  const { handle, below, depth, dev } = folder;
  if (depth > DEEPEST) throw refused('too-large', below, 'is nested too deeply');
  await requireReadable(handle, below === '' ? '.' : below, { reading, bits: 0o005 });
  const at = `/proc/self/fd/${handle.fd}`;
  for (const name of await readdir(at, { encoding: 'buffer' })) {
    if (reading.signal.aborted) throw new DataError('aborted', 'whoever asked for it left');
    const text = nameOf(name, below);
    const path = below === '' ? text : `${below}/${text}`;
    const stat = await lstat(`${at}/${text}`, { bigint: true });
    if (stat.dev !== dev) throw refused('other-file-system', path, 'lies on another file system');
    if (stat.isDirectory()) {
      const inner = await openFolder(`${at}/${text}`, path);
      await readInto(entries, { handle: inner, below: path, depth: depth + 1, dev }, reading).finally(() =>
        inner.close(),
      );
    } else if (stat.isSymbolicLink()) entries.push({ kind: 'link', path, target: await readlink(`${at}/${text}`) });
    else if (stat.isFile()) entries.push(await readFile(`${at}/${text}`, path, reading));
    else throw refused('special-file', path, 'is no file, folder or link');
    if (entries.length > MOST_FILES) throw new DataError('too-large', 'the folder holds more than a million files');
  }
}

async function readFile(at: string, path: string, reading: FolderReading): Promise<DataEntry> {
  // A pipe that took the file's place would otherwise hold the agent for ever.
  const file = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((cause) =>
    Promise.reject(refused('not-readable', path, 'cannot be read', { cause })),
  );
  try {
    await requireReadable(file, path, { reading, bits: 0o004 });
    const before = await markOf(file, path);
    const known = reading.known(path, before);
    const digest = known ?? (await digestOf(file, reading));
    const after = await markOf(file, path);
    if (known === undefined && (after.mtime !== before.mtime || after.ctime !== before.ctime))
      throw refused('changing', path, 'changed while it was read');
    reading.onFile(path, before, digest);
    return { kind: 'file', path, sha256: digest, size: before.size };
  } finally {
    await file.close();
  }
}

async function markOf(file: FileHandle, path: string): Promise<FileMark> {
  const stat = await file.stat({ bigint: true });
  if (!stat.isFile()) throw refused('changing', path, 'changed while it was read');
  return {
    size: Number(stat.size),
    mtime: String(stat.mtimeNs),
    ctime: String(stat.ctimeNs),
    inode: String(stat.ino),
  };
}

async function digestOf(file: FileHandle, { onBytes, signal }: FolderReading): Promise<Digest> {
  const hash = new Sha256();
  const piece = Buffer.allocUnsafe(PIECE);
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(piece, 0, PIECE, at);
    if (bytesRead === 0) return hash.hex();
    if (signal.aborted) throw new DataError('aborted', 'whoever asked for it left');
    hash.update(piece.subarray(0, bytesRead));
    onBytes(bytesRead);
    at += bytesRead;
  }
}

async function openFolder(at: string, path = '.'): Promise<FileHandle> {
  return open(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch((cause) =>
    Promise.reject(refused('not-readable', path, 'cannot be read', { cause })),
  );
}

async function requireReadable(
  handle: FileHandle,
  path: string,
  { reading, bits }: { reading: FolderReading; bits: number },
): Promise<void> {
  if (!reading.forStrangers || ((await handle.stat()).mode & bits) === bits) return;
  throw refused('not-readable', path, 'cannot be read by the users that jobs run as', { next: 'chmod -R o+rX it' });
}

function nameOf(name: Buffer, below: string): string {
  let text: string;
  try {
    text = fromUtf8(name);
  } catch {
    throw refused('bad-name', below, 'holds a name that is not UTF-8');
  }
  if (packPath.safeParse(text).success) return text;
  throw refused('bad-name', below, 'holds a name with a control character or a back-slash');
}

function refused(
  code: ConstructorParameters<typeof DataError>[0],
  path: string,
  problem: string,
  { cause, next = 'change it, or register another folder' }: { readonly cause?: unknown; readonly next?: string } = {},
): DataError {
  return new DataError(code, `${JSON.stringify(path)} ${problem}`, { next, cause });
}
