import { SocketAddress, isIPv4 } from 'node:net';
import { isAbsolute, relative, resolve } from 'node:path';
import { listedFormats } from '#evidence';
import type { KeyPath } from './problem.ts';
import { quote } from './problem.ts';
import type { Settings } from './schema/settings.ts';
import { didYouMean } from './suggestion.ts';

/** A problem between sections, its place still to be looked up: at the key, or at what is written there. */
export interface Objection {
  readonly path: KeyPath;
  readonly part: 'key' | 'value';
  readonly message: string;
}

/** What no section can see by itself: names that name nothing, and things of which there is one for two. */
export function crossReferenceProblems(settings: Settings, directory: string): Objection[] {
  return [
    ...templateProblems(settings),
    ...deviceClassProblems(settings),
    ...identityProblems(settings),
    ...listenerProblems(settings),
    ...issuedProblems(settings),
    ...nextAuthorityProblems(settings),
    ...hookProblems(settings),
    ...endpointProblems(settings, directory),
    ...fileProblems(settings, directory),
    ...Object.keys(settings.limits.templates).flatMap((name) =>
      unknownName(['limits', 'templates', name], name, 'template', Object.keys(settings.templates), 'key'),
    ),
  ];
}

function templateProblems({ templates, issuers, deviceClasses, workflows }: Settings): Objection[] {
  const classNames = Object.keys(deviceClasses);
  return Object.entries(templates).flatMap(([name, template]) => {
    const { issuer, legacyAlgorithms, authentication } = template;
    return [
      ...unknownName(['templates', name, 'issuer'], issuer, 'issuer', Object.keys(issuers)),
      ...template.workflows.flatMap((workflow, index): Objection[] => {
        const path = ['templates', name, 'workflows', index];
        const unknown = unknownName(path, workflow, 'workflow', Object.keys(workflows));
        if (
          unknown.length > 0 ||
          workflows[workflow]!.kind !== 'intune' ||
          authentication.includes('workflow')
        ) {
          return unknown;
        }
        const message = `is Intune, which validates its own challenges alone: list workflow in authentication`;
        return [{ path, part: 'value', message }];
      }),
      ...legacyAlgorithms.flatMap((deviceClass, index) =>
        unknownName(['templates', name, 'legacyAlgorithms', index], deviceClass, 'device class', classNames),
      ),
    ];
  });
}

function deviceClassProblems({ deviceClasses, templates, listeners, attestation }: Settings): Objection[] {
  const templateNames = Object.keys(templates);
  const enrollNames = Object.keys(listeners).filter((name) => listeners[name]?.class.startsWith('enroll'));
  return Object.entries(deviceClasses).flatMap(([name, deviceClass]) => [
    ...(deviceClass.templates ?? []).flatMap((template, index) =>
      unknownName(['deviceClasses', name, 'templates', index], template, 'template', templateNames),
    ),
    ...(deviceClass.listeners ?? []).flatMap((listener, index) =>
      unknownName(['deviceClasses', name, 'listeners', index], listener, 'enroll listener', enrollNames),
    ),
    ...Object.entries(deviceClass.evidence).flatMap(([format, evidence]) =>
      (evidence === undefined || !('roots' in evidence) ? [] : evidence.roots).flatMap(
        (root, index): Objection[] => {
          const path = ['deviceClasses', name, 'evidence', format, 'roots', index];
          const unknown = unknownName(path, root, 'set of roots', Object.keys(attestation.roots));
          if (unknown.length > 0 || attestation.roots[root]!.format === format) return unknown;
          const message = `is a set of roots of ${attestation.roots[root]!.format}: those of one format vouch for no other`;
          return [{ path, part: 'value', message }];
        },
      ),
    ),
    ...verifierProblems(name, deviceClass.evidence.external?.verifiers ?? [], attestation.verifiers),
    ...listedFormats.flatMap((format): Objection[] => {
      const isAskedFor = typeof deviceClass.evidence[format]?.maximumStatusAge === 'number';
      if (!isAskedFor || attestation.statusLists[format].length > 0) return [];
      const path = ['deviceClasses', name, 'evidence', format, 'maximumStatusAge'];
      return [{ path, part: 'key', message: `needs attestation.statusLists.${format}: there is no list` }];
    }),
    ...(deviceClass.evidence['android-key'] !== undefined &&
    attestation.statusLists['android-key'] === undefined
      ? [
          {
            path: ['deviceClasses', name, 'evidence', 'android-key'],
            part: 'key' as const,
            message:
              'needs attestation.statusLists.android-key: without the list of revoked keys none is believed',
          },
        ]
      : []),
  ]);
}

/** Which verifier is asked about a format must not depend on their order. */
function verifierProblems(
  deviceClass: string,
  names: readonly string[],
  verifiers: Settings['attestation']['verifiers'],
): Objection[] {
  return names.flatMap((name, index): Objection[] => {
    const path = ['deviceClasses', deviceClass, 'evidence', 'external', 'verifiers', index];
    const unknown = unknownName(path, name, 'verifier', Object.keys(verifiers));
    if (unknown.length > 0) return unknown;
    const before = names.slice(0, index).flatMap((each) => verifiers[each]?.formats ?? []);
    const common = verifiers[name]!.formats.filter((format) => before.includes(format));
    const message = `reads ${common.join(', ')}, which another verifier of this class reads`;
    return common.length === 0 ? [] : [{ path, part: 'value', message }];
  });
}

/**
 * A template that does not take the kind would refuse whatever the identity vouches for. Hardware types limit nothing where a device can be
 * named without one.
 */
function identityProblems({ identities, templates, deviceClasses }: Settings): Objection[] {
  const templateNames = Object.keys(templates);
  return Object.entries(identities).flatMap(([name, identity]) => [
    ...(identity.hardwareTypes !== undefined && identity.from.some((place) => place !== 'hardwareModuleName')
      ? [
          {
            path: ['identities', name, 'hardwareTypes'],
            part: 'key' as const,
            message:
              'needs from: [hardwareModuleName]: other names have no hardware type, and would be let past this list',
          },
        ]
      : []),
    ...identity.classes.flatMap((deviceClass, index) =>
      unknownName(
        ['identities', name, 'classes', index],
        deviceClass,
        'device class',
        Object.keys(deviceClasses),
      ),
    ),
    ...identity.templates.flatMap((template, index): Objection[] => {
      const path = ['identities', name, 'templates', index];
      const unknown = unknownName(path, template, 'template', templateNames);
      if (unknown.length > 0 || templates[template]!.authentication.includes(identity.kind)) return unknown;
      const message = `template ${template} does not list ${identity.kind} in authentication`;
      return [{ path, part: 'value', message }];
    }),
  ]);
}

function listenerProblems({ listeners, templates, issuers }: Settings): Objection[] {
  const templateNames = Object.keys(templates);
  return Object.entries(listeners).flatMap(([name, listener]) =>
    'protocols' in listener
      ? Object.entries(listener.protocols).flatMap(([protocol, served]) =>
          (served?.templates ?? []).flatMap((template, index): Objection[] => {
            const path = ['listeners', name, 'protocols', protocol, 'templates', index];
            const unknown = unknownName(path, template, 'template', templateNames);
            if (unknown.length > 0) return unknown;
            const isActivated = templates[template]!.authentication.includes('endorsement');
            if (isActivated !== (protocol === 'attestation')) {
              const message = isActivated
                ? 'certifies attestation keys (authentication: [endorsement]), which protocols.attestation alone serves'
                : `certifies no attestation keys: list endorsement in templates.${template}.authentication`;
              return [{ path, part: 'value', message }];
            }
            if (protocol === 'acme' && templates[template]!.acme === undefined) {
              const message = `has no acme settings: ACME needs them (templates.${template}.acme)`;
              return [{ path, part: 'value', message }];
            }
            if (protocol !== 'scep') return [];
            const { issuer } = templates[template]!;
            if (issuers[issuer] === undefined || issuers[issuer].ra !== undefined) return [];
            const message = `is of issuer ${issuer}, which has no RA: SCEP needs one (issuers.${issuer}.ra)`;
            return [{ path, part: 'value', message }];
          }),
        )
      : [],
  );
}

function issuedProblems({ listeners, issuers }: Settings): Objection[] {
  return Object.entries(listeners).flatMap(([name, listener]) =>
    'tls' in listener && listener.tls.issued !== undefined
      ? unknownName(
          ['listeners', name, 'tls', 'issued', 'issuer'],
          listener.tls.issued.issuer,
          'issuer',
          Object.keys(issuers),
        )
      : [],
  );
}

/** What follows is told by SCEP alone, and signed by the RA. */
function nextAuthorityProblems({ issuers }: Settings): Objection[] {
  return Object.entries(issuers).flatMap(([name, { next, ra }]): Objection[] => {
    if (next === undefined || ra !== undefined) return [];
    const message = `needs issuers.${name}.ra, which signs what GetNextCACert gives`;
    return [{ path: ['issuers', name, 'next'], part: 'key', message }];
  });
}

/** A secret that lives longer than any may would be refused at every call. */
function hookProblems({ listeners, secrets, templates }: Settings): Objection[] {
  return Object.entries(listeners).flatMap(([name, listener]) => [
    ...(listener.class === 'api' && listener.ndes !== undefined
      ? unknownName(
          ['listeners', name, 'ndes', 'template'],
          listener.ndes.template,
          'template',
          Object.keys(templates),
        )
      : []),
    ...(['jamf', 'radius', 'ndes'] as const).flatMap((hook): Objection[] => {
      const lifetime = listener.class === 'api' ? listener[hook]?.lifetime : undefined;
      if (lifetime === undefined || lifetime <= secrets.maximumLifetime) return [];
      const message = 'must not be longer than secrets.maximumLifetime';
      return [{ path: ['listeners', name, hook, 'lifetime'], part: 'value', message }];
    }),
  ]);
}

/** The admin socket is the one way in for operators; an address serves one listener. */
function endpointProblems({ listeners }: Settings, directory: string): Objection[] {
  const objections: Objection[] = [];
  const taken: { readonly name: string; readonly address: string; readonly port: number }[] = [];
  let admin: string | null = null;
  for (const [name, listener] of Object.entries(listeners)) {
    const at = (key: string, message: string) =>
      objections.push({ path: ['listeners', name, key], part: 'value', message });
    if (listener.class === 'admin') {
      if (admin !== null) at('class', `${admin} is an admin listener already: there is exactly one`);
      admin ??= name;
      // sun_path of unix(7), with its terminator.
      const bytes = Buffer.byteLength(resolve(directory, listener.socket));
      if (bytes > 107) at('socket', `is ${bytes} bytes long as an absolute path; the system allows 107`);
      continue;
    }
    const { address, port } = listener;
    const other =
      port === 0
        ? undefined
        : taken.find((earlier) => earlier.port === port && overlap(earlier.address, address));
    if (other !== undefined) at('port', `listener ${other.name} has this address and port already`);
    taken.push({ name, address, port });
  }
  if (admin === null) {
    const message =
      'one listener must be of class admin: without it no operator command reaches the authority';
    objections.push({ path: ['listeners'], part: 'key', message });
  }
  return objections;
}

/** A wildcard takes the port from every address of its family; `::` takes it from IPv4 as well. */
function overlap(one: string, other: string): boolean {
  const addresses = [canonicalAddress(one), canonicalAddress(other)];
  if (addresses[0] === addresses[1] || addresses.includes('::')) return true;
  return addresses.includes('0.0.0.0') && addresses.every((address) => isIPv4(address));
}

function canonicalAddress(address: string): string {
  return isIPv4(address) ? address : new SocketAddress({ address, family: 'ipv6' }).address;
}

/** One key for one purpose, one writer for one file, and the checkpoint out of reach of a restored database. */
function fileProblems({ authority, issuers, listeners, log }: Settings, directory: string): Objection[] {
  const objections: Objection[] = [];
  const uses = new Map<string, string>();
  const once = (path: KeyPath, file: string, use: string) => {
    const absolute = resolve(directory, file);
    const other = uses.get(absolute);
    if (other !== undefined && other !== use) {
      objections.push({ path, part: 'value', message: `is ${other} already: each file has one purpose` });
    }
    uses.set(absolute, other ?? use);
  };
  for (const [name, { key, ra }] of Object.entries(issuers)) {
    once(['issuers', name, 'key', 'file'], key.file, `the key of issuer ${name}`);
    // Issuers may share an RA's key.
    if (ra !== undefined) once(['issuers', name, 'ra', 'key', 'file'], ra.key.file, 'the key of an RA');
  }
  for (const [name, listener] of Object.entries(listeners)) {
    // Listeners may share a certificate and so its key.
    if ('tls' in listener) {
      once(['listeners', name, 'tls', 'key', 'file'], listener.tls.key.file, 'a TLS key');
    }
  }
  once(['log', 'key', 'file'], log.key.file, 'the key of the log');
  once(['log', 'checkpointFile'], log.checkpointFile, 'the checkpoint');
  for (const [name, { ndjson }] of Object.entries(log.sinks)) {
    once(['log', 'sinks', name, 'ndjson', 'file'], ndjson.file, `the file of sink ${name}`);
  }
  const outside = (path: KeyPath, place: string) => {
    const fromData = relative(resolve(directory, authority.data), resolve(directory, place));
    if (fromData.startsWith('..') || isAbsolute(fromData)) return;
    const message =
      'must be outside authority.data: a restored database would bring its own checkpoint and prove itself';
    objections.push({ path, part: 'value', message });
  };
  outside(['log', 'checkpointFile'], log.checkpointFile);
  if (log.anchor !== undefined) outside(['log', 'anchor', 'folder'], log.anchor.folder);
  return objections;
}

function unknownName(
  path: KeyPath,
  name: string,
  kind: string,
  known: readonly string[],
  part: 'key' | 'value' = 'value',
): Objection[] {
  if (known.includes(name)) return [];
  return [{ path, part, message: `there is no ${kind} ${quote(name)}${didYouMean(name, known)}` }];
}
