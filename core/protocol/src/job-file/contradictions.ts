import { federationContradictions } from './federation-contradictions.ts';
import type { JobValues } from './job-fields.ts';
import { looserThan } from './loosening.ts';
import { pathContradictions } from './path-contradictions.ts';
import { privacyWishes } from './privacy-fields.ts';
import type { Finding } from './problem-list.ts';
import { valueAt, type Tree, type TreePath } from './tree.ts';

/** Fields that are right alone and wrong together; `values` holds those that could be read. */
export function contradictions(values: JobValues, tree: Tree): Finding[] {
  const has = (key: string): boolean => valueAt(tree, key) !== undefined;
  return [
    ...rootFileSystem(values, has),
    ...service(values, has),
    ...federationContradictions(values, has),
    ...pathContradictions(values),
    ...secretsAndEnv(values),
    ...secretFiles(values, has),
    ...identity(values, has),
    ...privacy(values),
    ...terms(values),
  ];
}

function conflict(path: TreePath, message: string): Finding {
  return { path, code: 'contradiction', message };
}

function rootFileSystem({ type }: JobValues, has: (key: string) => boolean): Finding[] {
  const found: Finding[] = [];
  if (has('image') && has('python'))
    found.push(conflict(['python'], 'an image brings its own Python; keep one of the two'));
  // The code of a federation is the contract's.
  if (!has('run') && !has('image') && type !== 'federate') {
    found.push({ path: ['run'], code: 'missing', message: 'a job needs run, or an image that runs by itself' });
  }
  return found;
}

/** Where a job that reaches something finds its proxy. */
const PROXY_PORT = 3128;

function service({ type, service: values, privacy: wishes }: JobValues, has: (key: string) => boolean): Finding[] {
  const found: Finding[] = [];
  const serves = type === 'serve';
  // A type that is there and wrong says nothing about what was meant.
  if (has('service') && !serves && (type !== undefined || !has('type'))) {
    found.push(conflict(['service'], 'only a job of type serve has a service'));
  }
  if (serves && !has('service'))
    found.push({ path: ['service'], code: 'missing', message: 'type serve needs a service' });
  if (serves && has('retry')) {
    found.push(conflict(['retry'], 'a replica that ends is always started anew, without a checkpoint; leave it out'));
  }
  if (values?.port === PROXY_PORT && (privacyWishes(wishes).egress?.length ?? 0) > 0) {
    found.push(conflict(['service', 'port'], 'with egress this is the port of the proxy; choose another'));
  }
  const { replicas, scaling } = values ?? {};
  if (replicas?.max === 0)
    found.push(conflict(['service', 'replicas'], 'a service needs at least one replica at its peak'));
  if (replicas !== undefined && replicas.min !== replicas.max && scaling === undefined) {
    found.push(conflict(['service', 'replicas'], 'a range of replicas needs scaling with a metric and a target'));
  }
  if (scaling !== undefined && (replicas === undefined || replicas.min === replicas.max)) {
    found.push(conflict(['service', 'scaling'], 'scaling needs a range of replicas such as 0..8'));
  }
  return found;
}

function secretsAndEnv({ env, secrets = [] }: JobValues): Finding[] {
  return secrets.flatMap(({ name, file }, index) => {
    const before = secrets.slice(0, index);
    const at: TreePath = ['secrets', index];
    return [
      ...(Object.hasOwn(env ?? {}, name) ? [conflict(at, 'this name stands in env too; keep one')] : []),
      ...(before.some((other) => other.name === name)
        ? [{ path: at, code: 'duplicate-key', message: 'this name stands here twice' } as const]
        : []),
      ...(file !== undefined && before.some((other) => other.file === file)
        ? [conflict(at, 'another secret has the same file')]
        : []),
    ];
  });
}

/** What puts a secret into its file is the script of the job, in a sandbox. */
function secretFiles({ secrets, privacy: wishes }: JobValues, has: (key: string) => boolean): Finding[] {
  const index = (secrets ?? []).findIndex(({ file }) => file !== undefined);
  if (index < 0) return [];
  return [
    ...(has('run') ? [] : [conflict(['secrets', index], 'a secret is a file only in a job with run')]),
    ...(privacyWishes(wishes).isolation === 'process'
      ? [conflict(['secrets', index], 'a secret is a file only at isolation sandbox or better')]
      : []),
  ];
}

/** The file of a token is its job's alone only in a sandbox. */
function identity({ type, privacy: wishes }: JobValues, has: (key: string) => boolean): Finding[] {
  if (!has('identity')) return [];
  return [
    ...(type === 'federate' ? [conflict(['identity'], 'a job of a federation has no identity of its own')] : []),
    ...(privacyWishes(wishes).isolation === 'process'
      ? [conflict(['identity'], 'a job has identities only at isolation sandbox or better')]
      : []),
  ];
}

function privacy({ privacy: values }: JobValues): Finding[] {
  const wishes = privacyWishes(values);
  const found = wishes.sensitivity === undefined ? [] : looserThan(wishes, wishes.sensitivity);
  const stated = new Set(wishes.tiers);
  if (wishes.burst === 'allowed' && stated.size === 1 && stated.has('private')) {
    found.push(conflict(['privacy', 'burst'], 'a burst leaves the private tier, and tiers names no other'));
  }
  if (wishes.isolation === 'process' && stated.size > 0 && !stated.has('private')) {
    found.push(
      conflict(['privacy', 'isolation'], "process is for the organisation's own site, and tiers leaves it out"),
    );
  }
  const denied = new Set(wishes.residencyDeny);
  if (denied.size > 0 && (wishes.residency ?? ['']).every((place) => denied.has(place)))
    found.push(conflict(['privacy', 'place', 'residency_deny'], 'it denies all that residency allows'));
  return found;
}

function terms({ type, deadline, budget, resources }: JobValues): Finding[] {
  const found: Finding[] = [];
  if (type === 'serve' && deadline !== undefined)
    found.push(conflict(['deadline'], 'replicas of a service start for as long as it is wanted; leave it out'));
  if (type === 'serve' && budget !== undefined)
    found.push(conflict(['budget'], 'a service has no last attempt; resources.max_price limits what an hour costs'));
  const hourly = resources?.max_price?.currency;
  if (budget !== undefined && hourly !== undefined && hourly !== budget.currency)
    found.push(conflict(['budget'], 'resources.max_price is in another currency; no price would be within both'));
  return found;
}
