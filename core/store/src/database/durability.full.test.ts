import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomBelow, seededRng, sleep } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { ORG_A, startTestServer, until, type Tables, type TestServer } from './database.fixture.ts';
import type { Store } from './store.ts';

const ROUNDS = 30;

let server: TestServer;
let store: Store<Tables, 'count-notes'>;
before(async () => {
  server = await startTestServer();
  store = await server.open('rf_d');
});
after(async () => {
  await store.close();
  await server.remove();
});

test(`no acknowledged row is lost, and none is there twice, over ${ROUNDS} kills of the server`, async (t) => {
  const seed = `${clock.now()}`;
  t.diagnostic(`seed ${seed}`);
  const rng = seededRng(seed);
  const acknowledged = new Set<number>();
  let next = 0;
  const write = async (): Promise<void> => {
    next += 1;
    const id = next;
    await store.withOrg(ORG_A, (tx) => tx.insertInto('note').values({ org: ORG_A, id, text: 'x' }).execute());
    acknowledged.add(id);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const former = server.server.pid;
    const before = acknowledged.size;
    const busy = Promise.all(
      Array.from({ length: 4 }, async () => {
        // Ends with the first failed write, which the kill below brings about.
        for (let count = 0; count < 100_000; count += 1)
          if (
            !(await write().then(
              () => true,
              () => false,
            ))
          )
            return;
      }),
    );
    await until('writes are acknowledged', () => acknowledged.size > before);
    await sleep(clock, randomBelow(rng, 30));
    process.kill(former, 'SIGKILL');
    await busy;
    await until('the restart', () => server.server.pid !== former);
    await until('a call succeeds', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    );
  }
  const rows = await server.asSuperuser('select id from rf_d.note');
  const found = new Set(rows.map(({ id }) => id));
  assert.equal(found.size, rows.length);
  assert.deepEqual(
    [...acknowledged].filter((id) => !found.has(id)),
    [],
  );
  t.diagnostic(`${acknowledged.size} rows acknowledged, ${found.size} found`);
});
