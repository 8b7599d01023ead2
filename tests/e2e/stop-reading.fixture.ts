// Loaded before a program (`--import`): reading a file stands still after 40 MiB. An upload that nothing ends is then cut in its middle whenever
// it is killed, however fast the machine is.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { PassThrough } from 'node:stream';

const READ_BYTES = 40 * 1_048_576;
const { createReadStream } = fs;

/** The first bytes of a file, and no end. */
function firstBytesOf(...[path, options]: Parameters<typeof createReadStream>): PassThrough {
  const given = typeof options === 'object' ? options : { encoding: options };
  // A pipe keeps no process alive.
  setInterval(() => {}, 1_000);
  return createReadStream(path, { ...given, end: READ_BYTES - 1 }).pipe(new PassThrough(), { end: false });
}

Object.assign(fs, { createReadStream: firstBytesOf });
syncBuiltinESMExports();
