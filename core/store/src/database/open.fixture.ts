// A process that opens the database whose options (url, schema, migrations, stateDir) come as JSON on stdin, says `opened` and ends.
// Tests start several at once.
import { text } from 'node:stream/consumers';
import { silentLog } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { openDatabase } from './open.ts';

const { url, schema, migrations, stateDir } = JSON.parse(await text(process.stdin));
const store = await openDatabase({
  source: { url },
  schema,
  migrations,
  stateDir,
  systemQueries: [],
  clock: systemClock,
  log: silentLog,
});
await store.ping();
await store.close();
process.stdout.write('opened\n');
