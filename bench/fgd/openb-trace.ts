import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WHOLE, type GpuNode, type GpuTask } from '@ringfence/policy/packing';

/** The published traces: the pod and node lists of Alibaba's GPU cluster trace v2023. */
export const TRACE_SOURCE = 'https://github.com/alibaba/clusterdata (cluster-trace-gpu-v2023)';
/** Where the traces may lie beside a checkout; without them the lists are named by hand. */
export const TRACES = join(import.meta.dirname, '../../../shared/traces/openb');

/** The nodes of a list of the form of openb (Alibaba GPU cluster trace v2023): sn, cpu_milli, memory_mib, gpu, model. */
export function readNodes(file: string): GpuNode[] {
  return records(file).map((row) => ({
    model: row.get('model') ?? '',
    cpuMilli: whole(row, 'cpu_milli'),
    memory: whole(row, 'memory_mib'),
    gpus: Array.from({ length: whole(row, 'gpu') }, () => WHOLE),
  }));
}

/** The tasks of a pod list of that form: cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec. */
export function readTasks(file: string): GpuTask[] {
  return records(file).map((row) => {
    const spec = row.get('gpu_spec') ?? '';
    return {
      cpuMilli: whole(row, 'cpu_milli'),
      memory: whole(row, 'memory_mib'),
      gpus: whole(row, 'num_gpu'),
      gpuMilli: whole(row, 'gpu_milli'),
      ...(spec === '' ? {} : { models: spec.split('|') }),
    };
  });
}

/** When a pod of that form was on its machine, in seconds since the trace's beginning. */
export interface PodTimes {
  /** Cards of GPUs; a share of one is a fraction. */
  readonly gpus: number;
  /** Its owner took what was left over (`BE`). */
  readonly bestEffort: boolean;
  readonly created: number;
  readonly from: number;
  readonly to: number;
}

/** Pods with GPUs that got a machine: num_gpu, gpu_milli, qos, creation_time, scheduled_time, deletion_time. */
export function readPodTimes(file: string): PodTimes[] {
  return records(file)
    .filter((row) => row.get('num_gpu') !== '0' && row.get('scheduled_time') !== '')
    .map((row) => ({
      gpus: (whole(row, 'num_gpu') * whole(row, 'gpu_milli')) / WHOLE,
      bestEffort: row.get('qos') === 'BE',
      created: whole(row, 'creation_time'),
      from: whole(row, 'scheduled_time'),
      to: whole(row, 'deletion_time'),
    }));
}

/** The published mean over seeds of the GPU allocation at 100 % arrived load, by policy, of one workload. */
export function readPublished(file: string, workload: string): ReadonlyMap<string, number> {
  const values = new Map<string, number[]>();
  for (const row of records(file)) {
    if (row.get('workload') !== `openb_pod_list_${workload}`) continue;
    const policy = (row.get('sc_policy') ?? '').replace(/^\d+-/, '');
    values.set(policy, [...(values.get(policy) ?? []), Number(row.get('100'))]);
  }
  const means = [...values].map(([policy, list]) => [policy, list.reduce((a, b) => a + b, 0) / list.length] as const);
  return new Map(means);
}

function records(file: string): ReadonlyMap<string, string>[] {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line) => {
    const values = line.split(',');
    return new Map(names.map((name, place) => [name, values[place] ?? '']));
  });
}

function whole(row: ReadonlyMap<string, string>, name: string): number {
  const text = row.get(name) ?? '';
  if (!/^\d+$/.test(text)) throw new Error(`the list has no whole number in a field ${name}`);
  return Number(text);
}
