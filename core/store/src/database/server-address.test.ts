import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../store-error.ts';
import { parseDatabaseUrl } from './server-address.ts';

test('sockets, loopback and TLS are told apart', () => {
  const protection = (url: string): string => parseDatabaseUrl(url).protection;
  assert.equal(protection('postgresql://u:p@%2Frun%2Fpg:5432/db'), 'local');
  assert.equal(protection('postgresql:///db?host=/run/pg&user=u'), 'local');
  assert.equal(protection('postgres://u:p@127.0.0.1/db'), 'local');
  assert.equal(protection('postgres://u:p@[::1]/db'), 'local');
  assert.equal(protection('postgres://u:p@db.example/db?sslmode=verify-full'), 'verified');
  assert.equal(protection('postgres://u:p@db.example/db?sslmode=no-verify'), 'unverified');
  assert.equal(protection('postgres://u:p@db.example/db?uselibpqcompat=true&sslmode=require'), 'unverified');
  assert.equal(protection('postgres://u:p@db.example/db?sslmode=disable'), 'plaintext');
});

test('the parts of a URL are decoded', () => {
  const address = parseDatabaseUrl('postgresql://us%40er:p%2Fw@%2Frun%2Fpg:6000/my-db');
  const { host, port, user, database, password } = address;
  assert.deepEqual([host, port, user, database], ['/run/pg', 6000, 'us@er', 'my-db']);
  assert.equal(Buffer.from(password?.expose() ?? []).toString(), 'p/w');
  assert.doesNotMatch(JSON.stringify(address), /p\/w/);
});

test('another machine without TLS is refused unless the URL says so', () => {
  assert.throws(() => parseDatabaseUrl('postgres://u:p@db.example/db'), { code: 'insecure-url' });
  assert.throws(() => parseDatabaseUrl('postgres://u:p@10.0.0.7/db?application_name=x'), { code: 'insecure-url' });
  assert.throws(() => parseDatabaseUrl('postgres://u:p@localhost.example/db'), { code: 'insecure-url' });
});

test('errors never quote the URL', () => {
  for (const url of [
    'mysql://u:marker@h/db',
    'postgres://u:marker@h:notaport/db',
    'postgres://u:marker@h/db',
    'postgres://:marker@127.0.0.1/db?user=',
    'postgres://u:marker@127.0.0.1/db?sslrootcert=/nonexistent',
    'marker',
    '',
  ])
    assert.throws(
      () => parseDatabaseUrl(url),
      (error) => {
        if (!(error instanceof StoreError)) return false;
        const cause = error.cause instanceof Error ? `${error.cause.message} ${JSON.stringify(error.cause)}` : '';
        return !`${error.stack} ${error.next} ${cause}`.replaceAll(import.meta.filename, '').includes('marker');
      },
      url,
    );
});
