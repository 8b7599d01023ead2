import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId, seededRng, silentLog, type OrgId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { CompiledQuery, sql } from 'kysely';
import { StoreError } from '../store-error.ts';
import { CALL_LIMITS, clientConfig } from './connection.ts';
import { ORG_A, ORG_B, startTestServer, until, type Tables, type TestServer } from './database.fixture.ts';
import { openPool } from './pool.ts';
import { parseDatabaseUrl } from './server-address.ts';
import type { Store } from './store.ts';
import { Transactions, type Tx } from './transactions.ts';

/** The first `count` callers wait for each other; later ones pass. */
function meeting(count: number): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let arrived = 0;
  return () =>
    new Promise((resolve) => {
      arrived += 1;
      waiting.push(resolve);
      if (arrived >= count) for (const go of waiting.splice(0)) go();
    });
}

describe('transactions', () => {
  let server: TestServer;
  let store: Store<Tables, 'count-notes'>;

  const add = (org: OrgId, id: number, text = 'text'): Promise<void> =>
    store.withOrg(org, async (tx) => {
      await tx.insertInto('note').values({ org, id, text }).execute();
    });

  before(async () => {
    server = await startTestServer();
    store = await server.open('rf_t', { connections: 3 });
    await add(ORG_A, 1, 'of a');
    await add(ORG_B, 1, 'of b');
  });
  after(async () => {
    await store.close();
    await server.remove();
  });

  test('rows of another organisation are invisible to a query without a filter', async () => {
    const seen = await store.withOrg(ORG_A, (tx) => tx.selectFrom('note').select('text').execute());
    assert.deepEqual(seen, [{ text: 'of a' }]);
    const changed = await store.withOrg(ORG_A, (tx) => tx.updateTable('note').set({ text: 'of a' }).executeTakeFirst());
    assert.equal(changed.numUpdatedRows, 1n);
    const removed = await store.withOrg(ORG_A, (tx) =>
      tx.deleteFrom('note').where('org', '=', ORG_B).executeTakeFirst(),
    );
    assert.equal(removed.numDeletedRows, 0n);
  });

  test('a row of another organisation cannot be written, nor a row given away', async () => {
    const write = store.withOrg(ORG_A, (tx) =>
      tx.insertInto('note').values({ org: ORG_B, id: 9, text: 'x' }).execute(),
    );
    await assert.rejects(write, { code: 'denied', sqlState: '42501' });
    const give = store.withOrg(ORG_A, (tx) => tx.updateTable('note').set({ org: ORG_B, id: 9 }).execute());
    await assert.rejects(give, { code: 'denied' });
  });

  test('a declared query sees all organisations and may do no more than it was granted', async () => {
    const count = await store.withSystem('count-notes', (tx) =>
      tx
        .selectFrom('note')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow(),
    );
    assert.deepEqual(count, { n: 2 });
    const write = store.withSystem('count-notes', (tx) => tx.deleteFrom('note').execute());
    await assert.rejects(write, { code: 'denied' });
    // @ts-expect-error only declared names compile
    const undeclared = store.withSystem('drop-notes', async () => {});
    await assert.rejects(undeclared, { code: 'undeclared-query' });
  });

  test('300 transactions of 30 organisations over 3 connections never see each other', async () => {
    const rng = seededRng('organisations');
    const orgs = Array.from({ length: 30 }, () => newId('org', rng));
    const work = Array.from({ length: 300 }, (_, at) => async () => {
      const org = orgs[at % orgs.length] ?? ORG_A;
      const fails = at % 7 === 0;
      const run = store.withOrg(org, async (tx) => {
        await tx
          .insertInto('note')
          .values({ org, id: 1000 + at, text: org })
          .execute();
        const seen = await tx.selectFrom('note').select('org').distinct().execute();
        assert.deepEqual(seen, [{ org }]);
        if (fails) throw new RangeError('on purpose');
      });
      await (fails ? assert.rejects(run, RangeError) : run);
    });
    await Promise.all(work.map((run) => run()));
    assert.ok(store.counts().app.total <= 3);
    const kept = await server.asSuperuser(`select count(*)::int as n from rf_t.note where id >= 1000`);
    assert.deepEqual(kept, [{ n: 300 - Math.ceil(300 / 7) }]);
    await server.asSuperuser('delete from rf_t.note where id >= 1000');
  });

  test('a pooled connection carries no organisation into what comes next', async () => {
    const config = clientConfig(parseDatabaseUrl(server.url), 'rf_t', CALL_LIMITS);
    const pool = openPool<Tables>(config, 1, { clock, log: silentLog });
    // One pool in both places, so that the second transaction runs on the first one's connection without setting rf.org itself.
    const both = new Transactions({ app: pool, system: pool }, ['peek'], { clock, rng: seededRng('peek') });
    try {
      const org = sql`select current_setting('rf.org', true) as org`;
      const inside = await both.withOrg(ORG_A, (tx) => org.execute(tx));
      const behind = await both.withSystem('peek', (tx) => org.execute(tx));
      assert.deepEqual([inside.rows, behind.rows, pool.counts().total], [[{ org: ORG_A }], [{ org: '' }], 1]);
    } finally {
      await pool.close();
    }
  });

  test('a query that nobody awaited, or a handle that outlived its transaction, touches no other transaction', async () => {
    const one = await server.open('rf_t', { connections: 1 });
    try {
      let kept: Tx<Tables> | undefined;
      let late: Promise<unknown> = Promise.resolve();
      await one.withOrg(ORG_A, async (tx) => {
        kept = tx;
        late = Promise.resolve()
          .then(() => tx.insertInto('note').values({ org: ORG_A, id: 77, text: 'late' }).execute())
          .catch((error: unknown) => error);
      });
      await one.withOrg(ORG_B, async (tx) => {
        assert.ok(kept);
        await assert.rejects(kept.selectFrom('note').selectAll().execute());
        assert.deepEqual(await tx.selectFrom('note').select('text').execute(), [{ text: 'of b' }]);
      });
      const outcome = await late;
      const rows = await server.asSuperuser(`select org from rf_t.note where id = 77`);
      assert.deepEqual(rows, outcome instanceof Error ? [] : [{ org: ORG_A }]);
      await server.asSuperuser('delete from rf_t.note where id = 77');
    } finally {
      await one.close();
    }
  });

  test('one statement alone is as apart as a transaction, and leaves nothing when it fails', async () => {
    const texts = (org: OrgId) =>
      store.queryOrg(org, (db) => db.selectFrom('note').select('text').where('id', '=', 1).compile(), {
        readOnly: true,
      });
    assert.deepEqual([await texts(ORG_A), await texts(ORG_B)], [[{ text: 'of a' }], [{ text: 'of b' }]]);
    const note = (org: OrgId, id: number) =>
      store.queryOrg(ORG_A, (db) => db.insertInto('note').values({ org, id, text: 'alone' }).returning('id').compile());
    assert.deepEqual(await note(ORG_A, 90), [{ id: 90 }]);
    await assert.rejects(note(ORG_B, 91), { code: 'denied' });
    await assert.rejects(note(ORG_A, 90), { code: 'duplicate' });
    const count = await store.querySystem('count-notes', (db) =>
      db.selectFrom('note').select('org').where('id', '>=', 90).where('id', '<', 100).compile(),
    );
    assert.deepEqual(count, [{ org: ORG_A }]);
    const cut = store.queryOrg(ORG_A, () => CompiledQuery.raw('select pg_terminate_backend(pg_backend_pid())'));
    await assert.rejects(cut, { code: 'outcome-unknown' });
    const read = () => CompiledQuery.raw('select pg_terminate_backend(pg_backend_pid())');
    await assert.rejects(store.queryOrg(ORG_A, read, { readOnly: true }), { code: 'unavailable' });
  });

  test('a lock comes first and has to find its row; what leaves with the commit fails with it', async () => {
    const lock = (id: number) => CompiledQuery.raw('select text from note where id = $1 for update', [id]);
    const seen = await store.withOrg(ORG_A, (tx) => store.locked(tx), { lock: lock(1) });
    assert.deepEqual(seen, { text: 'of a' });
    const insert = (tx: Tx<Tables>, id: number) => tx.insertInto('note').values({ org: ORG_A, id, text: 'x' });
    const unlocked = store.withOrg(ORG_A, (tx) => insert(tx, 92).execute(), { lock: lock(-1) });
    await assert.rejects(unlocked, { code: 'query-failed' });
    const atCommitAlone = async (tx: Tx<Tables>) => store.atCommit(tx, insert(tx, 92).compile());
    await assert.rejects(store.withOrg(ORG_A, atCommitAlone, { lock: lock(-1) }), { code: 'query-failed' });
    const ended = await store.withOrg(ORG_A, async (tx) => [tx], { lock: lock(1) });
    await assert.rejects(async () => ended[0] && store.locked(ended[0]), { code: 'ended' });
    const twice = store.withOrg(ORG_A, async (tx) => {
      store.atCommit(tx, insert(tx, 93).compile());
      await insert(tx, 93).execute();
    });
    await assert.rejects(twice, { code: 'duplicate' });
    const both = await store.withOrg(ORG_A, async (tx) => {
      store.atCommit(tx, insert(tx, 94).compile());
      const [, rows] = await Promise.all([
        insert(tx, 95).execute(),
        tx.selectFrom('note').select('id').where('id', 'in', [92, 93, 94, 95]).execute(),
      ]);
      return rows;
    });
    assert.deepEqual(both, [{ id: 95 }], 'in the order in which they were asked for');
    const kept = await server.asSuperuser('select id from rf_t.note where id between 92 and 95 order by id');
    assert.deepEqual(kept, [{ id: 94 }, { id: 95 }]);
  });

  test('a swallowed failure does not pass for a commit', async () => {
    const run = store.withOrg(ORG_A, async (tx) => {
      await tx.insertInto('note').values({ org: ORG_A, id: 50, text: 'x' }).execute();
      await tx
        .insertInto('note')
        .values({ org: ORG_A, id: 50, text: 'y' })
        .execute()
        .catch(() => {});
    });
    await assert.rejects(run, { code: 'aborted' });
    assert.deepEqual(await server.asSuperuser('select from rf_t.note where id = 50'), []);
  });

  test('errors name the constraint and never the values', async () => {
    const secret = 'hunter2-marker';
    const failures = await Promise.all(
      [
        sql`insert into note values (${ORG_A}, 1, ${secret})`,
        sql`select ${secret}::integer`,
        sql`select ${secret} from nowhere`,
      ].map((query) =>
        store
          .withOrg(ORG_A, (tx) => query.execute(tx))
          .then(
            () => assert.fail('it succeeded'),
            (error: unknown) => error,
          ),
      ),
    );
    const texts = failures.map((error) => {
      assert.ok(error instanceof StoreError && error.cause instanceof Error);
      return [error.code, JSON.stringify(error), error.stack, error.cause.stack, JSON.stringify(error.cause)].join(
        '\n',
      );
    });
    assert.match(texts[0] ?? '', /^duplicate[^]*note_pkey/);
    assert.match(texts[1] ?? '', /^query-failed/);
    for (const text of texts) assert.doesNotMatch(text, /hunter2/);
  });

  test('a serialization failure is told, and retried when asked', async () => {
    await add(ORG_A, 60, '0');
    const increments: PromiseSettledResult<void>[][] = [];
    for (const retries of [0, 5]) {
      const meet = meeting(2);
      const increment = (): Promise<void> =>
        store.withOrg(
          ORG_A,
          async (tx) => {
            const { text } = await tx.selectFrom('note').select('text').where('id', '=', 60).executeTakeFirstOrThrow();
            await meet();
            await tx
              .updateTable('note')
              .set({ text: String(Number(text) + 1) })
              .where('id', '=', 60)
              .execute();
          },
          { isolation: 'serializable', retries },
        );
      increments.push(await Promise.allSettled([increment(), increment()]));
    }
    const [told, retried] = increments.map((results) =>
      results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : [])),
    );
    assert.deepEqual([told, retried], [['conflict'], []]);
    assert.deepEqual(await server.asSuperuser('select text from rf_t.note where id = 60'), [{ text: '3' }]);
  });

  test('a connection that is cut inside a transaction fails that call alone', async () => {
    const cut = store.withOrg(ORG_A, async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await server.asSuperuser(`select pg_terminate_backend(${rows[0]?.pid})`);
      await tx.selectFrom('note').selectAll().execute();
    });
    await assert.rejects(cut, { code: 'unavailable' });
    await add(ORG_A, 70);
  });

  test('a connection that is cut before the commit leaves the outcome unknown', async () => {
    const cut = store.withOrg(ORG_A, async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await server.asSuperuser(`select pg_terminate_backend(${rows[0]?.pid}, 5000)`);
    });
    await assert.rejects(cut, { code: 'outcome-unknown' });
  });

  test('a statement that waits for a lock too long gives up', async () => {
    const change = (tx: Tx<Tables>): Promise<unknown> =>
      tx.updateTable('note').set({ text: 'of a' }).where('id', '=', 1).execute();
    await store.withOrg(ORG_A, async (tx) => {
      await change(tx);
      const blocked = store.withOrg(ORG_A, async (other) => {
        await sql`set local lock_timeout = '50ms'`.execute(other);
        await change(other);
      });
      await assert.rejects(blocked, { code: 'timeout', sqlState: '55P03' });
    });
  });

  test('bigint columns are numbers, and one beyond 2^53 is an error', async () => {
    const read = (text: string): Promise<unknown> =>
      store.withOrg(ORG_A, async (tx) => (await sql`select ${text}::bigint as n`.execute(tx)).rows);
    assert.deepEqual(await read('9007199254740991'), [{ n: 9007199254740991 }]);
    await assert.rejects(read('9007199254740993'), { code: 'query-failed' });
  });

  test('the session has the limits and the search path', async () => {
    const { rows } = await store.withOrg(ORG_A, (tx) =>
      sql`select current_user::text as role, current_setting('search_path') as path, current_setting('statement_timeout') as statement,
        current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`.execute(
        tx,
      ),
    );
    assert.deepEqual(rows, [{ role: 'rf_t_app', path: 'rf_t,pg_temp', statement: '15s', lock: '5s', idle: '30s' }]);
  });

  test('while the server is away calls say so, and they succeed again when it is back', async () => {
    await store.ping();
    process.kill(server.server.pid, 'SIGKILL');
    const codes = new Set<string>();
    await until('calls succeed again', async () => {
      try {
        await add(ORG_B, 80 + codes.size);
        return codes.size > 0;
      } catch (error) {
        assert.ok(error instanceof StoreError, String(error));
        codes.add(error.code);
        return false;
      }
    });
    assert.ok(codes.has('unavailable'), [...codes].join());
    for (const code of codes) assert.match(code, /^(unavailable|outcome-unknown)$/);
    await store.ping();
  });

  test('a closed store refuses', async () => {
    const closed = await server.open('rf_t');
    await closed.close();
    await closed.close();
    await assert.rejects(closed.ping(), { code: 'closed' });
  });
});
