import {
  INBOUND_SOCKET,
  INIT_FILE,
  PROXY_PORT,
  SERVICE_ANSWERED,
  EGRESS_FOLDER,
  EGRESS_SOCKET,
  INBOUND_FOLDER,
  INIT_CONFIG,
  LIBRARY_FOLDER,
  NODE_FOLDER,
} from './places.ts';
import type { InitConfig } from './init-program.ts';

/** What is bound into a sandbox so that the init runs there. */
export interface InitMount {
  readonly hostPath: string;
  readonly sandboxPath: string;
  readonly mode: 'ro' | 'rw';
}

/** The init as the agent installed it on the host. */
export interface InstalledInit {
  /** The file that installInit wrote. */
  readonly script: string;
  /** Folder with `bin/node`, readable for jobs. */
  readonly node: string;
  /**
   * Folder with Node's own loader and libraries, for root file systems that have none or others (see installLibraries); undefined where
   * the job sees the host's /usr.
   */
  readonly libraries?: string;
}

/** What the init is to do. */
export interface InitWish {
  readonly init: InstalledInit;
  /** Host folder of the egress proxy. */
  readonly egress?: { readonly folder: string };
  /** Host folder that the job may write, and where its service listens. */
  readonly inbound?: { readonly folder: string; readonly port: number };
  /** The command's environment, without the proxy's variables. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a level starts the init: everything that it adds to a sandbox, in one value. */
export interface InitLaunch {
  /** Comes before the words of the command. */
  readonly argv: readonly string[];
  readonly mounts: readonly InitMount[];
  /** A file with `text` at `path` of the sandbox, readable for the job. It holds the job's environment: keep it from anybody else. */
  readonly config: { readonly path: string; readonly text: string };
  /** The environment of the init; the command gets its own from the configuration. */
  readonly env: Readonly<Record<string, string>>;
  /** Threads and bytes of memory of the init, on top of what the job may use. */
  readonly own: { readonly pids: number; readonly memoryBytes: number };
}

/** Keeps the init small: it moves bytes, and its memory counts as memory of the job. */
const NODE_FLAGS = [
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--v8-pool-size=1',
  '--optimize-for-size',
  '--no-maglev',
];
const OWN = { pids: 16, memoryBytes: 96 * 1024 * 1024 };

/** The variables by which programs find the job's proxy, each as most of them read it. */
export function proxyVariables(url: string): Readonly<Record<string, string>> {
  const direct = '127.0.0.1,localhost';
  return { HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url, NO_PROXY: direct, no_proxy: direct };
}

/** Argument list, mounts, configuration and environment of the init for a sandbox of any level that has a file system of its own. */
export function initLaunch({ init, egress, inbound, env }: InitWish): InitLaunch {
  const proxy = egress === undefined ? {} : proxyVariables(`http://127.0.0.1:${PROXY_PORT}`);
  const config: InitConfig = {
    egress: egress === undefined ? null : { port: PROXY_PORT, socket: `${EGRESS_FOLDER}/${EGRESS_SOCKET}` },
    inbound:
      inbound === undefined
        ? null
        : { socket: `${INBOUND_FOLDER}/${INBOUND_SOCKET}`, port: inbound.port, word: SERVICE_ANSWERED },
    env: { ...proxy, ...env },
  };
  const loader = init.libraries === undefined ? [] : [`${LIBRARY_FOLDER}/ld.so`, '--library-path', LIBRARY_FOLDER];
  return {
    argv: [...loader, `${NODE_FOLDER}/bin/node`, ...NODE_FLAGS, INIT_FILE, INIT_CONFIG],
    mounts: [
      { hostPath: init.script, sandboxPath: INIT_FILE, mode: 'ro' },
      { hostPath: init.node, sandboxPath: NODE_FOLDER, mode: 'ro' },
      ...(init.libraries === undefined
        ? []
        : [{ hostPath: init.libraries, sandboxPath: LIBRARY_FOLDER, mode: 'ro' as const }]),
      ...(egress === undefined ? [] : [{ hostPath: egress.folder, sandboxPath: EGRESS_FOLDER, mode: 'ro' as const }]),
      ...(inbound === undefined
        ? []
        : [{ hostPath: inbound.folder, sandboxPath: INBOUND_FOLDER, mode: 'rw' as const }]),
    ],
    config: { path: INIT_CONFIG, text: JSON.stringify(config) },
    env: { UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '1' },
    own: OWN,
  };
}
