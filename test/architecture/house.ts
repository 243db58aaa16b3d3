/** What one folder of src/ may import. Doors are named as in package.json, without the `#`. */
export interface Room {
  /** Doors whose functions and types it may import. */
  readonly values: readonly string[];
  /** Doors of which it may import types only. */
  readonly types?: readonly string[];
  /** npm packages. */
  readonly packages?: readonly string[];
}

const formats = ['errors', 'x509', 'cms'];
const grounds = [...formats, 'keys', 'evidence', 'limits', 'policy', 'inventory', 'audit', 'ca'];
const core = [...grounds, 'enrollment'];

/** The table of allowed imports. Arrows of `values` point down only; a type may look up where a port is defined above. */
export const rooms: Readonly<Record<string, Room>> = {
  errors: { values: [] },
  x509: { values: ['errors'], types: ['keys'] },
  cms: { values: ['errors', 'x509'] },
  // For ACME alone: the other formats' readers have no use for it.
  jose: { values: ['errors', 'x509'] },
  keys: { values: formats },
  // What a device's hardware says, read and appraised: it knows nothing of requests, and nothing of the world.
  evidence: { values: ['errors', 'x509'], packages: ['cborg'] },
  limits: { values: ['errors'] },
  policy: { values: ['errors'], packages: ['@cedar-policy/cedar-wasm'] },
  inventory: { values: ['errors'], types: ['evidence'], packages: ['csv-parse'] },
  audit: { values: [...formats, 'keys'] },
  ca: { values: [...formats, 'keys', 'policy'] },
  enrollment: { values: grounds },
  // A protocol hands its request to enrollment: never to the CA, to storage or to another protocol.
  est: { values: [...formats, 'limits', 'enrollment'], types: ['keys', 'policy', 'inventory', 'audit'] },
  scep: { values: [...formats, 'limits', 'enrollment'], types: ['keys', 'policy', 'inventory', 'audit'] },
  // Whether somebody controls a name or an address, asked of the network: it knows nothing of who wants to know.
  validation: { values: ['errors', 'x509', 'limits'] },
  acme: {
    values: [...formats, 'jose', 'limits', 'enrollment', 'validation'],
    types: ['keys', 'evidence', 'policy', 'inventory', 'audit'],
  },
  attestation: { values: ['errors', 'x509', 'enrollment'] },
  // What another system is asked, and how: enrollment says when.
  workflow: { values: ['errors', 'x509', 'evidence', 'enrollment'] },
  admin: { values: core, packages: ['zod'] },
  // What machines can ask over the network: a few of the acts, and none that is not listed there.
  api: { values: [...core, 'admin'], packages: ['zod'] },
  // An adapter: it implements ports that are defined above it, so it takes their types, and computes only what keeps rows whole.
  storage: {
    values: ['errors', 'limits', 'audit'],
    types: ['x509', 'keys', 'evidence', 'ca', 'policy', 'inventory', 'enrollment', 'acme', 'admin'],
    packages: ['kysely', 'pg'],
  },
  // What configuration describes it takes as types; names of algorithms and attributes it checks against their own tables.
  config: {
    values: ['errors', 'x509', 'keys', 'limits', 'evidence'],
    types: ['ca', 'inventory'],
    packages: ['yaml', 'zod'],
  },
  server: { values: [...core, 'est', 'scep', 'acme', 'attestation', 'admin'], types: ['config'] },
  // Where the running authority is put together from what configuration says: all below it, and nothing but the command line above.
  authority: {
    values: [
      ...core,
      'est',
      'scep',
      'acme',
      'attestation',
      'validation',
      'workflow',
      'admin',
      'api',
      'storage',
      'config',
      'server',
    ],
  },
  cli: {
    values: [...core, 'jose', 'est', 'scep', 'workflow', 'admin', 'storage', 'config', 'server', 'authority'],
    packages: ['commander'],
  },
  main: { values: ['cli'] },
};

/** Modules of Node.js that touch the world, and the rooms that may import them (types are free). Other modules of Node.js are free. */
export const worldlyModules: Readonly<Record<string, readonly string[]>> = {
  'node:fs': ['policy', 'audit', 'admin', 'storage', 'config', 'server', 'authority', 'cli'],
  'node:fs/promises': ['policy', 'audit', 'admin', 'storage', 'config', 'server', 'authority', 'cli'],
  'node:sqlite': ['storage'],
  'node:worker_threads': ['keys', 'storage'],
  'node:http': ['validation', 'admin', 'api', 'server', 'cli'],
  'node:https': ['server', 'workflow', 'cli'],
  'node:http2': [],
  'node:tls': ['validation', 'server'],
  'node:dns': [],
  'node:dns/promises': ['validation'],
  'node:dgram': [],
  // Its own program, which asks the whole log again beside it, and tpm2-tools.
  'node:child_process': ['cli'],
  'node:cluster': [],
  'node:process': [],
  'node:os': ['cli'],
};

/** What is an argument and never a global: where the global may be read all the same. Places are prefixes of paths. */
export const ambient: readonly {
  readonly what: string;
  readonly pattern: RegExp;
  readonly places: readonly string[];
}[] = [
  { what: 'Math.random is no randomness for anything here', pattern: /\bMath\s*\.\s*random\b/g, places: [] },
  {
    what: 'the clock is an argument',
    pattern:
      /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bperformance\s*\.\s*now\b|\bprocess\s*\.\s*hrtime\b|\bTemporal\s*\.\s*Now\b/g,
    // Two threads count by what both of them can read.
    places: ['src/main.ts', 'src/cli/', 'src/authority/', 'src/storage/thread/messages.ts'],
  },
  {
    what: 'randomness is an argument',
    pattern: /\b(?:randomBytes|randomUUID|randomInt|randomFill|randomFillSync|getRandomValues)\b/g,
    // A key file's salt is drawn where the key itself is drawn.
    places: ['src/main.ts', 'src/cli/', 'src/authority/', 'src/keys/'],
  },
  {
    what: 'the environment is read by configuration and the command line only',
    pattern: /\bprocess\s*\.\s*env\b/g,
    places: ['src/main.ts', 'src/cli/', 'src/config/'],
  },
  {
    what: 'only the command line has arguments, a folder and an end',
    pattern: /\bprocess\s*\.\s*(?:argv|cwd|chdir|exit|exitCode|abort|kill)\b/g,
    places: ['src/main.ts', 'src/cli/'],
  },
  {
    what: 'the network is an argument: nothing but the command line (to the admin socket) opens a connection',
    pattern:
      /(?<![\w.])fetch\s*\(|\b(?:https?|http2|net|tls)\s*\.\s*(?:request|get|connect|createConnection|Agent)\b|\bnew\s+(?:WebSocket|EventSource)\b/g,
    places: ['src/main.ts', 'src/cli/'],
  },
];

/** Names that give authority, and the only places of src/ that may say them. Tests make what they need. */
export const authority: Readonly<Record<string, readonly string[]>> = {
  /** Signs roots, issuers and listeners without a mandate: `sallyport init` alone. */
  ceremony: ['src/ca/', 'src/cli/init'],
  /** Signs the certificate of an RA, which certifies nobody, without a mandate. */
  signRaCertificate: ['src/ca/', 'src/authority/ra'],
  /** Signs the certificate of one of our own TLS listeners without a mandate: for the names that the configuration gives it, and no others. */
  signListenerCertificate: ['src/ca/', 'src/authority/listener-certificate'],
  /** Turns a verdict into the right to one signature. */
  mintMandate: ['src/ca/', 'src/enrollment/'],
};

export const longestFileLines = 400;

/** Files past the limit, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {};

/** Modules that act when they are loaded, so that loading every module leaves them out. */
export const entryPoints: Readonly<Record<string, string>> = {
  'src/main.ts': 'runs the command line',
  'src/storage/sqlite/worker.ts': 'runs in a thread of its own',
  'src/storage/postgres/worker.ts': 'runs in a thread of its own',
};
