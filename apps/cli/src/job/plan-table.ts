import { formatSize } from '@ringfence/base';
import type { PlanAnswer } from '@ringfence/protocol/api';
import { explanationLines, fixLines, type NameOf } from '../placement/explanation-lines.ts';
import type { LabelledJob } from './prepared-job.ts';

/** The plan for people: what the label demands and allows, who refuses it and why, where it would run and who would be next. */
export function planTable(
  { job, label, placement, constraints }: LabelledJob,
  plan: PlanAnswer,
  agentName: NameOf,
): string {
  const { cpuMilli, memoryBytes } = placement.resources;
  const place =
    plan.chosen === null
      ? 'nowhere now'
      : `${agentName(plan.chosen.agent)} (${plan.chosen.tier}, isolation ${plan.chosen.isolation})`;
  return [
    `Job      ${job.name} (${job.type}), ${cpuMilli / 1000} CPU, ${formatSize(memoryBytes)}`,
    ...servesText(job),
    `Label    ${label.sensitivity}${label.residency.length === 0 ? '' : `, within ${label.residency.join(', ')}`}: ${placement.tiers.join(' or ')}, isolation ${placement.isolation} or better, egress ${placement.egress}`,
    ...(job.profile === undefined ? [] : [`Profile  ${job.profile}`]),
    `Rules    logs ${constraints.logs}, burst ${placement.burst}`,
    ...explanationLines(plan, agentName, (placement.weights?.cost ?? 1_000) / 1_000),
    `Runs on  ${place}`,
    ...(plan.chosen === null ? fixLines(plan) : []),
  ].join('\n');
}

function servesText({ service }: LabelledJob['job']): string[] {
  if (service === undefined) return [];
  const { api, port, probe, replicas, scaling } = service;
  const count = replicas.min === replicas.max ? String(replicas.max) : `${replicas.min} to ${replicas.max}`;
  const by = scaling === undefined ? '' : ` by ${scaling.metric} (${scaling.target} each)`;
  return [
    `Serves   ${api} on port ${port}, ${probe === undefined ? 'ready when it listens' : `ready by ${probe}`}, replicas ${count}${by}`,
  ];
}
