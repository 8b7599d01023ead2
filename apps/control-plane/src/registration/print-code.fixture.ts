import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import { newId, silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { parseControlPlaneConfig } from '../config.ts';
import { noFault } from '../fault-points.ts';
import type { Target } from '../organisation.fixture.ts';
import { printRegistrationCode } from './print-registration-code.ts';

/** What `registration-code` prints beside `target`. */
export function printCode(_: TestContext, target: Target, databaseUrl: string): Promise<string> {
  const state = dirname(target.ready['registration_code_file'] ?? '');
  const config = parseControlPlaneConfig(['registration-code', '--state', state], { DATABASE_URL: databaseUrl });
  if (config === 'help') throw new Error('no help was asked for');
  const replica = newId('site', systemRng);
  return printRegistrationCode({ config, clock: systemClock, rng: systemRng, log: silentLog, replica, fault: noFault });
}
