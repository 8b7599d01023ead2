import type { MemoryLimiting, SandboxCapabilities } from './capabilities.ts';
import { hasInit } from './network.ts';
import type { SandboxSpec } from './spec.ts';

/**
 * prlimit(1) in front of a command, for limits that bind each process apart; empty where prlimit is absent. Core dumps
 * are limited to one byte, not none: only that value also stops the kernel from piping the job's memory to a crash
 * handler of the host (core(5)). Memory is RLIMIT_DATA: RLIMIT_AS would count address space that runtimes merely reserve.
 */
export function prlimitPrefix(spec: SandboxSpec, { limits, tools }: SandboxCapabilities): readonly string[] {
  if (tools.prlimit === null) return [];
  const data = dataLimit(spec, limits.memory);
  const { diskBytes, openFiles } = spec.limits;
  return [
    tools.prlimit,
    ...both('core', 1),
    // gVisor keeps the job's memory in a file, which this limit would bound.
    ...both('fsize', spec.level === 'gvisor' ? undefined : diskBytes),
    ...both('nofile', openFiles === undefined ? undefined : Math.min(openFiles, limits.openFiles)),
    // An image has no prlimit for what comes after the init.
    ...(hasInit(spec) && spec.level === 'sandbox' ? [] : data),
    '--',
  ];
}

/** prlimit(1) for the memory of the command alone, behind the init, which needs more than a small job may have. */
export function innerMemoryPrefix(spec: SandboxSpec, { limits, tools }: SandboxCapabilities): readonly string[] {
  const data = dataLimit(spec, limits.memory);
  return tools.prlimit === null || data.length === 0 ? [] : [tools.prlimit, ...data, '--'];
}

function dataLimit({ limits: { memoryBytes } }: SandboxSpec, memory: MemoryLimiting): readonly string[] {
  return both('data', memory === 'per-process' ? memoryBytes : undefined);
}

/** prlimit(1) for the number of processes, where no cgroup counts them; `extra` are those of the sandbox itself. */
export function processLimitPrefix(
  spec: SandboxSpec,
  { limits, tools }: SandboxCapabilities,
  extra: number,
): readonly string[] {
  if (tools.prlimit === null || limits.pids || spec.limits.pids === undefined) return [];
  return [tools.prlimit, ...both('nproc', spec.limits.pids + extra), '--'];
}

function both(resource: string, value: number | undefined): readonly string[] {
  return value === undefined ? [] : [`--${resource}=${value}:${value}`];
}
