import { stringify } from 'yaml';
import { parseJobFile } from './parse.ts';

/** What `job init` asks for. */
export interface JobTemplate {
  readonly name: string;
  /** Shell script. */
  readonly run: string;
  /** Mounted at /data. */
  readonly dataset?: string;
  /** Keeps /out. */
  readonly artifact?: string;
  readonly type?: 'train' | 'batch';
}

/** A commented `job.yaml` for `template`, with the usual fields at hand. Throws `JobFileError` when a part is no valid field. */
export function writeJobFile(template: JobTemplate): string {
  const { name, run, dataset, artifact, type = 'train' } = template;
  const text = `# A Ringfence job: \`ringfence plan\` shows where it would run, \`ringfence launch\` runs it.
${field({ name })}type: ${type}
# A shell script. It starts in a copy of this folder (without what .gitignore and .ringfenceignore name), in a sandbox.
${field({ run })}
# Datasets, read-only, at paths of the sandbox.
${dataset === undefined ? '# mounts: {/data: {dataset: NAME}}\n' : field({ mounts: { '/data': { dataset } } })}
# Folders that are kept as artifacts when the job succeeds.
${artifact === undefined ? '# outputs: {/out: {artifact: NAME}}\n' : field({ outputs: { '/out': { artifact } } })}
# 2 is two, 2+ at least two, 2..4 two to four. A memory size without + is a limit that the site has to enforce.
resources: {cpus: 1+, memory: 1GB+}

# More, to be uncommented:
# setup: make prepare        # no network, no data, no secrets; its result is cached
# env: {LR: 1e-3}
# secrets: [HF_TOKEN]
# retry: {on: [interruption], max: 3}
# max_duration: 6h
# purpose: research
# privacy: {sensitivity: internal, egress: [], logs: local}
`;
  parseJobFile(text);
  return text;
}

function field(value: Readonly<Record<string, unknown>>): string {
  return stringify(value, { lineWidth: 0, version: '1.2' });
}
