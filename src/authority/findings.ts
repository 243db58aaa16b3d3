import type { Configuration } from '#config';

/** What a security engineer would object to in a configuration that is allowed all the same. Said at start and at each reload, and in the log. */
export function configurationFindings({
  listeners,
  templates,
  identities,
  deviceClasses,
}: Configuration): string[] {
  return [
    ...listeners.flatMap((listener) =>
      'tls' in listener && listener.tls !== null && listener.tls.minimum !== 'TLSv1.3'
        ? [
            `listener ${listener.name} takes TLS 1.2, below the floor of TLS 1.3: name it in the classes that need it`,
          ]
        : [],
    ),
    ...listeners.flatMap((listener) =>
      listener.class === 'api' && listener.jamf !== null
        ? [`listener ${listener.name} takes the webhook of Jamf Pro, whose request is not established (jamf)`]
        : [],
    ),
    ...templates.flatMap(({ name, serverKeygen }) =>
      serverKeygen === null ? [] : [`template ${name} lets the authority make private keys (serverKeygen)`],
    ),
    ...templates.flatMap(({ name, legacyAlgorithms = [] }) =>
      legacyAlgorithms.length === 0
        ? []
        : [`template ${name} takes SHA-1 and 3DES from ${legacyAlgorithms.join(', ')} (legacyAlgorithms)`],
    ),
    ...templates.flatMap(({ name, authentication }) =>
      authentication.includes('dangerousStaticChallenge')
        ? [`template ${name} takes one password from all devices (dangerousStaticChallenge)`]
        : [],
    ),
    ...templates.flatMap(({ name, acme }) =>
      acme?.externalAccountKey === 'optional'
        ? deviceClasses
            .filter(({ evidence, templates: own }) => evidence?.apple && own?.includes(name) !== false)
            .map(
              (each) =>
                `template ${name} takes devices of class ${each.name} by evidence of Apple alone, which is bound to no account (acme.externalAccountKey)`,
            )
        : [],
    ),
    ...deviceClasses.flatMap(({ name, evidence }) =>
      Object.entries(evidence ?? {}).flatMap(([format, { roots, device }]) =>
        roots.length > 1 && device.from === 'permanentIdentifier' && device.types === null
          ? [
              `class ${name} believes ${roots.join(', ')} by names that any of them can write: say in evidence.${format}.device.types who assigns them`,
            ]
          : [],
      ),
    ),
    ...identities.flatMap(({ name, kind }) =>
      kind === 'ra' ? [`registration authority ${name} may ask for every device of its classes`] : [],
    ),
    ...overlapping(identities.filter(({ kind }) => kind !== 'ra')),
  ];
}

/** The inventory does not say whose a serial number is: within a class, each identity can name the devices of the other. */
function overlapping(identities: Configuration['identities']): string[] {
  return identities.flatMap((one, index) =>
    identities
      .slice(index + 1)
      .flatMap((other) =>
        one.classes
          .filter((name) => other.classes.includes(name))
          .map(
            (name) =>
              `identities ${one.name} and ${other.name} both speak for class ${name}: each vouches for whatever device of it bears the name that it writes; give them classes of their own`,
          ),
      ),
  );
}
