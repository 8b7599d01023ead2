/** uid and gid that a job sees for itself. */
export const JOB_ID = 65_534;

/** A made-up file of the sandbox's /etc. */
export interface EtcFile {
  readonly path: string;
  readonly text: string;
}

/**
 * /etc as the job sees it: its own name, nobody else's; names resolve from files, so a host name leads nowhere. `id` is what the job sees
 * itself as.
 */
export function etcFiles(hostname: string, id: number = JOB_ID): readonly EtcFile[] {
  const root = id === 0 ? '' : 'root:x:0:0:root:/root:/usr/sbin/nologin\n';
  const rootGroup = id === 0 ? '' : 'root:x:0:\n';
  return [
    {
      path: '/etc/passwd',
      text: `${root}job:x:${id}:${id}:job:/tmp:/bin/sh\n`,
    },
    { path: '/etc/group', text: `${rootGroup}job:x:${id}:\n` },
    { path: '/etc/hosts', text: `127.0.0.1 localhost ${hostname}\n::1 localhost ${hostname}\n` },
    {
      path: '/etc/nsswitch.conf',
      text: 'passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\n',
    },
  ];
}

/**
 * Parts of the host's /etc that programs cannot do without and that say nothing about its people or services: linker
 * cache, alternatives (symlinks between programs), public certificates, time zone, port names.
 */
export const HOST_ETC: readonly string[] = [
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/certs',
  '/etc/pki/ca-trust/extracted',
  '/etc/ca-certificates/extracted',
  '/etc/localtime',
  '/etc/services',
  '/etc/protocols',
];
