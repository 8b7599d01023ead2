import { ControlPlane } from './control-plane.ts';
import { CONTROL_PLANE, type Plane, type World } from './world.ts';

const NAMES = ['replica 1', 'replica 2'];

/** The control planes of one database: any of them takes what comes, the one with the term places. */
export class Replicas {
  readonly #world: World;
  readonly #planes = new Map<string, ControlPlane>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Starts all of them. */
  start(): void {
    for (const name of NAMES) this.restart(name);
  }

  /** Starts a process in the place of one that died; the same as ever without its memory. */
  restart(name: string): void {
    this.#planes.set(name, new ControlPlane(this.#world, name));
    this.changed();
  }

  /** The one that takes what comes now. */
  get front(): Plane {
    const [first] = this.#planes.values();
    const found = this.running[0] ?? first;
    if (found === undefined) throw new Error('there is no control plane');
    return found;
  }

  /** Those that would take something. */
  get running(): ControlPlane[] {
    return [...this.#planes.values()].filter(({ alive, isPaused }) => alive && !isPaused);
  }

  get all(): ControlPlane[] {
    return [...this.#planes.values()];
  }

  /** One died, is paused, or came back. */
  changed(): void {
    this.#world.network.setDown(CONTROL_PLANE, this.running.length === 0);
  }

  /** Whoever places looks at all waiting jobs a little later. */
  wake(): void {
    for (const plane of this.#planes.values()) if (plane.alive) plane.placeSoon();
  }
}
