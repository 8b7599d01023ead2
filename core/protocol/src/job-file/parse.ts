import { contradictions } from './contradictions.ts';
import { looksLikeCredential } from './credential.ts';
import { jobFields, type JobValues } from './job-fields.ts';
import type { JobFile, JobFileFields, RootFileSystem } from './job-file.ts';
import { federationOf } from './federation-fields.ts';
import { retryOf } from './lifecycle-fields.ts';
import { privacyWishes } from './privacy-fields.ts';
import { ProblemList } from './problem-list.ts';
import { JobFileError } from './problem.ts';
import type { Place } from './read.ts';
import { resourceWishes } from './resource-fields.ts';
import { serviceOf } from './service-fields.ts';
import { weightsOf } from './term-fields.ts';
import type { Tree, TreePath } from './tree.ts';
import { readTree } from './yaml-tree.ts';

const DEFAULT_PRIORITY = 50;

/**
 * Reads the text of a `job.yaml` of at most 64 KiB. Throws `JobFileError` with every problem of the file at once, each with
 * its path, its line and, for a key or a word, the nearest known one; no message holds a value of the file.
 */
export function parseJobFile(text: string): JobFile {
  const problems = new ProblemList();
  const tree = readTree(text, problems);
  const file = tree === undefined ? undefined : readJob(tree, problems);
  if (file === undefined || !problems.isEmpty) throw new JobFileError(problems.against(tree));
  return file;
}

/** Reads the tree of a job file in Ringfence's own spelling; undefined when a required field is wrong. */
export function readJob(tree: Tree, problems: ProblemList): JobFile | undefined {
  const place: Place = { path: [], problems };
  noteCredentials(tree, [], problems);
  const values = jobFields(tree, place);
  if (values === undefined) return undefined;
  for (const finding of contradictions(values, tree)) problems.note(finding);
  return values.name === undefined ? undefined : assemble(values, values.name);
}

function assemble(values: JobValues, name: JobFileFields['name']): JobFile {
  const fields: JobFileFields = {
    name,
    type: values.type ?? 'train',
    run: values.run,
    setup: values.setup,
    root: rootFileSystem(values),
    workdir: values.workdir ?? ('.' as JobFileFields['workdir']),
    mounts: values.mounts ?? [],
    outputs: values.outputs ?? [],
    resources: resourceWishes(values.resources),
    nodes: values.nodes ?? 1,
    env: values.env ?? {},
    secrets: values.secrets?.map(({ name }) => name) ?? [],
    secretFiles: Object.fromEntries(
      (values.secrets ?? []).flatMap(({ name, file }) => (file === undefined ? [] : [[name, file]])),
    ),
    identity: values.identity ?? {},
    retry: retryOf(values.retry),
    onPartition: values.on_partition,
    priority: values.priority ?? DEFAULT_PRIORITY,
    maxDurationMs: values.max_duration,
    deadlineMs: values.deadline,
    budget: values.budget,
    weights: weightsOf(values.weights),
    notify: values.notify?.on ?? [],
    service: serviceOf(values.service),
    federation: federationOf(values.federation),
    privacy: privacyWishes(values.privacy),
    purpose: values.purpose,
    profile: values.profile,
  };
  return fields as JobFile;
}

function rootFileSystem({ image, python }: JobValues): RootFileSystem {
  if (image !== undefined) return { kind: 'image', reference: image };
  return python === undefined ? { kind: 'site-default' } : { kind: 'python', version: python };
}

// Invariant 10: a credential in the file would travel in every copy of it.
function noteCredentials(tree: Tree, path: TreePath, problems: ProblemList): void {
  if (tree.kind === 'list') tree.items.forEach((item, index) => noteCredentials(item, [...path, index], problems));
  if (tree.kind === 'map') {
    for (const { key, value } of tree.entries) {
      const at = [...path, key];
      if (looksLikeCredential(key)) noteCredential(at, problems);
      noteCredentials(value, at, problems);
    }
  }
  if (tree.kind === 'text' && looksLikeCredential(tree.text)) noteCredential(path, problems);
}

function noteCredential(path: TreePath, problems: ProblemList): void {
  const message = 'this has the format of a credential; name it under secrets and give its value to the custodian';
  problems.note({ path, code: 'secret-value', message });
}
