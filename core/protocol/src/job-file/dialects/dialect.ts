import { valueAt, type Tree } from '../tree.ts';
import { dstack } from './dstack.ts';
import type { Carry } from './draft.ts';
import { fedml } from './fedml.ts';
import { skypilot } from './skypilot.ts';

/** Platforms whose files are read. */
const DIALECTS = ['fedml', 'skypilot', 'dstack'] as const;
/** One of {@link DIALECTS}. */
export type Dialect = (typeof DIALECTS)[number];

/** How each platform’s files become ours. */
export const CARRIES: Readonly<Record<Dialect, Carry>> = { fedml, skypilot, dstack };

/** Keys that one platform has and neither another nor Ringfence. */
const TELLING: Readonly<Record<Dialect, readonly string[]>> = {
  fedml: [
    'workspace',
    'job',
    'bootstrap',
    'computing',
    'job_type',
    'job_subtype',
    'fedml_env',
    'server_job',
    'run_api_key',
    'framework_type',
    'task_type',
    'job_args',
    'serving_args',
    'environment_args',
    'containerize',
  ],
  skypilot: ['num_nodes', 'envs', 'file_mounts', 'event_callback', 'pool', 'config'],
  dstack: [
    'commands',
    'repos',
    'files',
    'spot_policy',
    'creation_policy',
    'ide',
    'backends',
    'fleets',
    'probes',
    'utilization_policy',
  ],
};
const DSTACK_TYPES = ['task', 'service', 'dev-environment', 'fleet', 'volume', 'gateway'];
const SKYPILOT_RESOURCES = [
  'accelerators',
  'infra',
  'cloud',
  'region',
  'zone',
  'use_spot',
  'disk_size',
  'instance_type',
  'image_id',
  'ports',
  'any_of',
  'ordered',
  'candidates',
  'autostop',
  'job_recovery',
];
const SKYPILOT_SERVICE = ['readiness_probe', 'replica_policy'];

/** The platform whose spelling a tree is in; undefined for Ringfence’s own, or one that says too little. */
export function dialectOf(tree: Tree): Dialect | undefined {
  if (tree.kind !== 'map') return undefined;
  const type = valueAt(tree, 'type');
  if (type?.kind === 'text' && DSTACK_TYPES.includes(type.text)) return 'dstack';
  const own = (section: string, keys: readonly string[]) => {
    const node = valueAt(tree, section);
    return node?.kind === 'map' && node.entries.some(({ key }) => keys.includes(key));
  };
  if (own('resources', SKYPILOT_RESOURCES) || own('service', SKYPILOT_SERVICE)) return 'skypilot';
  return DIALECTS.find((dialect) => tree.entries.some(({ key }) => TELLING[dialect].includes(key)));
}
