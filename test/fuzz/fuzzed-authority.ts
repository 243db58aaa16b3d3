import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  anyPorts,
  type Cleanup,
  initAuthority,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import type { Parties } from './asker.ts';

export interface FuzzedAuthority extends ServedAuthority {
  /** Addresses of EST: TLS 1.3 only, and TLS 1.2 as well. */
  readonly listeners: { readonly tls13: string; readonly tls12: string };
  /** What the process said on standard error beside findings about its configuration. */
  readonly faults: readonly string[];
}

/** The shipped front door, with limits that do not end the run, a listener for TLS 1.2, a maker's identities, and keys made for sensors. */
export async function serveFuzzed(cleanup: Cleanup, { maker }: Parties): Promise<FuzzedAuthority> {
  const files = await initAuthority(cleanup, configuration);
  await writeFile(path.join(files.directory, 'pki/maker.pem'), maker.pem);
  const authority = await serveAuthority(files);
  cleanup.after(() => authority.stop());
  const faults: string[] = [];
  createInterface({ input: authority.process.stderr! }).on('line', (line) => {
    if (!/^\S+ finding: /.test(line)) faults.push(line);
  });
  const url = (name: string) => {
    const listeners = authority.ready['listeners'] as readonly { name: string; url?: string }[];
    return listeners.find((listener) => listener.name === name)!.url!;
  };
  return { ...authority, listeners: { tls13: url('enroll'), tls12: url('enroll-tls12') }, faults };
}

function configuration(yaml: string): string {
  const listener = /^ {2}enroll:\n(?: {4}.*\n)+/m.exec(yaml)![0];
  const second = listener.replace('enroll:', 'enroll-tls12:').replace('minimum: TLSv1.3', 'minimum: TLSv1.2');
  const device = /^ {2}device:\n(?: {4}.*\n)+/m.exec(yaml)![0];
  const identities = `
identities:
  maker:
    kind: idevid
    certificates: [pki/maker.pem]
    classes: [laptop]
    templates: [device]
`;
  return anyPorts(
    yaml
      .replace(listener, listener + second)
      .replace(device, device.replace('[secret]', '[secret, idevid]'))
      .replace('keyAlgorithms: [ec-p256]\n', 'keyAlgorithms: [ec-p256]\n    serverKeygen: ec-p256\n')
      .replaceAll(
        /\{ burst: \d+, count: \d+, period: \w+ \}/g,
        '{ burst: 1000000, count: 1000000, period: 1s }',
      )
      .replace('\nlimits:\n', '$&  unopened: { burst: 1000000, count: 1000000, period: 1s }\n')
      .replace('\ndeviceClasses:', `${identities}\ndeviceClasses:`),
  );
}
