// Which folder may import which: design in ARCHITECTURE.md. `npm run check` plants one breach for every rule named here
// (scripts/check/planted-breaches.ts) and fails unless each is found, so a rule that silently stops matching is noticed.
const PRODUCT = '^(core|engines|apps)/';
// Tests and what only they use; nothing of it is shipped.
const TEST_FILE = '\\.(test|fixture|typecheck)\\.ts$';
const IO_BUILTIN =
  '^(node:)?(child_process|cluster|dgram|dns|fs|http|http2|https|inspector|module|net|repl|sqlite|tls|vm|worker_threads)(/|$)';

/** @param {string} name @param {object} from @param {object} to @param {string} comment */
const forbid = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    forbid('unresolvable', {}, { couldNotResolve: true }, 'an import that resolves nowhere is an arrow nobody checked'),
    forbid('no-cycles', {}, { circular: true }, 'modules that import each other are one module'),
    forbid('core-is-bottom', { path: '^core/' }, { path: '^(engines|apps)/' }, 'the arrow is apps → engines → core'),
    forbid('engines-below-apps', { path: '^engines/' }, { path: '^apps/' }, 'the arrow is apps → engines → core'),
    forbid('apps-apart', { path: '^apps/([^/]+)/' }, { path: '^apps/(?!$1/)' }, 'apps meet over the wire only'),
    forbid(
      'base-imports-nothing',
      { path: '^core/base/' },
      { path: '^core/(?!base/)' },
      'base is what all others stand on',
    ),
    forbid(
      'control-plane-is-blind',
      { path: '^apps/(control-plane|relay)/' },
      { path: '^(core/crypto/src/open|engines/(?!tee/src/verify|dp/src/accountant))', reachable: true },
      'no path, however long, leads from here to code that can open a payload or run an engine',
    ),
    forbid(
      'store-is-for-servers',
      { path: PRODUCT, pathNot: '^(core/store|apps/(control-plane|custodian))/' },
      { path: '^core/store/' },
      'only the control plane and the custodian have a database',
    ),
    forbid(
      'console-thin',
      { path: '^apps/console/' },
      { path: '^(core/(?!(client|protocol|base)/)|engines/)' },
      'the console is a client of the API and has no privileges of its own',
    ),
    forbid(
      'cli-thin',
      { path: '^apps/cli/' },
      { path: '^engines/(?!dp/src/accountant|fl/src/contract-encoding)' },
      'the CLI plans what a contract says and costs, and runs no engine',
    ),
    forbid(
      'engines-apart',
      { path: '^engines/(?!fl/)([^/]+)/' },
      { path: '^engines/(?!$1/)' },
      'each privacy engine stands alone',
    ),
    forbid(
      'fl-uses-dp-and-mpc-only',
      { path: '^engines/fl/' },
      { path: '^engines/(?!(fl|dp|mpc)/)' },
      'federated learning composes noise and secure aggregation, nothing else',
    ),
    forbid(
      'pure-core-no-io',
      { path: '^(core/(?!client/|store/|base/src/platform/)|engines/(?!tee/))', pathNot: TEST_FILE },
      { path: IO_BUILTIN },
      'files, network and processes come in as adapters',
    ),
    forbid(
      'declared-packages-only',
      { path: PRODUCT, pathNot: TEST_FILE },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
      'a package imports what its own package.json lists under dependencies',
    ),
    forbid(
      'packages-by-name',
      { path: '^(core|engines|apps)/([^/]+)/' },
      { path: '^(core|engines|apps)/', pathNot: '^$1/$2/', dependencyTypes: ['local'] },
      'another package is imported through the exports of its package.json, not by a relative path',
    ),
    forbid(
      'product-stands-alone',
      // A checkout's launchers share one way to the Node that npm brought; the archive has launchers of its own.
      { path: PRODUCT, pathNot: `${TEST_FILE}|^apps/[^/]+/bin/` },
      { path: `^(scripts|tests|bench|examples)/|${TEST_FILE}` },
      'what is shipped imports no test, script or example',
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: '(^|/)dist/',
    parser: 'swc',
    // Without these, package `exports` are ignored, imports between packages do not resolve and every rule passes.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
