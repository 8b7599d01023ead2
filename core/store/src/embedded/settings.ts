/** Port number in the socket's name; the server listens on no network address. */
export const SOCKET_PORT = 5432;
/** Name of the server's superuser. */
export const SUPERUSER = 'rf_superuser';
/** The database that initdb makes and that we use. */
export const DATABASE = 'postgres';

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(SOCKET_PORT),
  unix_socket_permissions: '0700',
  password_encryption: 'scram-sha-256',
  // An acknowledged transaction survives kill -9 and power loss (invariant 6).
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Small memory: one role's metadata, not a warehouse.
  shared_buffers: '32MB',
  max_connections: '60',
  max_wal_size: '256MB',
  max_worker_processes: '4',
  io_method: 'sync',
  jit: 'off',
  // Lines of level ERROR quote values of rows; only start, stop, recovery and PANIC are logged (invariant 10).
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  logging_collector: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** Arguments of initdb; collation is PostgreSQL's own, so that an update of glibc cannot reorder an index. */
export function initdbArguments(data: string, passwordFile: string): string[] {
  const access = ['-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  const text = ['-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  return ['-D', data, '--data-checksums', ...access, ...text];
}

/** Arguments of the server; none is secret. `connections` is how many it takes, when not as many as one role needs. */
export function serverArguments(data: string, socketDir: string, connections?: number): string[] {
  const settings = {
    ...SETTINGS,
    unix_socket_directories: socketDir,
    ...(connections === undefined ? {} : { max_connections: String(connections) }),
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Environment of initdb and the server: nothing of ours goes in. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/bin:/bin', LANG: 'C', LC_ALL: 'C', TZ: 'UTC' } as const;
