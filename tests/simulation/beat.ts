import type { AgentId } from '@ringfence/base';

/** A heartbeat: when it was sent, by the agent's own clock, and by which of its processes. */
export interface Beat {
  readonly agent: AgentId;
  readonly boot: number;
  readonly sentAt: number;
}
