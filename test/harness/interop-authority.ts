import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { anyPorts, type Cleanup, initAuthority, type ServedAuthority, serveAuthority } from './authority.ts';
import { TestCa } from './pki.ts';

interface Settings {
  readonly templates: Record<string, Record<string, unknown>>;
  readonly listeners: Record<string, Listener>;
  readonly deviceClasses: Record<string, { templates: string[] }>;
  identities?: unknown;
}

interface Listener {
  readonly tls: object;
  readonly protocols: { readonly est: { readonly templates: string[] } };
}

/** What clients of others are tried against. */
export interface InteropAuthority extends ServedAuthority {
  /** Its identities open label `device` to laptops. */
  readonly maker: TestCa;
  /** Of a listener by its name. */
  url(listener: string): string;
}

/**
 * `init`, then `serve`: the shipped front door, with a listener `enroll-tls12` that names TLS 1.2 beside `enroll`, a maker's identities,
 * keys made for label `iot`, and a label `bound` that demands channel binding.
 */
export async function interopAuthority(cleanup: Cleanup): Promise<InteropAuthority> {
  const maker = TestCa.root('Example Maker');
  const files = await initAuthority(cleanup, (yaml) => anyPorts(edited(yaml)));
  await writeFile(path.join(files.directory, 'pki/maker.pem'), maker.pem);
  const authority = await serveAuthority(files);
  cleanup.after(() => authority.stop());
  const listeners = authority.ready['listeners'] as readonly { name: string; url: string }[];
  const url = (listener: string) => listeners.find(({ name }) => name === listener)!.url;
  return { ...authority, maker, url };
}

function edited(yaml: string): string {
  const settings = parse(yaml) as Settings;
  const { templates, listeners, deviceClasses } = settings;
  templates['device']!['authentication'] = ['secret', 'idevid'];
  templates['bound'] = { ...templates['device'], channelBinding: 'required' };
  templates['iot']!['serverKeygen'] = 'ec-p256';
  deviceClasses['laptop']!.templates.push('bound');
  const enroll = listeners['enroll']!;
  enroll.protocols.est.templates.push('bound');
  listeners['enroll-tls12'] = { ...enroll, tls: { ...enroll.tls, minimum: 'TLSv1.2' } };
  settings.identities = {
    maker: {
      kind: 'idevid',
      certificates: ['pki/maker.pem'],
      classes: ['laptop'],
      templates: ['device'],
    },
  };
  return stringify(settings, { aliasDuplicateObjects: false });
}
