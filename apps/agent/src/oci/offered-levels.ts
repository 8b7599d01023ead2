import type { SandboxCapabilities } from '../sandbox/capabilities.ts';
import { missingLevel } from '../sandbox/explain-failure.ts';
import type { SandboxLevel } from '../sandbox/isolation.ts';

/** `capabilities` without the levels that the operator does not offer; an empty list offers all. */
export function offeredLevels(capabilities: SandboxCapabilities, levels: readonly SandboxLevel[]): SandboxCapabilities {
  if (levels.length === 0) return capabilities;
  const kept = <T extends SandboxLevel>(name: T) =>
    levels.includes(name)
      ? capabilities[name]
      : missingLevel('not-offered', `this site does not offer level ${name}`, 'start the agent with other --isolation');
  return {
    ...capabilities,
    process: kept('process'),
    sandbox: kept('sandbox'),
    container: kept('container'),
    gvisor: kept('gvisor'),
  };
}
