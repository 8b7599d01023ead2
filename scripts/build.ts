// `npm run build [-- --sign-key FILE] [--out FOLDER]` makes one archive per platform and a signed list of digests.
// `npm run build -- --verify FOLDER --public-key FILE` checks such a folder.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { appsWithMain, bundleApp, type Bundle } from './build/bundle.ts';
import {
  describeFile,
  developmentKeys,
  plainList,
  publicPem,
  readPublicKeys,
  readSigningKeys,
  signList,
  verifyRelease,
  type ReleaseFile,
  type SignedList,
} from './build/digest-list.ts';
import { availableArches, writeReleaseTree, type Arch } from './build/release-tree.ts';

const checkout = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(checkout, 'dist') },
    'sign-key': { type: 'string' },
    verify: { type: 'string' },
    'public-key': { type: 'string' },
  },
});

const git = (...args: string[]) => execFileSync('git', args, { cwd: checkout, encoding: 'utf8' }).trim();
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Same tree, same bytes: names sorted, one owner, one time (the commit's), permissions from the executable bit only. */
function pack(folder: string, name: string, archive: string): void {
  const time = process.env['SOURCE_DATE_EPOCH'] ?? git('log', '-1', '--format=%ct');
  const fixed = ['--sort=name', '--format=gnu', '--numeric-owner', '--owner=0', '--group=0', '--mode=u=rwX,go=rX'];
  const flags = [...fixed, `--mtime=@${time}`, '--use-compress-program=gzip -n -6'];
  execFileSync('tar', ['--create', `--file=${archive}`, ...flags, `--directory=${folder}`, name], { stdio: 'inherit' });
}

function buildArchive(arch: Arch, version: string, bundles: readonly Bundle[]): ReleaseFile {
  const name = `ringfence-${version}-linux-${arch}`;
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-build-'));
  try {
    const commit = git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+changes');
    const about = { version, platform: `linux-${arch}`, node: process.version, commit };
    writeReleaseTree(join(folder, name), { checkout, arch, bundles, about });
    const archive = join(values.out, `${name}.tar.gz`);
    pack(folder, name, archive);
    return describeFile(`${name}.tar.gz`, readFileSync(archive));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function build(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  const keyFile = values['sign-key'] ?? process.env['RINGFENCE_RELEASE_KEY_FILE'];
  const keys = keyFile === undefined ? developmentKeys() : readSigningKeys(readFileSync(keyFile, 'utf8'));
  const label = keyFile === undefined ? 'development' : 'release';
  const bundles = await Promise.all(appsWithMain(checkout).map((app) => bundleApp(checkout, app)));
  for (const { app, contents } of bundles) console.log(`bundled ${app} (${megabytes(contents.length)})`);
  mkdirSync(values.out, { recursive: true });
  const files = availableArches(checkout).map((arch) => buildArchive(arch, version, bundles));
  for (const { name, bytes } of files) console.log(`packed ${name} (${megabytes(bytes)})`);
  const list = signList({ version, label, files }, keys);
  writeFileSync(join(values.out, 'SHA256SUMS'), plainList(version, label, files));
  writeFileSync(join(values.out, 'SHA256SUMS.json'), `${JSON.stringify(list, null, 2)}\n`);
  // For whoever has openssl and no Ringfence yet: the first signature, raw.
  writeFileSync(join(values.out, 'SHA256SUMS.sig'), Buffer.from(list.signatures[0]?.signature ?? '', 'hex'));
  writeFileSync(join(values.out, 'SHA256SUMS.pub.pem'), publicPem(keys));
  console.log(`signed SHA256SUMS (${label}: ${list.signatures.map(({ algorithm }) => algorithm).join(' + ')})`);
  if (label === 'development')
    console.log('This list is labelled development: its key was made for this build and vouches for nothing.');
}

function verify(folder: string, publicKey: string): string[] {
  const trusted = readPublicKeys(readFileSync(publicKey, 'utf8'));
  const plain = readFileSync(join(folder, 'SHA256SUMS'), 'utf8');
  const list = JSON.parse(readFileSync(join(folder, 'SHA256SUMS.json'), 'utf8')) as SignedList;
  const read = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : null);
  const problems = verifyRelease({ plain, list }, trusted, read);
  if (problems.length === 0)
    console.log(`${list.files.length} file(s) of ${list.version} are as signed (${list.label})`);
  return problems;
}

if (values.verify === undefined) await build();
else {
  const publicKey = values['public-key'];
  const problems =
    publicKey === undefined
      ? ['--verify needs --public-key FILE, the key you trust']
      : verify(values.verify, publicKey);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
