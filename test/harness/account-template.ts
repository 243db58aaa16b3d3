import { parse, stringify } from 'yaml';

interface Settings {
  readonly templates: Record<string, unknown>;
}

/** The template `web` of `init`, for servers that have ACME accounts: names below example.org, proven in DNS. */
export function withAccountTemplate(yaml: string): string {
  const settings = parse(yaml) as Settings;
  settings.templates['web'] = {
    issuer: 'issuing',
    keyAlgorithms: ['ec-p256', 'rsa-2048'],
    extendedKeyUsage: ['serverAuth'],
    validity: '90d',
    authentication: ['account'],
    request: { subjectAltName: [{ dns: 'example.org', maximum: 10, wildcard: true }] },
    acme: { challenges: ['dns-01'] },
  };
  return stringify(settings, { aliasDuplicateObjects: false });
}
