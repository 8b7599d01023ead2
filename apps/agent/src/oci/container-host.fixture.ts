import type { TestContext } from 'node:test';
import { missing } from '../../../../scripts/needs.ts';
import { openTestHost, type TestHost } from '../sandbox/sandbox-host.fixture.ts';
import { findContainerRuntimes, findGvisor } from './find-runtime.ts';

/** The levels that have a sandbox, and what each needs beyond npm. */
export const SANDBOX_LEVELS = [
  { level: 'sandbox', needs: missing('root', 'bubblewrap') },
  { level: 'container', needs: missing('root', 'runc') },
  { level: 'gvisor', needs: missing('root', 'runsc') },
] as const;

/** This machine with the first container runtime and the gVisor that it has. */
export async function openContainerHost(t: TestContext): Promise<TestHost> {
  const host = await openTestHost(t);
  const container = findContainerRuntimes(host.capabilities).find(({ available }) => available);
  const gvisor = findGvisor(host.capabilities).find(({ available }) => available);
  const levels = { ...(container === undefined ? {} : { container }), ...(gvisor === undefined ? {} : { gvisor }) };
  return { ...host, capabilities: { ...host.capabilities, ...levels } };
}
