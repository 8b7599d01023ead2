import { PolicyError } from '../policy-error.ts';

/** Who can ask for something: a member's device or an agent. */
const PRINCIPAL_TYPES = ['Device', 'Agent'] as const;
/** What something can be asked of. */
export const RESOURCE_TYPES = ['Organisation', 'Project', 'Job', 'Artifact', 'Agent', 'Secret', 'Endpoint'] as const;

export type PrincipalType = (typeof PRINCIPAL_TYPES)[number];
export type ResourceType = (typeof RESOURCE_TYPES)[number];

/** Who may be asked about at all, and of what; policies decide the rest. */
interface ActionRow {
  readonly principals: readonly PrincipalType[];
  readonly resource: ResourceType;
}

const device = (resource: ResourceType): ActionRow => ({ principals: ['Device'], resource });
const agent = (resource: ResourceType): ActionRow => ({ principals: ['Agent'], resource });
const both = (resource: ResourceType): ActionRow => ({ principals: ['Device', 'Agent'], resource });

/** Every action that control plane or custodian asks about; a route that declares another does not boot. */
export const ACTIONS = {
  'keyring:read': both('Organisation'),
  'keyring:append': device('Organisation'),
  'join-code:create': device('Organisation'),
  'agent:list': device('Organisation'),
  'agent:remove': device('Agent'),
  /** An agent that asks is the one that it asks about; the custodian sees to that. */
  'agent:renew': both('Agent'),
  'agent:drain': device('Agent'),
  'pool:read': device('Organisation'),
  'pool:set': device('Organisation'),
  'job:plan': device('Organisation'),
  'job:submit': device('Organisation'),
  'job:list': device('Organisation'),
  'job:read': device('Job'),
  'job:logs': device('Job'),
  'job:stop': device('Job'),
  /** Whoever asks must be an officer besides. */
  'job:fence': device('Job'),
  /** Asked by the custodian when an agent asks it: a command in, or a file from or to, a running sandbox. */
  'job:exec': device('Job'),
  'job:copy': device('Job'),
  'secret:set': device('Secret'),
  'secret:list': device('Organisation'),
  'secret:remove': device('Secret'),
  'evidence:read': both('Organisation'),
  'evidence:add': device('Organisation'),
  'evidence:revoke': device('Organisation'),
  'profile:list': device('Organisation'),
  /** Whoever signs must be an officer besides. */
  'profile:set': device('Organisation'),
  'policy:read': device('Organisation'),
  /** Officers must have signed besides. */
  'policy:set': device('Organisation'),
  /** Asked by the custodian before each grant: may the job of this device be given this secret? */
  'secret:use': device('Secret'),
  /** Asked by the custodian before each grant: may this device's job still start? */
  'job:start': device('Job'),
  'job:deposit': device('Project'),
  'label:compute': device('Project'),
  'dataset:add': device('Project'),
  /** How long versions are kept. */
  'dataset:retain': device('Organisation'),
  'dataset:erase': device('Organisation'),
  /** What may be lost of what it says of people; whoever asks must own the data, or hand in what its owner signed. */
  'dataset:budget': device('Organisation'),
  'artifact:list': device('Organisation'),
  'artifact:read': device('Artifact'),
  'artifact:prune': device('Organisation'),
  'object:read': both('Organisation'),
  'object:write': both('Organisation'),
  'grant:request': agent('Job'),
  'attempt:report': agent('Job'),
  'commit:request': agent('Job'),
  'checkpoint:store': agent('Job'),
  'log:store': agent('Job'),
  'entry:request': agent('Job'),
  /** A token by which a running job shows others which job it is. */
  'identity:request': agent('Job'),
  /** Asked for what an owner of the data has to release first. */
  'release:request': device('Organisation'),
  'release:read': device('Organisation'),
  /** Whoever signs must own the data besides. */
  'release:approve': device('Organisation'),
  'release:refuse': device('Organisation'),
  /** Asked by the agent that shows a device something of a job on confidential or restricted data. */
  'opening:request': agent('Job'),
  'contract:read': device('Organisation'),
  /** Whoever signs must be an officer or owner of the organisation, or own the data, besides. */
  'contract:sign': device('Organisation'),
  'contract:withdraw': device('Organisation'),
  /** Whether rounds of a federation begin; and that they do again. */
  'federation:pause': device('Organisation'),
  /** Asked by the agent of a client, before it joins a round. */
  'round:request': agent('Job'),
  'endpoint:create': device('Project'),
  'endpoint:list': device('Organisation'),
  'endpoint:scale': device('Endpoint'),
  'endpoint:remove': device('Endpoint'),
  'token:mint': device('Endpoint'),
  'token:revoke': device('Endpoint'),
  'issuer:rotate': device('Organisation'),
  'gateway:allow': device('Agent'),
  'gateway:serve': agent('Organisation'),
  'replica:report': agent('Job'),
  /** Everything that the organisation has here, in clear. */
  'organisation:export': device('Organisation'),
  /** Who signs in to the control plane, by random ids. */
  'member:list': device('Organisation'),
  'member:invite': device('Organisation'),
  'member:remove': device('Organisation'),
  'session:list': device('Organisation'),
  'session:end': device('Organisation'),
  /** By which identity providers members sign in. */
  'sso:list': device('Organisation'),
  'sso:set': device('Organisation'),
  /** Workloads that ask without a person. */
  'service-account:list': device('Organisation'),
  'service-account:set': device('Organisation'),
  /** Both logs: who did what. Agents read the custodian's, to check it. */
  'audit:read': both('Organisation'),
  /** Asked by an agent that hands in its cosignature. */
  'audit:witness': agent('Organisation'),
  /** Who is cut off, and why. */
  'lock:list': device('Organisation'),
  'lock:set': device('Organisation'),
  'lock:confirm': device('Organisation'),
  'lock:lift': device('Organisation'),
  /** An agent hears whom it has to cut off. */
  'lock:follow': agent('Organisation'),
  /** Versions of keys and who holds them; no key. */
  'key:read': device('Organisation'),
  'key:rotate': device('Organisation'),
  /** A key of the organisation's own making, or another holder of it. */
  'key:import': device('Organisation'),
  'key:move': device('Organisation'),
  /** For good. */
  'key:shred': device('Organisation'),
  'custodian:status': device('Organisation'),
  'custodian:backup': device('Organisation'),
} as const satisfies Readonly<Record<string, ActionRow>>;

/** The name of a declared action. */
export type Action = keyof typeof ACTIONS;

/** The declared action called `name`; throws PolicyError `undeclared-action`, so that a route without one fails at boot. */
export function assertDeclared(name: string): Action {
  if (isAction(name)) return name;
  throw new PolicyError('undeclared-action', 'a route declares an action that the list of actions does not have', {
    next: 'add the action to core/policy/src/authorise/actions.ts',
  });
}

function isAction(name: string): name is Action {
  return Object.hasOwn(ACTIONS, name);
}
