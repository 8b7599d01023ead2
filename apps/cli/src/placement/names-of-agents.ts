import { RingfenceError } from '@ringfence/base';
import type { Session } from '../session.ts';
import type { NameOf } from './explanation-lines.ts';

/** What the custodian calls agents; their ids while it cannot be asked. */
export async function namesOfAgents({ custodian }: Session): Promise<NameOf> {
  try {
    const agents = await custodian.agents();
    return (id) => agents.find(({ agent }) => agent === id)?.name ?? id;
  } catch (error) {
    if (!(error instanceof RingfenceError)) throw error;
    return (id) => id;
  }
}
