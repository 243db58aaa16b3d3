import { parse, stringify } from 'yaml';

interface Settings {
  readonly templates: Record<string, Record<string, unknown>>;
  readonly listeners: { enroll: { tls: { minimum: string }; protocols: { est: { templates: string[] } } } };
  readonly deviceClasses: Record<string, { templates: string[] }>;
  readonly limits: Record<string, unknown>;
}

/**
 * More templates, each like `device` but for what is said here, served on the listener and open to laptops; TLS 1.2 is spoken too, and no
 * device is limited.
 */
export function withTemplates(templates: Record<string, Record<string, unknown>>): (yaml: string) => string {
  return (yaml) => {
    const settings = parse(yaml) as Settings;
    settings.listeners.enroll.tls.minimum = 'TLSv1.2';
    settings.limits['device'] = { burst: 500, count: 500, period: '1d' };
    for (const [name, change] of Object.entries(templates)) {
      settings.templates[name] = { ...settings.templates['device'], ...change };
      settings.listeners.enroll.protocols.est.templates.push(name);
      settings.deviceClasses['laptop']!.templates.push(name);
    }
    return stringify(settings, { aliasDuplicateObjects: false });
  };
}
