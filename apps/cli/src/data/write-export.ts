import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { canonicalJson, RingfenceError, type MemberId, type ProjectId } from '@ringfence/base';
import type { CustodianClient } from '@ringfence/client/custodian';
import { openPack, readObject } from '@ringfence/client/pack';
import { parseDigest, sha256Hex, type Digest } from '@ringfence/crypto/sign';
import type { ArtifactRow, ExportManifest, PackReference } from '@ringfence/protocol/payload';
import type { CommandContext } from '../command.ts';
import { intoNewFolder } from '../job/new-folder.ts';
import { readSealedLog } from '../job/sealed-log.ts';
import type { Session } from '../session.ts';
import { signManifest } from './export-manifest.ts';
import { CONTROL_PLANE_FILE, MANIFEST_FILE, ORGANISATION_FILE } from './exported-line.ts';
import { exportedLogs, nameOf } from './exported-logs.ts';

/** What is written where. */
export interface ExportWish {
  readonly folder: string;
  /** Only what names this member; no data then. */
  readonly member: MemberId | undefined;
  readonly withData: boolean;
  readonly onProgress: (bytes: number) => void;
}

type Withheld = ExportManifest['withheld'];

/** What versions are read with. */
interface VersionSource {
  readonly custodian: Pick<CustodianClient, 'object'> & {
    openArtifact(name: string, version: number): Promise<{ project: ProjectId; pack: PackReference }>;
  };
  readonly profile: Pick<Session['profile'], 'org'>;
}

/** Writes all that the organisation has and this device may open into an empty folder, and its manifest last. */
export async function writeExport(
  { clock }: CommandContext,
  session: Session,
  wish: ExportWish,
): Promise<ExportManifest> {
  const { profile, keys } = session;
  const withheld: Withheld = [{ what: 'values of secrets, and private keys', why: 'never-read-back' }];
  await pipeline(
    await session.custodian.data.exported(wish.member),
    createWriteStream(join(wish.folder, ORGANISATION_FILE)),
  );
  if (wish.member === undefined) {
    await writeControlPlane(session, wish.folder);
    await writeLogs(session, wish.folder, withheld);
    for (const row of await allVersions(session)) await writeVersion(session, wish, { row, withheld });
  }
  const files = await listFiles(wish.folder);
  const { org, device } = profile;
  const manifest = signManifest({ org, device, key: keys.sign, at: clock.now() }, { files, withheld });
  writeFileSync(join(wish.folder, MANIFEST_FILE), `${canonicalJson(manifest)}\n`);
  return manifest;
}

async function writeControlPlane({ controlPlane }: Session, folder: string): Promise<void> {
  const lines: string[] = [];
  for (const { job } of await controlPlane.jobs()) {
    lines.push(canonicalJson({ job: await controlPlane.job(job) }));
    for (const event of await controlPlane.events(job)) lines.push(canonicalJson({ event }));
  }
  writeFileSync(join(folder, CONTROL_PLANE_FILE), lines.map((line) => `${line}\n`).join(''));
}

/** Which logs are kept is in the custodian's own lines. */
async function writeLogs(session: Session, folder: string, withheld: Withheld): Promise<void> {
  const { kept, elsewhere } = exportedLogs(linesOf(readFileSync(join(folder, ORGANISATION_FILE), 'utf8')));
  for (const attempt of elsewhere) withheld.push({ what: nameOf(attempt), why: 'not-at-custodian' });
  for (const { job, attempt } of kept) {
    try {
      const lines = await readSealedLog(session, { job, attempt });
      mkdirSync(join(folder, 'logs', job), { recursive: true });
      const text = lines.map((one) => `${canonicalJson(one)}\n`).join('');
      writeFileSync(join(folder, 'logs', job, `${attempt}.ndjson`), text, { flag: 'wx' });
    } catch (error) {
      if (!(error instanceof RingfenceError)) throw error;
      withheld.push({ what: nameOf({ job, attempt }), why: 'refused' });
    }
  }
}

async function allVersions({ custodian }: Session): Promise<ArtifactRow[]> {
  return (await custodian.artifacts()).toSorted((a, b) => (a.name < b.name ? -1 : 1) || a.version - b.version);
}

/** Lays out a version below `data`, whole or not at all; what is not there is added to `withheld`. Throws errors of the file system. */
export async function writeVersion(
  { custodian, profile }: VersionSource,
  { folder, withData, onProgress }: Pick<ExportWish, 'folder' | 'withData' | 'onProgress'>,
  { row, withheld }: { row: Pick<ArtifactRow, 'name' | 'artifact' | 'version' | 'place'>; withheld: Withheld },
): Promise<void> {
  const what = `${row.name} version ${row.version}`;
  if (row.place !== undefined) return void withheld.push({ what, why: 'in-place' });
  if (!withData) return void withheld.push({ what, why: 'not-asked' });
  try {
    const { project, pack } = await custodian.openArtifact(row.name, row.version);
    // By its id: what people call it may be no name of a file.
    const target = join(folder, 'data', row.artifact, String(row.version));
    const fetch = async (digest: Digest) => readObject(await custodian.object(digest));
    const opened = { org: profile.org, project, pack, fetch, onProgress };
    await intoNewFolder(target, (whole) => openPack({ ...opened, folder: whole }));
  } catch (error) {
    if (!(error instanceof RingfenceError)) throw error;
    withheld.push({ what, why: 'refused' });
  }
}

/** Every file below `folder` with its size and digest, by path; of a link, of where it points. */
export async function listFiles(folder: string): Promise<ExportManifest['files']> {
  const files: ExportManifest['files'] = [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  for (const name of names) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isDirectory() || name === MANIFEST_FILE) continue;
    const sha256 = stat.isSymbolicLink() ? sha256Hex(Buffer.from(`-> ${readlinkSync(path)}`)) : await digestOf(path);
    files.push({ path: relative(folder, path), bytes: stat.size, sha256 });
  }
  return files;
}

async function digestOf(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const digest = parseDigest(hash.digest('hex'));
  if (digest === undefined) throw new Error('unreachable');
  return digest;
}

/** The lines of a text, the last line feed ending the last one. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
