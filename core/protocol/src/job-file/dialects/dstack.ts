import { valueAt, type Tree, type TreePath } from '../tree.ts';
import { amountOf, gpuModelOf, roomOf } from './amounts.ts';
import { environmentTo } from './carry-environment.ts';
import { imageTo } from './carry-image.ts';
import { scriptTo } from './carry-script.ts';
import { carryKeys, ignored, needed, textInto, textTo, type Carry, type Draft, type KeyTable } from './draft.ts';
import { folderBelow, nameLike } from './names.ts';
import type { ScriptHabits } from './script.ts';

const GPUS = '"$(echo "${CUDA_VISIBLE_DEVICES:-}" | tr , "\\n" | grep -c .)"';
const HABITS: ScriptHabits = {
  endsAtFailure: true,
  prefix: 'DSTACK_',
  variables: {
    DSTACK_NODE_RANK: '0',
    DSTACK_NODES_NUM: '1',
    DSTACK_MASTER_NODE_IP: '127.0.0.1',
    DSTACK_NODES_IPS: '127.0.0.1',
    DSTACK_GPUS_NUM: GPUS,
    DSTACK_GPUS_PER_NODE: GPUS,
    DSTACK_RUN_NAME: '"$RINGFENCE_JOB"',
    DSTACK_RUN_ID: '"$RINGFENCE_JOB"',
  },
};

const WHERE = 'where a cloud would run it; here placement goes by `privacy.place` and what a job asks for';
const OF_FLEETS = 'a setting of fleets of virtual machines, which there are none of';
const TYPES: Readonly<Record<string, string>> = { task: 'train', service: 'serve' };
const EVENTS = ['no-capacity', 'interruption', 'error'];

const gpu: Carry = (node, path, draft) => {
  const parts =
    node.kind === 'map'
      ? ['name', 'memory', 'count'].map((key) => valueAt(node, key)).filter((part) => part !== undefined)
      : [node];
  const texts = parts.map((part) => (part.kind === 'text' ? part.text : undefined));
  const wish = texts.includes(undefined) ? undefined : gpuOf(texts.join(':').split(':'));
  if (wish === undefined)
    return draft.leave(path, node, 'needed', 'one kind of GPU can be asked for, such as H100:80GB:1 or 24GB+:1');
  draft.put('resources', 'gpu', wish);
};

/** Name, memory and count in any order but name first, as dstack takes them. */
function gpuOf(parts: readonly string[]): string | undefined {
  const found: { model?: string; memory?: string; count?: string } = {};
  for (const part of parts.filter((text) => !/^(?:nvidia|amd)$/i.test(text))) {
    if (/^\d+(?:\.\.\d*)?$/.test(part)) found.count = amountOf(part) ?? '';
    else if (/^\d/.test(part)) found.memory = roomOf(part) ?? '';
    else found.model = gpuModelOf(part) ?? '';
  }
  const wish = [found.model, found.memory, found.count].filter((part) => part !== undefined);
  return wish.length === 0 || wish.includes('') ? undefined : wish.join(':');
}

const resources = carryKeys(
  {
    cpu: textInto((text, draft) => put(draft, 'cpus', amountOf(text)), 'this takes CPUs such as 4, 4.. or 2..8'),
    memory: textInto((text, draft) => put(draft, 'memory', roomOf(text)), 'this takes a size such as 16GB or 16GB..'),
    disk: (node, path, draft) => {
      const size = node.kind === 'map' ? valueAt(node, 'size') : node;
      const room = size?.kind === 'text' ? roomOf(size.text) : undefined;
      if (!put(draft, 'disk', room)) draft.leave(path, node, 'needed', 'this takes a size such as 100GB');
    },
    gpu,
    shm_size: ignored('/dev/shm may take half of the job’s memory'),
  },
  'dstack',
);

function put(draft: Draft, key: string, value: string | undefined): boolean {
  if (value !== undefined) draft.put('resources', key, value);
  return value !== undefined;
}

const retry: Carry = (node, path, draft) => {
  if (node.kind === 'text') {
    if (node.text === 'true') draft.put('retry', 'on', EVENTS);
    return;
  }
  const events = valueAt(node, 'on_events');
  const on =
    events?.kind === 'list' ? events.items.flatMap((item) => (item.kind === 'text' ? [item.text] : [])) : EVENTS;
  draft.put('retry', 'on', on);
  const duration = valueAt(node, 'duration');
  if (duration !== undefined)
    draft.leave([...path, 'duration'], duration, 'ignored', 'attempts are counted (`retry.max`, 3), not timed');
};

const folders: Carry = (node, path, draft) => {
  const items = node.kind === 'list' ? node.items : [node];
  items.forEach((item, index) => folder(draft, item, [...path, index]));
};

function folder(draft: Draft, item: Tree, path: TreePath): void {
  const local = item.kind === 'text' ? item : valueAt(item, 'local_path');
  const [from, to] = local?.kind === 'text' ? local.text.split(':') : [];
  const below = from === undefined ? undefined : folderBelow(from);
  const same = to === undefined || folderBelow(to) === below;
  if (below === undefined || !same)
    draft.leave(
      path,
      item,
      'needed',
      'files below the job file’s folder travel with it, and no others; copy them there',
    );
}

const probes: Carry = (node, path, draft) => {
  const items = node.kind === 'list' ? node.items : [];
  const [first, ...others] = items.map((item) => valueAt(item, 'url'));
  if (first?.kind === 'text') draft.put('service', 'probe', first.text);
  if (first?.kind !== 'text' || others.length > 0)
    draft.leave(path, node, 'needed', 'one probe of type http with a url such as /health');
};

const scaling: Carry = (node, path, draft) => {
  const target = valueAt(node, 'target');
  if (target?.kind !== 'text') return draft.leave(path, node, 'needed', 'this takes metric and target');
  draft.put('service', 'scaling', { metric: 'requests-per-second', target: target.text });
  if (node.kind !== 'map') return;
  for (const { key, line } of node.entries.filter((entry) => entry.key.endsWith('_delay')))
    draft.leave(
      [...path, key],
      { line },
      'ignored',
      'how fast replicas come and go is the same for all: docs/protocol/serving.md',
    );
};

const port = textInto((text, draft) => {
  const inside = text.split(':').at(-1) ?? '';
  draft.put('service', 'port', inside);
  return /^\d{2,5}$/.test(inside);
}, 'this takes the port of the process');

const SERVICE: KeyTable = {
  port,
  retry: ignored('a replica that ends is always started again'),
  model: (_, __, draft) => draft.put('service', 'api', 'openai'),
  auth: textInto((text) => text === 'true', 'callers always need a token here'),
  https: ignored('every endpoint speaks TLS with a certificate of its own'),
  gateway: ignored('the gateways of the organisation serve every endpoint'),
  replicas: textInto((text, draft) => {
    const amount = amountOf(text);
    if (amount !== undefined) draft.put('service', 'replicas', amount);
    return amount !== undefined;
  }, 'this takes a number of replicas such as 2 or 0..4'),
  scaling,
  probes,
  rate_limits: needed('limits belong to tokens: `ringfence endpoint token mint --rpm`'),
  strip_prefix: ignored('the endpoint’s name is always taken off the path'),
};

const KEYS: KeyTable = {
  type: textInto((text, draft) => {
    const type = TYPES[text];
    if (type !== undefined) draft.set('type', type);
    return type !== undefined;
  }, 'a job is a task or a service; environments, fleets, volumes and gateways are none'),
  name: textInto((text, draft) => {
    const found = nameLike(text);
    if (found !== undefined) draft.set('name', found);
    return found !== undefined;
  }, 'no letter or digit of it can be part of a name'),
  image: imageTo,
  python: textTo('python'),
  commands: scriptTo('run', HABITS),
  env: environmentTo,
  resources,
  repos: folders,
  files: folders,
  nodes: textInto((text, draft) => {
    if (text === '1') draft.set('nodes', '1');
    return text === '1';
  }, 'more than one node needs job networks, which do not exist yet'),
  ports: needed('a job with a port is a service: say `type: serve` and `service: {port: …}`'),
  retry,
  priority: textTo('priority'),
  max_duration: textInto((text, draft) => {
    if (/^\d+[smhd]$/.test(text)) draft.set('max_duration', text);
    return /^(?:\d+[smhd]|off)$/.test(text);
  }, 'this takes a duration such as 6h'),
  working_dir: needed('a script begins in the job’s folder; let it change the folder itself'),
  volumes: needed('register its files as a dataset and mount it'),
  registry_auth: needed('credentials of a registry belong to the site that fetches from it'),
  entrypoint: needed('let `run` say what runs'),
  shell: ignored('a script that needs bash is run by bash'),
  user: ignored('a job runs as a user of its own that has no rights'),
  privileged: needed('no job is privileged here'),
  docker: needed('no job has a container engine here'),
  nvcc: needed('an image brings its own compiler'),
  schedule: needed('jobs are launched, not scheduled'),
  ...Object.fromEntries(
    ['home_dir', 'single_branch', 'stop_duration', 'stop_criteria', 'startup_order', 'tags', 'utilization_policy'].map(
      (key) => [key, ignored('one way is the same for all jobs here')],
    ),
  ),
  ...Object.fromEntries(
    ['backends', 'regions', 'availability_zones', 'instance_types'].map((key) => [key, ignored(WHERE)]),
  ),
  ...Object.fromEntries(
    ['spot_policy', 'max_price', 'fleets', 'creation_policy', 'idle_duration', 'reservation'].map((key) => [
      key,
      ignored(OF_FLEETS),
    ]),
  ),
};

const task = carryKeys(KEYS, 'dstack');
const service = carryKeys({ ...KEYS, ...SERVICE }, 'dstack');

/** Carries a dstack run configuration (dstack reference, `.dstack.yml`). */
export const dstack: Carry = (tree, path, draft) => {
  const type = valueAt(tree, 'type');
  const isService = type?.kind === 'text' && type.text === 'service';
  (isService ? service : task)(tree, path, draft);
};
