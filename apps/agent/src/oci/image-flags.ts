import { AgentError } from '../agent-error.ts';
import type { SandboxLevel } from '../sandbox/isolation.ts';

/** What the operator said about levels and images. */
export interface ImageFlags {
  /** The levels that are offered; empty: all that work. */
  readonly levels: readonly SandboxLevel[];
  readonly roots: readonly string[];
  readonly cacheBytes: number;
  readonly registries: readonly string[];
  readonly insecure: readonly string[];
  /** File of credentials. */
  readonly auth: string | undefined;
  /** File of authorities. */
  readonly ca: string | undefined;
}

/** Every level, no folder of the disk, any registry with TLS. */
export const NO_IMAGE_FLAGS: ImageFlags = {
  levels: [],
  roots: [],
  cacheBytes: 20_000_000_000,
  registries: [],
  insecure: [],
  auth: undefined,
  ca: undefined,
};

const LEVELS: readonly SandboxLevel[] = ['process', 'sandbox', 'container', 'gvisor'];
const REGISTRY = /^[A-Za-z0-9.-]+(?::[0-9]{1,5})?$/;

/** Checks them. Throws AgentError `bad-config` that names the flag. */
export function imageFlags(given: Omit<ImageFlags, 'levels'> & { readonly levels: readonly string[] }): ImageFlags {
  const levels = given.levels.map((name) => {
    const level = LEVELS.find((candidate) => candidate === name);
    if (level === undefined) throw bad('--isolation is no level of this agent', `write one of ${LEVELS.join(', ')}`);
    return level;
  });
  if (!given.roots.every((root) => root.startsWith('/')))
    throw bad('--image-root is not an absolute path', 'write it as /srv/images');
  for (const [flag, names] of Object.entries({ registry: given.registries, 'insecure-registry': given.insecure }))
    if (!names.every((name) => REGISTRY.test(name)))
      throw bad(`--${flag} is not HOST or HOST:PORT`, 'write it as registry.example.org:5000');
  return { ...given, levels };
}

function bad(message: string, next: string): AgentError {
  return new AgentError('bad-config', message, { next });
}
