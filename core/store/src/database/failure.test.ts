import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import pg from 'pg';
import { StoreError } from '../store-error.ts';
import { isUsableAfter, translateCommitFailure, translateFailure } from './failure.ts';

function serverError(code: string, fields: Partial<pg.DatabaseError> = {}): pg.DatabaseError {
  const error = new pg.DatabaseError('message of the server', 1, 'error');
  return Object.assign(error, { code, severity: 'ERROR' }, fields);
}

const CASES: readonly [string, string][] = [
  ['08006', 'unavailable'],
  ['57P01', 'unavailable'],
  ['53300', 'unavailable'],
  ['25006', 'unavailable'],
  ['28P01', 'authentication'],
  ['3D000', 'bad-url'],
  ['40001', 'conflict'],
  ['40P01', 'conflict'],
  ['23505', 'duplicate'],
  ['23514', 'violation'],
  ['42501', 'denied'],
  ['57014', 'timeout'],
  ['55P03', 'timeout'],
  ['25P02', 'aborted'],
  ['42601', 'query-failed'],
  ['XX000', 'query-failed'],
];

for (const [state, code] of CASES)
  test(`SQLSTATE ${state} is ${code}`, () => {
    const { code: found, sqlState } = translateFailure(serverError(state));
    assert.deepEqual([found, sqlState], [code, state]);
  });

test('detail, context and values of data exceptions are dropped', () => {
  const error = serverError('22P02', {
    message: 'invalid input syntax for type integer: "marker"',
    detail: 'Key (name)=(marker) already exists.',
    where: 'marker',
    hint: 'marker',
  });
  const failure = translateFailure(error);
  assert.ok(failure.cause instanceof Error);
  for (const text of [
    failure.stack,
    failure.cause.stack,
    JSON.stringify([failure, failure.cause, Object.entries(failure.cause)]),
  ])
    assert.doesNotMatch(text ?? '', /marker/);
});

test('a connection that cannot be made is unavailable', async () => {
  const refused = await new Promise((resolve) => connect(1, '127.0.0.1').once('error', resolve));
  assert.equal(translateFailure(refused).code, 'unavailable');
  const absent = await new Promise((resolve) => connect('/nonexistent/.s.PGSQL.5432').once('error', resolve));
  assert.equal(translateFailure(absent).code, 'unavailable');
  assert.equal(translateFailure(new Error('Connection terminated unexpectedly')).code, 'unavailable');
  assert.equal(translateFailure(new Error('timeout exceeded when trying to connect')).code, 'unavailable');
});

test('TLS that does not verify is not taken for an outage', () => {
  const certificate = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  assert.equal(translateFailure(certificate).code, 'untrusted-server');
  assert.equal(translateFailure(new Error('The server does not support SSL connections')).code, 'untrusted-server');
});

test('bugs of the caller are not taken for an outage, and a StoreError stays itself', () => {
  assert.equal(translateFailure(new TypeError('circular structure')).code, 'query-failed');
  const own = new StoreError('ended', 'x');
  assert.equal(translateFailure(own), own);
});

test('a commit whose connection broke has an unknown outcome; a refused one has not', () => {
  assert.equal(translateCommitFailure(new Error('Connection terminated unexpectedly')).code, 'outcome-unknown');
  assert.equal(translateCommitFailure(serverError('57P01')).code, 'outcome-unknown');
  assert.equal(translateCommitFailure(serverError('40001')).code, 'conflict');
  assert.equal(translateCommitFailure(serverError('23503')).code, 'violation');
});

test('only after a plain error of the server is the connection still good', () => {
  assert.equal(isUsableAfter(serverError('23505')), true);
  assert.equal(isUsableAfter(serverError('57P01', { severity: 'FATAL' })), false);
  assert.equal(isUsableAfter(new Error('Query read timeout')), false);
});
