import { chmod, writeFile } from 'node:fs/promises';
import type { ClientFolder } from '../../harness/client-files.ts';
import type { AcmeServer } from './acme-task.ts';

/** A script that a client runs as a hook; its path. `body` is for `sh`, and may call `present NAME VALUE` and `clear NAME` of a DNS that is told. */
export async function writeHook(
  folder: ClientFolder,
  { dnsManagementUrl }: AcmeServer,
  body: string,
): Promise<string> {
  const file = folder.path('hook.sh');
  const tell = (path: string, json: string) =>
    `curl -sS --fail --max-time 10 -d "${json.replaceAll('"', String.raw`\"`)}" "${dnsManagementUrl}/${path}" >/dev/null`;
  const script = [
    '#!/bin/sh',
    'set -eu',
    `present() { ${tell('set-txt', '{"host":"${1%.}.","value":"$2"}')}; }`,
    `clear() { ${tell('clear-txt', '{"host":"${1%.}."}')}; }`,
    body,
  ];
  await writeFile(file, `${script.join('\n')}\n`);
  await chmod(file, 0o755);
  return file;
}
