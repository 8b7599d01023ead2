import type { Isolation } from '@ringfence/protocol';
import type { SandboxCapabilities } from './capabilities.ts';

/** The levels that this agent can start jobs at. */
export type SandboxLevel = Extract<Isolation, 'process' | 'sandbox' | 'container' | 'gvisor'>;

/** Why a job's minimum cannot be met here. */
export interface IsolationRefusal {
  readonly code:
    | 'level-not-supported'
    | 'sandbox-missing'
    | 'container-missing'
    | 'gvisor-missing'
    | 'process-not-allowed'
    | 'process-missing'
    | 'hard-memory-missing';
  readonly reason: string;
  readonly remedy: string;
}

/** The answer of {@link chooseIsolation}. */
export type IsolationDecision =
  | { readonly allow: true; readonly level: SandboxLevel; readonly notProtected: readonly string[] }
  | { readonly allow: false; readonly reasons: readonly IsolationRefusal[] };

/** What each level leaves open, in words for the person who runs the job (invariant 11). */
export const NOT_PROTECTED: Readonly<Record<SandboxLevel, readonly string[]>> = {
  process: [
    'the job reads every file that its host user may read',
    'the job uses the network of the machine',
    'the job sees the other processes of the machine, and their users see its command line',
    'no system call is filtered',
    'where the agent is not root, a job that wants to can evade its limits and leave processes behind',
    'mount paths exist only in the command line, not for the code of the job',
  ],
  container: [
    'the kernel is shared with the machine: a flaw in it lets a job out',
    'timing and load of the machine can be observed',
    'the owner of the machine can read the memory of the job',
  ],
  gvisor: [
    'the memory of the job is kept apart by the kernel of the machine: a flaw in it and in gVisor together lets a job out',
    'a single file is not bounded by the kernel: it is found within a fraction of a second by what the disk lost',
    'timing and load of the machine can be observed',
    'the owner of the machine can read the memory of the job',
  ],
  sandbox: [
    'the kernel is shared with the machine: a flaw in it lets a job out',
    'timing and load of the machine can be observed',
    'the owner of the machine can read the memory of the job',
  ],
};

/**
 * The level for `minimum`, or every reason why there is none; a minimum is never weakened. A label whose
 * default is "sandbox, or process where the site's owner allows it" passes `process` here: bubblewrap is still used where
 * it works, and without it only `allowProcess` (the owner's --allow-process) opens level process.
 */
export function chooseIsolation(
  minimum: Isolation,
  capabilities: Pick<SandboxCapabilities, SandboxLevel | 'limits'>,
  site: { readonly allowProcess: boolean; readonly hardMemory?: boolean },
): IsolationDecision {
  const reasons: IsolationRefusal[] = [];
  if (site.hardMemory === true && capabilities.limits.memory !== 'hard')
    reasons.push({
      code: 'hard-memory-missing',
      reason: 'the job sets a hard memory limit and this machine cannot enforce one',
      remedy: capabilities.limits.remedy ?? 'give the agent a writable memory cgroup',
    });
  const level = bestLevel(minimum, capabilities, site.allowProcess);
  if (typeof level !== 'string') reasons.push(level);
  else if (reasons.length === 0) return { allow: true, level, notProtected: NOT_PROTECTED[level] };
  return { allow: false, reasons };
}

function bestLevel(
  minimum: Isolation,
  capabilities: Pick<SandboxCapabilities, SandboxLevel>,
  allowProcess: boolean,
): SandboxLevel | IsolationRefusal {
  if (minimum === 'microvm' || minimum === 'tee')
    return {
      code: 'level-not-supported',
      reason: `this agent starts jobs at levels process, sandbox, container and gvisor; the job asks for ${minimum}`,
      remedy: 'place the job at a site that offers this level',
    };
  if (minimum === 'container' || minimum === 'gvisor') return containerLevel(minimum, capabilities);
  if (capabilities.sandbox.available) return 'sandbox';
  const { reason, remedy } = capabilities.sandbox;
  if (minimum === 'sandbox') return { code: 'sandbox-missing', reason, remedy };
  if (!allowProcess)
    return {
      code: 'process-not-allowed',
      reason: `level sandbox is missing (${reason}) and the owner of this site did not allow level process`,
      remedy: `${remedy}; or start the agent with --allow-process`,
    };
  if (!capabilities.process.available)
    return {
      code: 'process-missing',
      reason: capabilities.process.reason,
      remedy: capabilities.process.remedy,
    };
  return 'process';
}

/** gVisor keeps a job at least as far apart as a container; the reverse never holds. */
function containerLevel(
  minimum: 'container' | 'gvisor',
  capabilities: Pick<SandboxCapabilities, 'container' | 'gvisor'>,
): SandboxLevel | IsolationRefusal {
  if (minimum === 'container' && capabilities.container.available) return 'container';
  if (capabilities.gvisor.available) return 'gvisor';
  const missing = capabilities[minimum];
  if (missing.available) return minimum;
  return { code: `${minimum}-missing`, reason: missing.reason, remedy: missing.remedy };
}
