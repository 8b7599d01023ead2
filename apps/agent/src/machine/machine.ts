import { statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock, Rng } from '@ringfence/base';
import { DiskRoom } from '@ringfence/base/platform';
import { AttemptFolder } from '../attempt/attempt-folder.ts';
import type { DataRoot } from '../data-in-place/data-folder.ts';
import { DataPlaces } from '../data-in-place/data-places.ts';
import { copySdk, ownSdkFolder } from '../job-metrics/sdk-copy.ts';
import type { ImageFlags } from '../oci/image-flags.ts';
import { offeredLevels } from '../oci/offered-levels.ts';
import { openSiteImages, type SiteImages } from '../oci/site-images.ts';
import { LogQuota, type DroppedLog } from '../logs/log-quota.ts';
import { hasUpload } from '../outputs/upload-note.ts';
import { ObjectCache } from '../pack-cache/object-cache.ts';
import { lookForCards, type GpuCards } from '../gpu/gpu-cards.ts';
import type { InstalledInit } from '../sandbox-init/init-launch.ts';
import { installInit } from '../sandbox-init/init-text.ts';
import { SetupCache } from '../setup/setup-cache.ts';
import {
  claimJobUsers,
  hostIdentity,
  probeIsolation,
  reapOrphans,
  shareRuntime,
  SLOTS,
  systemProgram,
  type RuntimeMount,
  type SandboxCapabilities,
} from '../sandbox/index.ts';
import { Places, type Capacity } from './capacity.ts';
import type { OfferTerms } from './offer-terms.ts';
import { openWorkFolders, type WorkFolders } from './work-folder.ts';

/** This machine as jobs of all links share it. */
export interface Machine {
  readonly state: string;
  readonly capabilities: SandboxCapabilities;
  readonly capacity: Capacity;
  readonly places: Places;
  readonly gpus: GpuCards;
  /** Where nodes of devices are. */
  readonly gpuFolder: string;
  readonly folders: WorkFolders;
  readonly runtimes: readonly RuntimeMount[];
  /** Folder of the host with what jobs can import; null where the program came without it. */
  readonly sdk: string | null;
  readonly cache: ObjectCache;
  readonly setups: SetupCache;
  readonly images: SiteImages;
  readonly network: MachineNetwork;
  /** Most bytes of one attempt's output that are kept. */
  readonly logBytes: number;
  /** What bounds the logs of all attempts together. */
  readonly logQuota: LogQuota;
  /** Room on the disks of state and work folder. */
  readonly disk: DiskRoom;
  /** Data that lies below folders which its operator listed. */
  readonly data: DataPlaces;
  /** Where it stands, as its owner says. */
  readonly jurisdictions: readonly string[];
  /** What its operator asks for it. */
  readonly terms: OfferTerms;
}

/** What of a network this machine gives jobs. */
export interface MachineNetwork {
  readonly init: InstalledInit;
  /** `host:port` that every setup may reach. */
  readonly mirrors: readonly string[];
  /** `host:port` on the machine or its link that its operator allows jobs which list them. */
  readonly allowLocal: ReadonlySet<string>;
}

/** The part of memory and disk that jobs get; the rest is the machine's own. */
const FOR_JOBS = 0.9;

/** Ends what an earlier process left, then finds out by trying what this machine can do. Throws SandboxError, AgentError. */
export async function openMachine(options: {
  state: string;
  work: string | undefined;
  cacheBytes: number;
  logBytes: number;
  logQuota: number;
  onLogDropped?: (dropped: DroppedLog) => void;
  jurisdictions: readonly string[];
  terms?: OfferTerms;
  dataRoots: readonly DataRoot[];
  diskReserve: number | undefined;
  firstJobUid: number | undefined;
  images: ImageFlags;
  setupMirrors: readonly string[];
  egressAllowLocal: readonly string[];
  /** Elsewhere than in the system's folders, and other device nodes than those in /dev: for tests. */
  nvidiaSmi?: string;
  gpuFolder?: string;
  clock: Clock;
  rng: Rng;
}): Promise<Machine> {
  const { state, clock, rng, firstJobUid } = options;
  await reapOrphans(state, clock);
  const folders = openWorkFolders(state, options.work, (attempt) => hasUpload(new AttemptFolder(state, attempt)));
  const users = claimJobUsers(firstJobUid === undefined ? {} : { firstUid: firstJobUid });
  const probed = await probeIsolation({ stateDir: state, clock, rng, users });
  const capabilities = offeredLevels(probed, options.images.levels);
  const capacity = capacityOf(folders.attempts);
  const gpus = await lookForCards(options.nvidiaSmi ?? systemProgram('nvidia-smi'));
  const node = nodeRuntime(folders, capabilities);
  const source = ownSdkFolder(process.argv[1]);
  return {
    state,
    capabilities,
    capacity,
    places: new Places(capacity, SLOTS, gpus),
    gpus,
    gpuFolder: options.gpuFolder ?? '/dev',
    folders,
    runtimes: [node],
    sdk: source === null ? null : copySdk(source, folders.runtimes),
    cache: new ObjectCache(join(state, 'objects'), options.cacheBytes),
    setups: new SetupCache(folders.setups, options.cacheBytes),
    images: openSiteImages(folders.images, options.images, clock),
    network: {
      init: { script: installInit(folders.runtimes), node: node.hostPath },
      mirrors: options.setupMirrors,
      allowLocal: new Set(options.egressAllowLocal),
    },
    logBytes: options.logBytes,
    logQuota: new LogQuota(state, options.logQuota, options.onLogDropped),
    disk: new DiskRoom([folders.attempts, state], options.diskReserve),
    data: new DataPlaces(join(state, 'data-index'), {
      roots: options.dataRoots,
      forStrangers: capabilities.users.kind === 'dedicated',
      clock,
    }),
    jurisdictions: options.jurisdictions,
    terms: options.terms ?? {},
  };
}

function capacityOf(folder: string): Capacity {
  const constrained = process.constrainedMemory();
  const memory = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  const disk = statfsSync(folder);
  return {
    cpuMilli: availableParallelism() * 1000,
    memoryBytes: Math.floor(memory * FOR_JOBS),
    diskBytes: Math.floor(disk.bavail * disk.bsize * FOR_JOBS),
  };
}

/** The platform's own Node, so that `node train.ts` works on a machine that has none. */
function nodeRuntime({ runtimes }: WorkFolders, { users }: SandboxCapabilities): RuntimeMount {
  const identity = users.kind === 'dedicated' ? hostIdentity(users, 0) : null;
  const hostPath = shareRuntime(
    dirname(dirname(process.execPath)),
    join(runtimes, `node-${process.version}`),
    identity,
  );
  return { hostPath, sandboxPath: '/opt/ringfence/node' };
}
