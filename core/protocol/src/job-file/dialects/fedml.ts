import { carryKeys, ignored, needed, textInto, type Carry, type Draft } from './draft.ts';
import { gpuModelOf } from './amounts.ts';
import { imageTo } from './carry-image.ts';
import { scriptTo } from './carry-script.ts';
import { folderBelow, nameLike } from './names.ts';
import type { ScriptHabits } from './script.ts';

const HABITS: ScriptHabits = {
  endsAtFailure: false,
  prefix: 'FEDML_',
  variables: { FEDML_CURRENT_RUN_ID: '"$RINGFENCE_JOB"', FEDML_CURRENT_EDGE_ID: '0' },
};

const TYPES: Readonly<Record<string, string>> = {
  train: 'train',
  deploy: 'serve',
  serve: 'serve',
};
const ARGUMENTS = 'FedML hands these to its own library; give them to the script as arguments or env';
const MARKET = 'there is no marketplace of the platform here, and nothing costs money on machines of one’s own';
const FEDERATION = 'a federation is made by a contract, not by a file of one side';
const ACCOUNT = 'an account of that platform; nothing here needs it';

const name = textInto((text, draft) => setName(draft, text), 'no letter or digit of it can be part of a name');

function setName(draft: Draft, text: string): boolean {
  const found = nameLike(text);
  if (found !== undefined) draft.set('name', found);
  return found !== undefined;
}

const computing = carryKeys(
  {
    minimum_num_gpus: textInto((text, draft) => {
      if (!/^\d{1,2}$/.test(text)) return false;
      if (text !== '0') draft.put('gpu', 'count', text);
      return true;
    }, 'this takes a number of GPUs'),
    resource_type: textInto((text, draft) => {
      const model = gpuModelOf(text);
      if (model !== undefined) draft.put('gpu', 'model', model);
      return model !== undefined;
    }, 'this is no name of a GPU'),
    device_type: textInto((text, draft) => {
      if (text.toUpperCase() === 'CPU') draft.put('gpu', 'none', text);
      return /^(?:cpu|gpu|hybrid)$/i.test(text);
    }, 'this takes CPU, GPU or hybrid'),
    maximum_cost_per_hour: ignored(MARKET),
    allow_cross_cloud_resources: ignored(MARKET),
    minimum_num_cpus: textInto((text, draft) => {
      draft.put('resources', 'cpus', `${text}+`);
      return /^\d{1,3}$/.test(text);
    }, 'this takes a number of processors'),
  },
  'FedML',
);

const docker = carryKeys(
  {
    image: imageTo,
    registry: ignored('the image’s own name holds its registry'),
    username: needed('credentials of a registry belong to the site that fetches from it'),
    password: needed('a credential in a file; change it, and give the new one to the site that fetches the image'),
    ports: needed('a published port: say `type: serve` and `service: {port: …}`'),
  },
  'FedML',
);

const keys: Carry = carryKeys(
  {
    workspace: textInto((text, draft) => {
      const folder = folderBelow(text);
      if (folder !== undefined) draft.set('workdir', folder);
      return folder !== undefined;
    }, 'a folder below that of the file; copy it there'),
    job: scriptTo('run', HABITS),
    bootstrap: scriptTo('setup', HABITS),
    job_name: name,
    job_type: textInto((text, draft) => {
      const type = TYPES[text];
      if (type !== undefined) draft.set('type', type);
      return type !== undefined;
    }, 'this takes train or deploy; a federation is made by a contract: `ringfence contract draft`'),
    job_subtype: ignored('a note for that platform’s pages'),
    task_type: ignored('the older word for job_type'),
    framework_type: ignored('a note for that platform’s pages'),
    fedml_env: ignored(ACCOUNT),
    containerize: ignored('the site decides on its sandbox; `privacy: {isolation: container}` asks for one'),
    computing,
    docker,
    run_api_key: needed('a credential in a file; take it out and have it changed'),
    server_job: needed(FEDERATION),
    serving_args: carryKeys(
      {
        endpoint_name: name,
        model_name: ignored('the endpoint’s name is the model’s'),
        model_version: ignored('each launch is a revision of its own'),
        model_storage_url: needed('register the model’s files as a dataset and mount it'),
      },
      'FedML',
    ),
    job_args: needed('names a job that is kept by that platform; put its files here'),
    data_args: needed(ARGUMENTS),
    fedml_data_args: needed(ARGUMENTS),
    model_args: needed(ARGUMENTS),
    fedml_model_args: needed(ARGUMENTS),
    training_params: needed(ARGUMENTS),
    environment_args: needed(ARGUMENTS),
  },
  'FedML',
);

/** Carries a FedML `job.yaml` (documentation of `fedml launch`, job YAML). */
export const fedml: Carry = (tree, path, draft) => {
  keys(tree, path, draft);
  const count = draft.part('gpu', 'count');
  const model = draft.part('gpu', 'model');
  if (count !== undefined && draft.part('gpu', 'none') === undefined)
    draft.put('resources', 'gpu', model === undefined ? `${count}` : `${model}:${count}`);
  if (draft.text('type') === 'serve' && !draft.has('service'))
    draft.leave(
      ['job_type'],
      tree,
      'needed',
      'an endpoint needs `service: {port: …}`, which FedML keeps in a model card',
    );
};
