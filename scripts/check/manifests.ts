import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type DependencyList = Readonly<Record<string, string>>;

/** The parts of a package.json that the checks read. */
export type Manifest = {
  name: string;
  version: string;
  dependencies?: DependencyList;
  devDependencies?: DependencyList;
  optionalDependencies?: DependencyList;
};

/** A package.json and the folder it stands in, relative to the checkout ('' for the root). */
export type Workspace = { folder: string; manifest: Manifest };

const WORKSPACE_PARENTS = ['core', 'engines', 'apps'];

/** Reads the root manifest (first) and that of every workspace, in the order of their folders. */
export function readWorkspaces(checkout: string): [Workspace, ...Workspace[]] {
  const folders = WORKSPACE_PARENTS.filter((parent) => existsSync(join(checkout, parent))).flatMap((parent) =>
    readdirSync(join(checkout, parent)).map((child) => `${parent}/${child}`),
  );
  const present = folders.filter((folder) => existsSync(join(checkout, folder, 'package.json'))).toSorted();
  return [readWorkspace(checkout, ''), ...present.map((folder) => readWorkspace(checkout, folder))];
}

function readWorkspace(checkout: string, folder: string): Workspace {
  const manifest = JSON.parse(readFileSync(join(checkout, folder, 'package.json'), 'utf8')) as Manifest;
  return { folder, manifest };
}

/** Every dependency of a manifest, of whatever kind, as [name, version]. */
export function allDependencies(manifest: Manifest): [string, string][] {
  const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = manifest;
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
}

/** True for the packages of this repository. */
export const isOwn = (name: string): boolean => name.startsWith('@ringfence/');
