// A process that starts the embedded database of the folder named in its argument, says so on stdout in one JSON line, and stays until
// its stdin ends; then it stops the database. Tests kill it.
import { silentLog } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { startEmbedded } from './start.ts';

const server = await startEmbedded({ stateDir: process.argv[2] ?? '', log: silentLog, clock: systemClock });
const { pid, socketDir, reused, owned } = server;
const url = Buffer.from(server.connectionString().expose()).toString();
process.stdout.write(`${JSON.stringify({ pid, socketDir, reused, owned, url })}\n`);
process.stdin.resume().once('end', () => {
  void server.stop().then(() => process.exit(0));
});
