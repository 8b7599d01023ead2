import { newId, seededRng } from '@ringfence/base';
import {
  ACTIONS,
  assertDeclared,
  createAuthoriser,
  rememberDecisions,
  type AccessRequest,
  type Authoriser,
} from '@ringfence/policy/authorise';
import { BUILT_IN_POLICIES } from '@ringfence/policy/roles';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { repeated } from './measure.ts';
import type { Goal, Row } from './row.ts';

export const description = 'decisions of the policies on who may do what, on one core, asked anew and remembered';

const BUILT_IN = 10;
const REQUESTS = 4_096;
const REPEATS = 7;
const ROUND_S = 0.5;

const rng = seededRng('authz');
const org = newId('org', rng);
const forDevices = Object.keys(ACTIONS)
  .map(assertDeclared)
  .filter((action) => ACTIONS[action].principals.some((type) => type === 'Device'));

/** Rows `decisions_per_s` a second of processor time, for `policies` 10, 100, 1000 and `cached` or not. */
export async function* run(): AsyncGenerator<Row> {
  const builtIn = createAuthoriser(...BUILT_IN_POLICIES);
  // A request that no policy could permit is answered without Cedar, so of those none is counted.
  const requests = Array.from({ length: 8 * REQUESTS }, (_, index) => requestOf(index))
    .filter((request) => builtIn.authorise(request).allow)
    .slice(0, REQUESTS);
  if (requests.length < REQUESTS) throw new Error('too few requests are permitted');
  for (const policies of [10, 100, 1_000])
    for (const cached of [true, false]) {
      const plain = createAuthoriser(...BUILT_IN_POLICIES, ...ownPolicies(policies - BUILT_IN));
      const authoriser = cached ? rememberDecisions(plain) : plain;
      // Every request once: parsed sets and memory are filled as those of a process that has served for a while.
      decide(authoriser, requests);
      const { median, spreadPercent } = await repeated(REPEATS, () => decisionsPerSecond(authoriser, requests));
      yield {
        name: 'decisions_per_s',
        params: { policies, cached, requests: REQUESTS, spread_percent: spreadPercent },
        value: median,
        unit: '1/s',
        goal: goalOf(policies, cached),
        peer: null,
      };
    }
}

function goalOf(policies: number, cached: boolean): Goal | null {
  if (cached) return { atLeast: 50_000 };
  return policies === BUILT_IN ? { atLeast: 20_000 } : null;
}

function decisionsPerSecond(authoriser: Authoriser, requests: readonly AccessRequest[]): number {
  const before = process.cpuUsage();
  const seconds = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  let decided = 0;
  while (seconds() < ROUND_S) decided += decide(authoriser, requests);
  return decided / seconds();
}

function decide(authoriser: Authoriser, requests: readonly AccessRequest[]): number {
  for (const request of requests) if (!authoriser.authorise(request).allow) throw new Error('a request is refused');
  return requests.length;
}

/** Devices with one role or two, each action in turn, things with ids of their own. */
function requestOf(index: number): AccessRequest {
  const action = forDevices[index % forDevices.length] ?? 'job:read';
  const { resource } = ACTIONS[action];
  const role = (step: number) => ({ role: KEYRING_ROLES[(index * step + 1) % KEYRING_ROLES.length] ?? 'owner' });
  const roles = index % 3 === 0 ? [role(3), role(5)] : [role(7)];
  return {
    principal: { type: 'Device', id: newId('device', rng), org, roles },
    action,
    resource: { type: resource, id: newId('job', rng), org },
  };
}

/** An organisation's own: each names an action or two and a role, every third asks for a certain device or a wider condition besides. */
function ownPolicies(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const [one, other] = [forDevices[index % forDevices.length], forDevices[(index * 7 + 3) % forDevices.length]];
    const role = KEYRING_ROLES[(index * 5) % KEYRING_ROLES.length];
    const more = index % 3 === 0 ? ` && principal == Device::"${newId('device', rng)}"` : '';
    const scope = `principal is Device, action in [Action::"${one}", Action::"${other}"], resource`;
    const condition = `principal.roles.contains("${role}") && principal.org == resource.org${more}`;
    return `@id("own-${index}") permit (${scope}) when { ${condition} };`;
  });
}
