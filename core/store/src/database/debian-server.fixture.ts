import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { chooseAccount, parsePasswd } from '../embedded/account.ts';
import { runSql, until } from './database.fixture.ts';

/** A server from Debian's packages on a loopback port, as an operator would run one. */
export interface DebianServer {
  readonly port: number;
  /** Self-signed certificate of `localhost`. */
  readonly certificate: string;
  /** URL of user `name` with `password` for `database`. */
  url(name: string, password: string, database: string): string;
  asSuperuser(database: string, sql: string): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly key: string;
  readonly certificate: string;
  /** The account to run under; root gives way to an unprivileged one. */
  readonly identity: { uid?: number; gid?: number };
}

/** Starts a server with the programs in `bin` in a temporary folder. */
export async function startDebianServer(bin: string): Promise<DebianServer> {
  const place = makePlace();
  const { folder, certificate, data, identity } = place;
  makeCertificate(place);
  makeData(bin, place);
  const port = await freePort();
  configure(place, port);
  const server = spawn(join(bin, 'postgres'), ['-D', data], { ...identity, cwd: '/', stdio: 'ignore' });
  const url = (name: string, password: string, database: string): string =>
    `postgresql://${name}${password === '' ? '' : `:${password}`}@127.0.0.1:${port}/${database}`;
  const asSuperuser = (database: string, sql: string): Promise<Record<string, unknown>[]> =>
    runSql(url('super', 'super', database), sql);
  const answers = async (): Promise<boolean> => {
    const result = await Promise.allSettled([asSuperuser('postgres', 'select 1')]);
    return result[0].status === 'fulfilled';
  };
  await until('the server answers', answers);
  const stop = async (): Promise<void> => {
    server.kill('SIGINT');
    if (server.exitCode === null) await once(server, 'exit');
    rmSync(folder, { recursive: true });
  };
  return { port, certificate, url, asSuperuser, stop };
}

function makePlace(): Place {
  // In /tmp, because the account cannot reach a temporary folder of root's own.
  const folder = mkdtempSync('/tmp/rf-test-');
  const file = (name: string): string => join(folder, name);
  const place = { folder, data: file('data'), key: file('key.pem'), certificate: file('certificate.pem') };
  if (process.getuid?.() !== 0) return { ...place, identity: {} };
  const { uid, gid } = chooseAccount(parsePasswd(readFileSync('/etc/passwd', 'utf8')));
  chownSync(folder, uid, gid);
  return { ...place, identity: { uid, gid } };
}

function makeCertificate({ key, certificate, identity }: Place): void {
  const what = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  run('openssl', [...what, ...name, '-keyout', key, '-out', certificate], identity);
  chmodSync(key, 0o600);
}

function makeData(bin: string, { folder, data, identity }: Place): void {
  const password = join(folder, 'password');
  writeFileSync(password, 'super\n', { mode: 0o644 });
  run(join(bin, 'initdb'), ['-D', data, '-U', 'super', '-A', 'scram-sha-256', `--pwfile=${password}`], identity);
}

function configure({ folder, data, key, certificate }: Place, port: number): void {
  const rules = join(data, 'pg_hba.conf');
  writeFileSync(rules, `host all peer 127.0.0.1/32 trust\n${readFileSync(rules, 'utf8')}`);
  const network = { port, listen_addresses: '127.0.0.1', unix_socket_directories: folder };
  const settings = { ...network, ssl: 'on', ssl_key_file: key, ssl_cert_file: certificate };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
  appendFileSync(join(data, 'postgresql.conf'), lines.join(''));
}

function run(program: string, args: readonly string[], identity: Place['identity']): void {
  const { status, stderr } = spawnSync(program, args, { ...identity, cwd: '/', encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
