import { isEmpty, valueAt, type Tree } from '../tree.ts';
import { amountOf, gpuModelOf, roomOf } from './amounts.ts';
import { environmentTo, secretsTo } from './carry-environment.ts';
import { imageTo } from './carry-image.ts';
import { scriptTo } from './carry-script.ts';
import { carryKeys, ignored, needed, textInto, type Carry, type Draft, type KeyTable } from './draft.ts';
import { fileMountsTo } from './file-mounts.ts';
import { folderBelow, nameLike } from './names.ts';
import type { ScriptHabits } from './script.ts';

const HABITS: ScriptHabits = {
  endsAtFailure: false,
  prefix: 'SKYPILOT_',
  variables: {
    SKYPILOT_NODE_RANK: '0',
    SKYPILOT_NUM_NODES: '1',
    SKYPILOT_NODE_IPS: '127.0.0.1',
    SKYPILOT_TASK_ID: '"$RINGFENCE_JOB"',
    SKYPILOT_NUM_GPUS_PER_NODE: '"$(echo "${CUDA_VISIBLE_DEVICES:-}" | tr , "\\n" | grep -c .)"',
  },
};

const WHERE = 'where a cloud would run it; here placement goes by `privacy.place` and what a job asks for';
const OF_CLUSTERS = 'a setting of clusters of virtual machines, which there are none of';

const accelerators: Carry = (node, path, draft) => {
  const found = node.kind === 'map' && node.entries.length === 1 ? node.entries[0] : undefined;
  const text =
    found?.value.kind === 'text' ? `${found.key}:${found.value.text}` : node.kind === 'text' ? node.text : undefined;
  const [name = '', count = '1', more] = text?.split(':') ?? [];
  const model = gpuModelOf(name);
  if (model === undefined || more !== undefined || !/^\d{1,2}$/.test(count))
    return draft.leave(path, node, 'needed', 'one kind of GPU can be asked for, such as H100:8');
  draft.put('resources', 'gpu', `${model}:${count}`);
};

const ports = textInto((text, draft) => {
  draft.put('ports', 'first', text);
  return /^\d{1,5}$/.test(text);
}, 'one port can be served; give `service: {port: …}`');

const portsOrOne: Carry = (node, path, draft) => {
  const [first, ...others] = node.kind === 'list' ? node.items : [node];
  if (first === undefined || others.length > 0)
    return draft.leave(path, node, 'needed', 'one port can be served; give `service: {port: …}`');
  ports(first, path, draft);
};

const RECOVERY: KeyTable = {
  strategy: ignored('there is one strategy: the next machine that fits'),
  max_restarts_on_errors: textInto((text, draft) => {
    draft.put('retry', 'max', text);
    return /^[1-9]\d?$/.test(text);
  }, 'this takes 1 to 99'),
  recover_on_exit_codes: needed('a job is tried again by cause, not by exit code'),
};

const recovery: Carry = (node, path, draft) => {
  if (node.kind === 'map') carryKeys(RECOVERY, 'SkyPilot')(node, path, draft);
  else draft.leave(path, node, 'ignored', 'there is one strategy: the next machine that fits');
  draft.put('retry', 'on', draft.part('retry', 'max') === undefined ? ['interruption'] : ['interruption', 'error']);
};

const alternatives: Carry = (node, path, draft) => {
  const [only, ...others] = node.kind === 'list' ? node.items : [];
  if (only !== undefined && others.length === 0) return resources(only, [...path, 0], draft);
  draft.leave(path, node, 'needed', 'of several wishes for a machine choose one; what fits is found by what it has');
};

const RESOURCES: KeyTable = {
  cpus: textInto((text, draft) => put(draft, 'cpus', amountOf(text)), 'this takes CPUs such as 4 or 4+'),
  memory: textInto((text, draft) => put(draft, 'memory', roomOf(text)), 'this takes memory such as 32 or 32+'),
  disk_size: textInto((text, draft) => put(draft, 'disk', roomOf(text)), 'this takes a size in GB'),
  accelerators,
  image_id: imageTo,
  ports: portsOrOne,
  job_recovery: recovery,
  spot_recovery: recovery,
  any_of: alternatives,
  ordered: alternatives,
  candidates: alternatives,
  use_spot: ignored('machines of one’s own are not taken away'),
  max_hourly_cost: ignored('nothing costs money on machines of one’s own'),
  priority: textInto((text, draft) => setPriority(draft, text), 'a priority is 0 to 100'),
  ...Object.fromEntries(
    [
      'infra',
      'cloud',
      'region',
      'zone',
      'instance_type',
      'accelerator_args',
      'network_tier',
      'disk_tier',
      'local_disk',
    ].map((key) => [key, ignored(WHERE)]),
  ),
  ...Object.fromEntries(['autostop', 'labels'].map((key) => [key, ignored(OF_CLUSTERS)])),
};

function put(draft: Draft, key: string, value: string | undefined): boolean {
  if (value !== undefined) draft.put('resources', key, value);
  return value !== undefined;
}

function setPriority(draft: Draft, text: string): boolean {
  if (!/^(?:\d{1,2}|100)$/.test(text)) return false;
  draft.set('priority', text);
  return true;
}

function resources(node: Tree, path: readonly (string | number)[], draft: Draft): void {
  carryKeys(RESOURCES, 'SkyPilot')(node, path, draft);
}

const probe: Carry = (node, path, draft) => {
  const at = node.kind === 'map' ? valueAt(node, 'path') : node;
  if (at?.kind !== 'text') return draft.leave(path, node, 'needed', 'a probe is a path such as /health');
  draft.put('service', 'probe', at.text);
  if (node.kind !== 'map') return;
  for (const { key, line, value } of node.entries)
    if (key === 'post_data') draft.leave([...path, key], value, 'needed', 'a probe is a GET without a body');
    else if (key !== 'path') draft.leave([...path, key], { line }, 'ignored', 'a replica has ten minutes to get ready');
};

const REPLICA_POLICY: KeyTable = {
  min_replicas: textInto((text, draft) => note(draft, 'min', text), 'this takes a number'),
  max_replicas: textInto((text, draft) => note(draft, 'max', text), 'this takes a number'),
  target_qps_per_replica: textInto((text, draft) => note(draft, 'qps', text), 'this takes a whole number'),
  ...Object.fromEntries(
    [
      'upscale_delay_seconds',
      'downscale_delay_seconds',
      'base_ondemand_fallback_replicas',
      'dynamic_ondemand_fallback',
      'num_overprovision',
    ].map((key) => [key, ignored('how fast replicas come and go is the same for all: docs/protocol/serving.md')]),
  ),
};

function note(draft: Draft, key: string, text: string): boolean {
  draft.put('replicas', key, text);
  return /^\d{1,5}$/.test(text);
}

const service = carryKeys(
  {
    readiness_probe: probe,
    replicas: textInto((text, draft) => note(draft, 'min', text), 'this takes a number'),
    replica_policy: carryKeys(REPLICA_POLICY, 'SkyPilot'),
    ports,
    load_balancing_policy: ignored('a request goes to the replica with the fewest in flight'),
    tls: ignored('every endpoint speaks TLS with a certificate of its own'),
  },
  'SkyPilot',
);

const keys: Carry = carryKeys(
  {
    name: textInto((text, draft) => setName(draft, text), 'no letter or digit of it can be part of a name'),
    workdir: textInto((text, draft) => setWorkdir(draft, text), 'a folder below that of the file; copy it there'),
    num_nodes: textInto((text, draft) => {
      if (text === '1') draft.set('nodes', '1');
      return text === '1';
    }, 'more than one node needs job networks, which do not exist yet'),
    resources,
    envs: environmentTo,
    secrets: secretsTo,
    file_mounts: fileMountsTo,
    volumes: needed('register its files as a dataset and mount it'),
    setup: scriptTo('setup', HABITS),
    run: scriptTo('run', HABITS),
    service,
    pool: needed('a pool of workers is no job'),
    config: ignored(WHERE),
    event_callback: needed('`notify` tells of a job’s end by webhook'),
  },
  'SkyPilot',
);

function setName(draft: Draft, text: string): boolean {
  const found = nameLike(text);
  if (found !== undefined) draft.set('name', found);
  return found !== undefined;
}

function setWorkdir(draft: Draft, text: string): boolean {
  const found = folderBelow(text);
  if (found !== undefined) draft.set('workdir', found);
  return found !== undefined;
}

/** Our `setup` is the same for all who share its result: it sees neither variables nor secrets. */
function noteBlindSetup(tree: Tree, draft: Draft): void {
  const setup = valueAt(tree, 'setup');
  if (setup?.kind !== 'text') return;
  const used = new Set(setup.text.match(/\$\{?\w+/g)?.map((word) => word.replace(/^\$\{?/, '')));
  for (const section of ['envs', 'secrets']) {
    const named = valueAt(tree, section);
    const seen = named?.kind === 'map' ? named.entries.filter(({ key }) => used.has(key)) : [];
    for (const { key } of seen)
      draft.leave(
        ['setup', key],
        setup,
        'needed',
        'setup sees neither variables nor secrets; move what needs them to run',
      );
  }
}

const REPLICAS_START_AGAIN = 'a replica that ends is always started again';

/** Carries a SkyPilot task (SkyPilot documentation, YAML specification). */
export const skypilot: Carry = (tree, path, draft) => {
  keys(tree, path, draft);
  noteBlindSetup(tree, draft);
  const section = valueAt(tree, 'service');
  const port = draft.part('ports', 'first');
  if (section === undefined || isEmpty(section)) {
    if (port !== undefined)
      draft.leave(
        ['resources', 'ports'],
        tree,
        'needed',
        'a job with a port is a service: say `type: serve` and `service: {port: …}`',
      );
    return;
  }
  draft.set('type', 'serve');
  if (draft.has('retry')) {
    draft.drop('retry');
    draft.leave(['resources', 'job_recovery'], tree, 'ignored', REPLICAS_START_AGAIN);
  }
  if (port === undefined) draft.leave(['service'], section, 'needed', 'an endpoint needs the port of its process');
  else draft.put('service', 'port', port);
  const [min = '1', max, qps] = ['min', 'max', 'qps'].map((key) => draft.part('replicas', key));
  draft.put('service', 'replicas', max === undefined || max === min ? min : `${min}..${max}`);
  if (max !== undefined && max !== min)
    draft.put('service', 'scaling', { metric: 'requests-per-second', target: qps ?? '10' });
};
