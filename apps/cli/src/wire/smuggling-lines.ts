import type { VerifiedLink } from './verify-journal.ts';

/** The most that could have been smuggled out through a link, in lines for people, each held against the goal. */
export function smugglingLines({ smuggling, noFrameKey }: Pick<VerifiedLink, 'smuggling' | 'noFrameKey'>): string[] {
  const { job, agent, goal, jobMeetsGoal, agentMeetsGoal, signaturesFixed, handshakesFixed, notCounted } = smuggling;
  return [
    'the most bits that could have been smuggled out:',
    `  by a hostile job: ${bits(job.perAttempt)} an attempt, ${bits(job.perMinute)} a minute`,
    `  by a hostile agent: ${bits(agent.perAttempt)} an attempt, ${bits(agent.perMinute)} a minute`,
    `  and by a hostile agent: ${bits(agent.perConnection)} a connection, ${bits(agent.once)} once, with its first offer and its seed`,
    `  goal: at most ${goal.perAttempt} an attempt, ${goal.perMinute} a minute: a hostile job ${verdict(jobMeetsGoal)}, a hostile agent ${verdict(agentMeetsGoal)}`,
    ...(signaturesFixed
      ? []
      : [`  signatures could not be made again and count as free${noFrameKey === null ? '' : `: ${noFrameKey}`}`]),
    ...(handshakesFixed
      ? []
      : ['  not all handshakes come from the committed seed, or it is not at hand: they count as free']),
    ...notCounted.map((what) => `  not counted: ${what}`),
  ];
}

function verdict(met: boolean): string {
  return met ? 'meets it' : 'MISSES it';
}

function bits(count: number): string {
  return count.toFixed(1);
}
