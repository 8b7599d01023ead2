import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fromUtf8, utf8 } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { ApiRefusal } from '@ringfence/client/api';
import { sealPack } from '@ringfence/client/pack';
import { openAtRest, sealAtRest, type RecordKey } from '@ringfence/crypto/record';
import { checkCommit } from '@ringfence/keyring';
import { commitRequest, type ChunkReference } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { AgentError } from '../agent-error.ts';
import type { LinkContext } from '../link/link-context.ts';
import { checkpointPlace } from '../checkpoints/checkpoint-place.ts';
import { collectOutput, OUTPUT_LIMITS } from '../outputs/collect-output.ts';
import { forgetUpload, UploadNote, type UploadPlan } from '../outputs/upload-note.ts';
import type { AttemptFolder } from './attempt-folder.ts';
import { committingFact } from './attempt-facts.ts';
import type { AttemptId } from './attempt-machine.ts';
import type { AttemptWork } from './attempt-work.ts';
import type { LaidOut } from './lay-out.ts';
import { AttemptEnd } from './step-error.ts';
import { isPassing, withCustodian } from './with-custodian.ts';

type CommitRequest = z.output<typeof commitRequest>;

const UPLOAD_WITHIN_MS = 86_400_000;
const COMMIT_WITHIN_MS = 7 * 86_400_000;
const PLACE = { file: 'commit.sealed' };

/** Seals and uploads what the job left, and writes the commit down before it is asked for: from here on no crash loses the results. */
export async function collect(
  context: LinkContext,
  work: AttemptWork,
  laidOut: LaidOut | undefined,
  key: RecordKey,
): Promise<void> {
  work.enter('collecting', work.spent);
  work.save();
  context.fault('commit-before-upload');
  work.upload ??= UploadNote.begin(work.kept, planOf(work, laidOut), { key, rng: context.rng });
  const request = await upload(context, work, work.upload).catch((error: unknown) => {
    if (!(error instanceof AgentError)) throw error;
    work.log?.write('err', utf8(`ringfence: ${error.message}\n`));
    work.failure = { class: 'user-code', exception: 'ringfence.BadOutput' };
    throw new AttemptEnd({ outcome: 'failed', cause: error });
  });
  context.fault('commit-after-upload');
  const sealed = sealAtRest(key, PLACE, utf8(JSON.stringify(request)), context.rng);
  writeFileAtomic(work.kept.commitPath, sealed);
  await context.record(committingFact(work.id));
  forgetUpload(work.kept);
  context.fault('commit-before-request');
}

/** Where the outputs lie, and what of them is a checkpoint and no result; one that is the whole output is both. */
function planOf({ payload, folder: own }: AttemptWork, laidOut: LaidOut | undefined): UploadPlan {
  if (payload === undefined || laidOut === undefined || own === undefined)
    throw new TypeError('only a granted attempt has results');
  const checkpoint = checkpointPlace(payload);
  const outputs = payload.outputs.map(({ artifact, version }, index) => {
    const folder = laidOut.outputs[index]?.hostPath;
    if (folder === undefined) throw new TypeError('each output has a folder');
    const steps = checkpoint?.output === index ? checkpoint.steps : [];
    const without = steps.length === 0 ? {} : { without: steps.join('/') };
    return { artifact, version, folder: relative(own, folder), ...without };
  });
  return { project: payload.project, outputs };
}

async function upload(context: LinkContext, work: AttemptWork, note: UploadNote): Promise<CommitRequest> {
  const { link, rng, fault } = context;
  const { dedupeKey, plan } = note;
  const { project } = plan;
  const { signal } = work.cancelling;
  const outputs: CommitRequest['outputs'] = [];
  for (const [index, { artifact, version, folder: name, without }] of plan.outputs.entries()) {
    const folder = join(work.folder ?? '', name);
    const entries = collectOutput(folder, { ...OUTPUT_LIMITS, without });
    // What arrived before the custodian, a link or this agent's process was lost does not travel again.
    const arrived = note.arrived[index] ?? new Map();
    const onArrived = (chunks: readonly ChunkReference[]): void => {
      note.add(index, chunks);
      fault('upload-after-part');
    };
    const { pack, files, bytes } = await withCustodian(context, { within: UPLOAD_WITHIN_MS, signal }, (custodian) =>
      sealPack({ folder, entries, org: link.org, project, dedupeKey, custodian, rng, arrived, onArrived, signal }),
    );
    outputs.push({ artifact, version, pack, files, bytes });
  }
  return { job: work.id.job, attempt: work.id.attempt, outputs };
}

/** Asks the custodian to commit what was written down, until it answers. True when its signed record names this attempt. */
export async function commit(
  context: LinkContext,
  kept: AttemptFolder,
  key: RecordKey,
  signal: AbortSignal,
): Promise<boolean> {
  const request = commitRequest.parse(JSON.parse(fromUtf8(openAtRest(key, PLACE, readFileSync(kept.commitPath)))));
  try {
    const within = { within: COMMIT_WITHIN_MS, signal };
    const answer = await withCustodian(context, within, (custodian) => custodian.commit(request));
    context.fault('commit-after-answer');
    if (answer.result === 'committed') return isOurs(context, kept.id, answer.commit);
    context.log.warn('commit.refused', { ...kept.id, reason: answer.reason });
    return false;
  } catch (error) {
    if (!(error instanceof ApiRefusal) || isPassing(error)) throw error;
    context.log.warn('commit.refused', { ...kept.id, code: error.code });
    return false;
  }
}

function isOurs(
  { keyring, link, log }: LinkContext,
  id: AttemptId,
  envelope: Parameters<typeof checkCommit>[0],
): boolean {
  const checked = checkCommit(envelope, { ...id, agent: link.agent }, { keyring: keyring.keyring });
  if (!checked.allow) log.error('commit.not-ours', { ...id, reason: checked.reasons.join(',') });
  return checked.allow;
}
