import { isId, type JobId } from '@ringfence/base';
import { jobFence } from '@ringfence/protocol/api';
import {
  commitAnswer,
  commitRequest,
  grantAnswer,
  grantRequest,
  jobAnswer,
  jobDeposit,
  jobsAnswer,
  labelAnswer,
  labelRequest,
  stoppedAnswer,
  stoppedReport,
} from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { commitAttempt } from '../jobs/commit-attempt.ts';
import { depositJob } from '../jobs/deposit-job.ts';
import { grantAttempt } from '../jobs/grant-attempt.ts';
import { listJobs, showJob } from '../jobs/job-list.ts';
import { takeFence } from '../jobs/take-fence.ts';
import { takeStopped } from '../jobs/take-stopped.ts';
import { signLabel } from '../labels/sign-label.ts';
import { memberRoute, type Route } from './route.ts';

/** In bytes: a workload, its statements and its placement part. */
export const LONGEST_DEPOSIT = 5 * 1_048_576;

/** Routes of a job's life; `onGrant` is told each answer to a grant request. */
export function jobRoutes(context: CustodianContext, onGrant: (result: string) => void): Route[] {
  return [...deviceRoutes(context), ...agentRoutes(context, onGrant)];
}

function deviceRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/labels',
      summary: 'Computes and signs the label of a job from what it mounts.',
      who: ['device'],
      action: 'label:compute',
      body: labelRequest,
      answer: labelAnswer,
      handle: ({ body }, { id }, claimed) => signLabel(context, claimed, body, id),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/jobs',
      summary: 'Takes a job’s sealed workload, before the control plane hears of the job.',
      who: ['device'],
      action: 'job:deposit',
      body: jobDeposit,
      answer: jobAnswer,
      longest: LONGEST_DEPOSIT,
      handle: async ({ body }, { id }, claimed) => {
        const job = await depositJob(context, claimed, body, id);
        return showJob(context, claimed, job.body.job);
      },
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/jobs',
      summary: 'Jobs by name, the newest first.',
      who: ['device'],
      action: 'job:list',
      answer: jobsAnswer,
      handle: async (_, __, claimed) => ({ jobs: await listJobs(context, claimed) }),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/jobs/:job',
      summary: 'One job with its grants, commit record and outputs.',
      who: ['device'],
      action: 'job:read',
      resource: 'job',
      answer: jobAnswer,
      handle: ({ parameters }, _, claimed) => showJob(context, claimed, jobId(parameters)),
    }),
    fenceRoute(context),
  ];
}

function fenceRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'POST',
    path: '/v1/jobs/:job/fence',
    summary: 'Counts an attempt as over by an officer’s signed word.',
    who: ['device'],
    action: 'job:fence',
    resource: 'job',
    body: jobFence,
    answer: stoppedAnswer,
    handle: async ({ body, parameters }, { id: device }, claimed) => {
      await takeFence(context, claimed, body.fence, { job: jobId(parameters), device });
      return { stored: true };
    },
  });
}

function agentRoutes(context: CustodianContext, onGrant: (result: string) => void): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/grants',
      summary: 'Decides whether an attempt may open its payload.',
      who: ['agent'],
      action: 'grant:request',
      body: grantRequest,
      answer: grantAnswer,
      handle: async ({ body }, { id }, claimed) => {
        const answer = await grantAttempt(context, claimed, body, id);
        onGrant(answer.result === 'refused' ? answer.reason : answer.result);
        return answer;
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/stopped',
      summary: 'Takes an agent’s signed word that an attempt runs no more.',
      who: ['agent'],
      action: 'attempt:report',
      body: stoppedReport,
      answer: stoppedAnswer,
      handle: async ({ body }, { id }, claimed) => {
        await takeStopped(context, claimed, body.stopped, id);
        return { stored: true };
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/commits',
      summary: 'Makes the outputs of the current attempt the job’s result.',
      who: ['agent'],
      action: 'commit:request',
      body: commitRequest,
      answer: commitAnswer,
      handle: ({ body }, { id }, claimed) => commitAttempt(context, claimed, body, id),
    }),
  ];
}

function jobId(parameters: Readonly<Record<string, string>>): JobId {
  const id = parameters['job'] ?? '';
  if (isId('job', id)) return id;
  throw new CustodianError('not-found', 'there is no such job', { next: 'see `ringfence ps`' });
}
