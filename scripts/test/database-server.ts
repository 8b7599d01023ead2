import { startSharedServer, TEST_SERVER_VARIABLE } from '@ringfence/store/test-database';

const INTERRUPTED = 130;
const USERS = /^apps\/(control-plane|custodian)\//;

/**
 * Starts the PostgreSQL server that the files of this run share, when one of them needs it: a server of their own would cost most of
 * these tests more than they do. Returns how to remove it.
 */
export async function openDatabaseServer(files: readonly string[]): Promise<() => Promise<void>> {
  if (!files.some((path) => USERS.test(path))) return async () => {};
  const server = await startSharedServer();
  process.env[TEST_SERVER_VARIABLE] = server.url;
  // Ctrl-C ends the files by itself, and not this server, which is in a session of its own.
  const interrupted = (): void => void server.remove().finally(() => process.exit(INTERRUPTED));
  process.once('SIGINT', interrupted);
  return () => {
    process.off('SIGINT', interrupted);
    return server.remove();
  };
}
