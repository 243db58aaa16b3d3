import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rules } from './rules.ts';
import { readSource } from './source-file.ts';

interface Sample {
  readonly path: string;
  readonly text: string;
}

/** For each rule, sources that break it, and sources next door that do not. */
const samples = {
  doors: {
    bad: [
      { path: 'src/ca/issue.ts', text: "import { spend } from '../limits/gcra.ts';" },
      { path: 'src/ca/issue.ts', text: "export type { Name } from '../x509/index.ts';" },
      { path: 'src/enrollment/layers/key.ts', text: "const ca = await import('../../ca/index.ts');" },
      { path: 'src/ca/issue.ts', text: "import { readDer } from '#x509/der';" },
      { path: 'src/ca/issue.ts', text: "import * as x509 from '#x509';" },
      { path: 'src/ca/issue.ts', text: "export * from '#x509';" },
      { path: 'src/ca/issue.ts', text: "import { mandate } from '#ca';" },
      { path: 'test/e2e/demo.test.ts', text: "import { judge } from '../../src/policy/judge.ts';" },
      { path: 'src/protocols/est/server.ts', text: "import { parse } from '../scep/parse.ts';" },
    ],
    good: [
      { path: 'src/ca/issue.ts', text: "import { readDer } from '#x509';" },
      { path: 'src/enrollment/layers/key.ts', text: "import type { References } from '../references.ts';" },
      { path: 'src/ca/issue.test.ts', text: "import { issue } from '#ca';" },
      { path: 'src/ca/index.ts', text: "export * from './issue.ts';" },
      { path: 'src/main.ts', text: "import './runtime.cjs';" },
      { path: 'test/e2e/demo.test.ts', text: "import { requireClient } from '../clients.ts';" },
    ],
  },
  arrows: {
    bad: [
      { path: 'src/x509/name.ts', text: "import { loadIssuer } from '#ca';" },
      { path: 'src/x509/algorithms.ts', text: "import { generateSoftwareKey } from '#keys';" },
      { path: 'src/x509/algorithms.ts', text: "import { type KeyAlgorithm } from '#keys';" },
      { path: 'src/protocols/est/enroll.ts', text: "import type { Issuer } from '#ca';" },
      { path: 'src/protocols/est/enroll.ts', text: "import { openSqlite } from '#storage';" },
      { path: 'src/protocols/est/enroll.ts', text: "import {\n  parse,\n  render,\n} from '#scep';" },
      { path: 'src/enrollment/enroll.ts', text: "const storage = await import('#storage');" },
      { path: 'src/server/listener.ts', text: "import 'node:tls';\nimport '#storage';" },
    ],
    good: [
      { path: 'src/x509/algorithms.ts', text: "import type { KeyAlgorithm } from '#keys';" },
      { path: 'src/enrollment/enroll.ts', text: "import {\n  issue,\n  mintMandate,\n} from '#ca';" },
      { path: 'src/enrollment/enroll.test.ts', text: "import { openSqlite } from '#storage';" },
      { path: 'src/x509/name.ts', text: "// import { loadIssuer } from '#ca';\n/* \nimport '#ca';\n*/" },
      { path: 'test/e2e/demo.test.ts', text: "import { openSqlite } from '#storage';" },
    ],
  },
  packages: {
    bad: [
      { path: 'src/ca/issue.ts', text: "import { z } from 'zod';" },
      { path: 'src/policy/judge.ts', text: "import fc from 'fast-check';" },
      { path: 'src/enrollment/enroll.ts', text: "import { readFileSync } from 'node:fs';" },
      { path: 'src/authority/start.ts', text: "import { spawn } from 'node:child_process';" },
      { path: 'src/cli/init.ts', text: "import { createHash } from 'crypto';" },
      { path: 'src/cli/init.ts', text: 'const room = await import(`#${name}`);' },
    ],
    good: [
      { path: 'src/policy/judge.ts', text: "import * as cedar from '@cedar-policy/cedar-wasm/nodejs';" },
      { path: 'src/ca/issue.ts', text: "import { createHash } from 'node:crypto';" },
      { path: 'src/protocols/est/http.ts', text: "import type { IncomingMessage } from 'node:http';" },
      { path: 'src/policy/judge.test.ts', text: "import fc from 'fast-check';" },
    ],
  },
  fixtures: {
    bad: [
      { path: 'src/ca/issue.ts', text: "import { sample } from './sample.fixture.ts';" },
      { path: 'src/ca/index.ts', text: "export * from './issue.test.ts';" },
    ],
    good: [
      { path: 'src/ca/issue.test.ts', text: "import { sample } from './sample.fixture.ts';" },
      { path: 'src/ca/sample.fixture.ts', text: "import { other } from './other.fixture.ts';" },
    ],
  },
  namedExports: {
    bad: [
      { path: 'src/ca/issue.ts', text: 'export default function issue() {}' },
      { path: 'src/ca/issue.ts', text: 'export { issue as default };' },
    ],
    good: [{ path: 'src/ca/issue.ts', text: "export const words = 'export default';" }],
  },
  erasable: {
    bad: [
      { path: 'src/ca/issue.ts', text: '@sealed\nclass Issue {}' },
      { path: 'src/ca/issue.ts', text: 'const enum Reason { a }' },
      { path: 'test/e2e/demo.test.ts', text: 'namespace Reasons { export const a = 1; }' },
      { path: 'src/ca/issue.ts', text: "const fs = require('node:fs');" },
    ],
    good: [
      {
        path: 'src/ca/issue.ts',
        text: "/**\n * @param a an enum Reason { a }\n */\nexport const a = '@sealed';",
      },
      {
        path: 'src/ca/issue.ts',
        text: 'export const from = /[\'"]/;\nexport const enumerated = { namespace: {} };',
      },
    ],
  },
  length: {
    bad: [{ path: 'src/ca/issue.ts', text: 'a;\n'.repeat(401) }],
    good: [{ path: 'src/ca/issue.ts', text: 'a;\n'.repeat(400) }],
  },
  ambience: {
    bad: [
      { path: 'src/ca/serial.ts', text: 'const n = Math.random();' },
      { path: 'src/cli/serve.ts', text: 'const n = Math.random();' },
      { path: 'src/ca/serial.ts', text: "const site = 'https://example.com'; const now = Date.now();" },
      { path: 'src/audit/checkpoint.ts', text: 'const now = `${new Date().toISOString()}`;' },
      { path: 'src/ca/serial.ts', text: 'const bytes = randomBytes(20);' },
      { path: 'src/server/listener.ts', text: "const port = process.env['PORT'];" },
      { path: 'src/storage/sqlite/open.ts', text: 'process.exit(1);' },
      { path: 'src/policy/bundle.ts', text: 'const text = await fetch(url);' },
      { path: 'src/server/proxy.ts', text: 'const socket = net.connect(22);' },
    ],
    good: [
      { path: 'src/cli/serve.ts', text: "const clock = Date.now; const file = process.env['CONFIG'];" },
      {
        path: 'src/ca/serial.ts',
        text: "const when = new Date(time); // Date.now\nconst words = 'Math.random';",
      },
      { path: 'src/enrollment/enroll.ts', text: 'const device = await store.fetch(id);' },
      { path: 'src/ca/serial.test.ts', text: 'const now = Date.now();' },
    ],
  },
  authority: {
    bad: [
      { path: 'src/server/listener.ts', text: "import { ceremony } from '#ca';" },
      { path: 'src/cli/serve.ts', text: "const { ceremony } = await import('#ca');" },
      { path: 'src/admin/approve.ts', text: "import { mintMandate as mint } from '#ca';" },
    ],
    good: [
      { path: 'src/cli/init.ts', text: "import { ceremony } from '#ca';" },
      { path: 'src/cli/init/keys.ts', text: "import { ceremony } from '#ca';" },
      { path: 'src/enrollment/enroll.ts', text: "import { mintMandate } from '#ca';" },
      { path: 'test/interop/openssl.test.ts', text: "import { ceremony } from '#ca';" },
    ],
  },
  names: {
    bad: [
      { path: 'src/ca/crlNumber.ts', text: '' },
      { path: 'src/ca/utils.ts', text: '' },
      { path: 'src/enrollment/helpers/digest.ts', text: '' },
    ],
    good: [{ path: 'src/ca/crl-number.test.ts', text: '' }],
  },
} as const satisfies Record<keyof typeof rules, { bad: readonly Sample[]; good: readonly Sample[] }>;

for (const [name, { bad, good }] of Object.entries(samples)) {
  const rule = rules[name as keyof typeof rules];
  describe(`the rule of ${name}`, () => {
    for (const { path, text } of bad) {
      test(`refuses in ${path}: ${JSON.stringify(text).slice(0, 80)}`, () => {
        assert.notDeepEqual(rule(readSource(path, text)), []);
      });
    }
    for (const { path, text } of good) {
      test(`lets pass in ${path}: ${JSON.stringify(text).slice(0, 80)}`, () => {
        assert.deepEqual(rule(readSource(path, text)), []);
      });
    }
  });
}
