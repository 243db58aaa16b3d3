import type { Configuration } from '#config';

/** What a security engineer would object to in a configuration that is allowed all the same. Said at start and at each reload, and in the log. */
export function configurationFindings({ listeners, templates, identities }: Configuration): string[] {
  return [
    ...listeners.flatMap((listener) =>
      listener.class === 'enroll' && listener.tls.minimum !== 'TLSv1.3'
        ? [
            `listener ${listener.name} takes TLS 1.2, below the floor of TLS 1.3: name it in the classes that need it`,
          ]
        : [],
    ),
    ...templates.flatMap(({ name, serverKeygen }) =>
      serverKeygen === null ? [] : [`template ${name} lets the authority make private keys (serverKeygen)`],
    ),
    ...identities.flatMap(({ name, kind }) =>
      kind === 'ra' ? [`registration authority ${name} may ask for every device of its classes`] : [],
    ),
  ];
}
