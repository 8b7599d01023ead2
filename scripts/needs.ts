// What a machine may lack for some tests. `npm test` skips those tests and lists them; `npm run test:full` fails.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

type Probe = { present: () => boolean; remedy: string };

const runs = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const isRoot = () => process.getuid?.() === 0;

/** The folder with the programs of a PostgreSQL server from Debian's packages (newest version), or null. */
export function debianPostgresqlBin(): string | null {
  const versions = '/usr/lib/postgresql';
  if (!existsSync(versions)) return null;
  const newestFirst = readdirSync(versions).toSorted((a, b) => Number(b) - Number(a));
  return (
    newestFirst.map((version) => join(versions, version, 'bin')).find((bin) => existsSync(join(bin, 'postgres'))) ??
    null
  );
}

/** The closed list of needs, each with its probe and what to do when it is absent. */
const NEEDS = {
  root: { present: isRoot, remedy: 'run as root' },
  bubblewrap: {
    present: () => runs('bwrap', '--ro-bind', '/', '/', '--unshare-all', 'true'),
    remedy: 'apt-get install bubblewrap, and root or user namespaces',
  },
  netns: {
    present: () => isRoot() && runs('ip', '-V') && runs('unshare', '--net', 'true'),
    remedy: 'run as root with iproute2 and util-linux',
  },
  tmpfs: {
    // In a namespace of its own, so that nothing is left mounted.
    present: () => isRoot() && runs('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'),
    remedy: 'run as root, outside of containers that forbid mounts',
  },
  nftables: { present: () => isRoot() && runs('nft', '--version'), remedy: 'run as root with nftables' },
  libfaketime: {
    present: () => globSync('/usr/lib/*/faketime/libfaketimeMT.so.1').length > 0,
    remedy: 'apt-get install libfaketime',
  },
  tcpdump: { present: () => isRoot() && runs('tcpdump', '--version'), remedy: 'run as root with tcpdump' },
  'debian-postgresql': { present: () => debianPostgresqlBin() !== null, remedy: 'apt-get install postgresql' },
  openssl: { present: () => runs('openssl', 'version'), remedy: 'apt-get install openssl' },
  runc: { present: () => runs('runc', '--version'), remedy: 'apt-get install runc' },
  crun: { present: () => runs('crun', '--version'), remedy: 'apt-get install crun' },
  runsc: { present: () => runs('runsc', '--version'), remedy: 'apt-get install runsc' },
  'image-makers': {
    present: () => runs('skopeo', '--version') && runs('umoci', '--version') && runs('busybox', 'true'),
    remedy: 'apt-get install skopeo umoci busybox-static',
  },
  'docker-registry': { present: () => runs('docker-registry', '--version'), remedy: 'apt-get install docker-registry' },
  'own-name': {
    present: () => /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(hostname()) && runs('getent', 'hosts', hostname()),
    remedy: 'put the name of this machine into /etc/hosts',
  },
  python3: { present: () => runs('python3', '--version'), remedy: 'apt-get install python3' },
  sklearn: {
    present: () => runs('/usr/bin/python3', '-c', 'import numpy, sklearn'),
    remedy: 'apt-get install python3-sklearn',
  },
  'fashion-mnist': {
    present: () =>
      existsSync('/usr/share/datasets/fashion-mnist') && runs('/usr/bin/python3', '-c', 'import numpy, sklearn'),
    remedy: 'apt-get install dataset-fashion-mnist python3-sklearn',
  },
  chromium: { present: () => runs('/usr/bin/chromium', '--version'), remedy: 'apt-get install chromium' },
  softhsm: { present: () => existsSync('/usr/lib/softhsm/libsofthsm2.so'), remedy: 'apt-get install softhsm2' },
  pkcs11: {
    present: () => existsSync(join(import.meta.dirname, '../node_modules/pkcs11js/build/Release/pkcs11.node')),
    remedy: 'npm rebuild pkcs11js --ignore-scripts=false, with make, g++ and python3',
  },
  'go-tlog': {
    present: () =>
      existsSync('/usr/lib/go-1.19/bin/go') && existsSync('/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog'),
    remedy: 'apt-get install golang-1.19-go golang-golang-x-mod-dev',
  },
  systemd: { present: () => runs('systemd-analyze', '--version'), remedy: 'apt-get install systemd' },
  full: { present: () => process.env['RINGFENCE_TEST_FULL'] === '1', remedy: 'npm run test:full' },
} satisfies Record<string, Probe>;

/** Something that a test may need and a machine may lack. */
export type Need = keyof typeof NEEDS;

/** Starts the reason of every skip that a need caused; the test runner counts any other skip as a failure. */
export const SKIP_PREFIX = 'needs ';

const probed = new Map<Need, boolean>();

function isPresent(need: Need): boolean {
  const known = probed.get(need) ?? NEEDS[need].present();
  probed.set(need, known);
  return known;
}

/** For the `skip` option of a test or suite: false when all needs are present, else the reason with the remedy. */
export function missing(...needs: Need[]): string | false {
  const absent = needs.filter((need) => !isPresent(need));
  if (absent.length === 0) return false;
  return SKIP_PREFIX + absent.map((need) => `${need} (${NEEDS[need].remedy})`).join(', ');
}

/** For use inside a test: `if (!need(t, 'bubblewrap')) return;`. Skips the test and returns false when a need is absent. */
export function need(t: TestContext, ...needs: Need[]): boolean {
  const reason = missing(...needs);
  if (reason !== false) t.skip(reason);
  return reason === false;
}
