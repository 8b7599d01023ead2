import { OciError } from './oci-error.ts';
import type { TarEntry } from './tar-reader.ts';

/** What is done on disk, in this order. Every path is relative, and every folder on its way is one that an earlier step made. */
export type TreeStep =
  | { readonly do: 'remove'; readonly path: string }
  | { readonly do: 'folder'; readonly path: string }
  | { readonly do: 'file'; readonly path: string; readonly executable: boolean }
  | { readonly do: 'link'; readonly path: string; readonly target: string }
  | { readonly do: 'hardlink'; readonly path: string; readonly from: string };

interface Folder {
  readonly kind: 'folder';
  readonly children: Map<string, Node>;
  layer: number;
}
type Node =
  | Folder
  | { readonly kind: 'file'; layer: number }
  | { readonly kind: 'link'; target: string; layer: number };

/** Where a name leads: the folder that holds it, by its real path, and the last step. */
interface Spot {
  readonly folder: Folder;
  readonly at: readonly string[];
  readonly last: string;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const MOST_HOPS = 40;
const DEEPEST = 128;
const LONGEST_NAME = 255;

/**
 * The tree of an image while its layers are laid over each other (OCI image-spec, layer.md). It knows every folder and link that is on disk,
 * so names are resolved here, inside the image as chroot would, and never by the kernel: no step leads through a symbolic
 * link. Pure: it touches nothing.
 */
export class ImageTree {
  readonly #root: Folder = { kind: 'folder', children: new Map(), layer: 0 };
  readonly #most: number;
  #nodes = 0;
  #steps: TreeStep[] = [];

  /** `most` is how many files, folders and links an image may hold. */
  constructor(most: number) {
    this.#most = most;
  }

  /** What one entry of layer `layer` (counted from 1) does. Throws OciError `bad-layer`, `too-large`. */
  apply(layer: number, entry: TarEntry): readonly TreeStep[] {
    this.#steps = [];
    const steps = stepsOf(entry.name);
    const last = steps.at(-1);
    if (last === undefined) return [];
    if (last.startsWith(WHITEOUT)) this.#whiteOut(layer, steps, last);
    else if (entry.kind !== 'special') this.#put(layer, steps, entry);
    return this.#steps;
  }

  /** What lies at `name`, links on the way followed and one at its end not; undefined when nothing does. */
  kindOf(name: string): Node['kind'] | undefined {
    const spot = this.#find(stepsOf(name), null);
    return spot?.folder.children.get(spot.last)?.kind;
  }

  #put(layer: number, steps: readonly string[], entry: TarEntry): void {
    const from = entry.kind === 'hardlink' ? this.#linked(entry.target) : null;
    const spot = this.#find(steps, layer);
    if (spot === undefined) throw bad('a name in a layer leads nowhere');
    const path = pathOf(spot);
    const there = spot.folder.children.get(spot.last);
    if (entry.kind === 'folder' && there?.kind === 'folder') {
      there.layer = layer;
      return;
    }
    if (from !== null && (from.path === path || from.path.startsWith(`${path}/`))) {
      if (from.path === path) return;
      throw bad('a hard link in a layer replaces the folder that it leads into');
    }
    if (there !== undefined) this.#remove(spot, there);
    if (entry.kind === 'folder')
      return this.#add(spot, { kind: 'folder', children: new Map(), layer }, { do: 'folder', path });
    if (entry.kind === 'link')
      return this.#add(
        spot,
        { kind: 'link', target: entry.target, layer },
        { do: 'link', path, target: linkTarget(entry) },
      );
    if (from === null)
      return this.#add(spot, { kind: 'file', layer }, { do: 'file', path, executable: (entry.mode & 0o111) !== 0 });
    if (from.node.kind === 'link') {
      const { target } = from.node;
      return this.#add(spot, { kind: 'link', target, layer }, { do: 'link', path, target });
    }
    this.#add(spot, { kind: 'file', layer }, { do: 'hardlink', path, from: from.path });
  }

  #linked(name: string): { path: string; node: Exclude<Node, Folder> } {
    const spot = this.#find(stepsOf(name), null);
    const node = spot?.folder.children.get(spot.last);
    if (spot === undefined || node === undefined || node.kind === 'folder')
      throw bad('a hard link in a layer leads to no file of the image');
    return { path: pathOf(spot), node };
  }

  #add(spot: Spot, node: Node, step: TreeStep): void {
    this.#nodes += 1;
    if (this.#nodes > this.#most)
      throw new OciError('too-large', `the image holds more than ${this.#most} files`, { next: 'make it smaller' });
    spot.folder.children.set(spot.last, node);
    this.#steps.push(step);
  }

  #remove(spot: Spot, node: Node): void {
    spot.folder.children.delete(spot.last);
    this.#nodes -= countOf(node);
    this.#steps.push({ do: 'remove', path: pathOf(spot) });
  }

  #whiteOut(layer: number, steps: readonly string[], last: string): void {
    if (last === OPAQUE) {
      const spot = this.#find([...steps.slice(0, -1), '.'], null);
      if (spot !== undefined) this.#purge(spot.folder, spot.at, layer);
      return;
    }
    const name = last.slice(WHITEOUT.length);
    // Notes of aufs about itself.
    if (name.startsWith(WHITEOUT)) return;
    if (name === '' || name === '.' || name === '..') throw bad('a layer takes away a name that is none');
    const spot = this.#find([...steps.slice(0, -1), name], null);
    const node = spot?.folder.children.get(name);
    if (spot !== undefined && node !== undefined) this.#purgeNode(spot, node, layer);
  }

  /** Takes away what lower layers put into a folder; what this layer put there stays. */
  #purge(folder: Folder, at: readonly string[], layer: number): void {
    for (const [last, node] of folder.children) this.#purgeNode({ folder, at, last }, node, layer);
  }

  #purgeNode(spot: Spot, node: Node, layer: number): void {
    if (!holdsLayer(node, layer)) return this.#remove(spot, node);
    if (node.kind === 'folder') this.#purge(node, [...spot.at, spot.last], layer);
  }

  /**
   * Walks to the folder of the last step. With a layer, folders that are missing are made; with null, what is missing is undefined.
   * `..` in a link's target never leaves the root, as in a chroot.
   */
  #find(steps: readonly string[], layer: number | null): Spot | undefined {
    const pending = [...steps];
    let trail: { name: string; folder: Folder }[] = [];
    let hops = 0;
    for (;;) {
      const step = pending.shift();
      if (step === undefined) return undefined;
      const folder = trail.at(-1)?.folder ?? this.#root;
      const at = trail.map(({ name }) => name);
      if (step === '..') {
        trail = trail.slice(0, -1);
        continue;
      }
      if (pending.length === 0) return { folder, at, last: step };
      if (trail.length >= DEEPEST) throw bad('a layer nests folders too deeply');
      const node = folder.children.get(step);
      if (node?.kind === 'link') {
        hops += 1;
        if (hops > MOST_HOPS) throw bad('links in a layer lead in a circle');
        if (node.target.startsWith('/')) trail = [];
        pending.unshift(...node.target.split('/').filter((part) => part !== '' && part !== '.'));
        continue;
      }
      if (node?.kind === 'file') throw bad('a layer puts something below a file');
      if (node === undefined && layer === null) return undefined;
      trail.push({ name: step, folder: node ?? this.#make({ folder, at, last: step }, layer ?? 0) });
    }
  }

  #make(spot: Spot, layer: number): Folder {
    const made: Folder = { kind: 'folder', children: new Map(), layer };
    this.#add(spot, made, { do: 'folder', path: pathOf(spot) });
    return made;
  }
}

/** The steps of a name. A leading slash means the root of the image; `..` is refused, since no tool that packs an image writes it. */
function stepsOf(name: string): readonly string[] {
  const steps = name.split('/').filter((step) => step !== '' && step !== '.');
  if (steps.includes('..')) throw bad('a name in a layer leads out of the image');
  if (steps.length > DEEPEST) throw bad('a layer nests folders too deeply');
  if (steps.some((step) => Buffer.byteLength(step) > LONGEST_NAME)) throw bad('a name in a layer is too long');
  return steps;
}

function linkTarget({ target }: TarEntry): string {
  if (target === '' || Buffer.byteLength(target) > 4_095) throw bad('a link in a layer has no usable target');
  return target;
}

function pathOf({ at, last }: Spot): string {
  return [...at, last].join('/');
}

function countOf(node: Node): number {
  if (node.kind !== 'folder') return 1;
  return [...node.children.values()].reduce((sum, child) => sum + countOf(child), 1);
}

function holdsLayer(node: Node, layer: number): boolean {
  if (node.layer === layer) return true;
  return node.kind === 'folder' && [...node.children.values()].some((child) => holdsLayer(child, layer));
}

function bad(message: string): OciError {
  return new OciError('bad-layer', message, { next: 'build the image anew' });
}
