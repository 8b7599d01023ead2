import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiRefusal } from '@ringfence/client/api';
import { CliError } from '../cli-error.ts';
import { notReleased, saysWhy } from './not-released.ts';

test('what the custodian refuses for a role or a release is the reason; what it does not have is none', () => {
  assert.ok(saysWhy(new ApiRefusal(403, 'not-authorised', 'no role of this device permits job:logs')));
  assert.ok(saysWhy(notReleased('logs', 'not released')));
  assert.ok(!saysWhy(new CliError('not-found', 'the custodian has nothing of this attempt')));
  assert.ok(!saysWhy(new TypeError('a bug')));
});
