/** Programs that run OCI bundles: runc or crun for level container, gVisor's runsc for level gvisor. */
export type OciRuntime = 'runc' | 'crun' | 'runsc';

/** A level of containers as a real run of its runtime was seen to work. */
export interface ContainerLevel {
  readonly available: true;
  readonly runtime: OciRuntime;
  /** Absolute path of the runtime. */
  readonly path: string;
  readonly version: string;
  /** Absolute path of unshare(1). */
  readonly unshare: string;
  /** Parts of the host's /etc that the default root file system shows and that exist here. */
  readonly etc: readonly string[];
}
